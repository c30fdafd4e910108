import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kinesis as api } from '@millrace/wire/services/kinesis'
import {
  drain,
  get,
  iterator,
  put,
  STREAM,
  splitFirstShard,
  text,
  withStream,
} from '../testing/data.ts'
import { ACCOUNT, START_MS, testKinesis, wireError } from '../testing.ts'

const SHARD_0 = 'shardId-000000000000'
const HASH_KEY_LAST = ((1n << 128n) - 1n).toString()

function invalid(message: string) {
  return wireError('InvalidArgumentException', message)
}

function missing(shard: string, stream = STREAM) {
  return wireError(
    'ResourceNotFoundException',
    `Shard ${shard} in stream ${stream} under account ${ACCOUNT} does not exist`,
  )
}

function hexNumber(hex: string): string {
  return BigInt(`0x${hex}`).toString()
}

test('shard ids that are no numbers are not found, before the stream is looked for', async () => {
  const kinesis = await testKinesis()
  for (const ShardId of ['ABKLFD8', '2.14E4', 'shardId-002147483648']) {
    await assert.rejects(
      iterator(kinesis, { ShardId, StreamName: 'nowhere' }),
      wireError(
        'ResourceNotFoundException',
        `Could not find shard ${ShardId} in stream nowhere under account ${ACCOUNT}.`,
      ),
    )
  }
})

test('an unknown stream is answered as an unknown shard, by name and by ARN', async () => {
  const kinesis = await testKinesis()
  await assert.rejects(
    iterator(kinesis, { ShardId: 'shardId-5', StreamName: 'nowhere' }),
    missing('shardId-000000000005', 'nowhere'),
  )
  await assert.rejects(
    kinesis.call(api.GetShardIterator, {
      StreamARN: `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/nowhere`,
      ShardId: '0',
      ShardIteratorType: 'LATEST',
    }),
    missing(SHARD_0, 'nowhere'),
  )
})

test('neither name nor ARN is an invalid argument', async () => {
  const kinesis = await testKinesis()
  for (const ShardId of ['0', 'x']) {
    await assert.rejects(
      kinesis.call(api.GetShardIterator, { ShardId, ShardIteratorType: 'LATEST' }),
      (error: Error) => 'type' in error && error.type === 'InvalidArgumentException',
    )
  }
})

test('a shard that the stream does not have is not found, before its numbers are read', async () => {
  const kinesis = await withStream(await testKinesis())
  await assert.rejects(
    iterator(kinesis, {
      ShardId: 'shardId-5',
      ShardIteratorType: 'AT_SEQUENCE_NUMBER',
      StartingSequenceNumber: '5',
    }),
    missing('shardId-000000000005'),
  )
})

test('a stream that is being created has no shards yet', async () => {
  const kinesis = await withStream(await testKinesis({ transitionMs: 500 }))
  await assert.rejects(iterator(kinesis), missing(SHARD_0))
})

test('type and StartingSequenceNumber must fit together', async () => {
  const kinesis = await withStream(await testKinesis())
  const rule =
    'Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber.'
  for (const type of ['AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER'] as const) {
    await assert.rejects(
      iterator(kinesis, { ShardIteratorType: type }),
      invalid(`${rule} Request specified ${type} and no StartingSequenceNumber.`),
    )
  }
  for (const type of ['LATEST', 'TRIM_HORIZON', 'AT_TIMESTAMP'] as const) {
    await assert.rejects(
      iterator(kinesis, { ShardIteratorType: type, StartingSequenceNumber: '5' }),
      invalid(`${rule} Request specified ${type} and also a StartingSequenceNumber.`),
    )
  }
})

test('a number of another shard is refused, also one of a negative shard', async () => {
  const kinesis = await withStream(await testKinesis())
  const cases = {
    5: 'shardId-000000000005',
    [hexNumber('20000000000000000000000000000000000000800000002')]: 'shardId--02147483648',
  }
  for (const [number, shard] of Object.entries(cases)) {
    await assert.rejects(
      iterator(kinesis, {
        ShardIteratorType: 'AT_SEQUENCE_NUMBER',
        StartingSequenceNumber: number,
      }),
      invalid(
        `Invalid StartingSequenceNumber. It encodes ${shard}, while it was used in a call to a shard with ${SHARD_0}`,
      ),
    )
  }
})

test('numbers that cannot be read are refused', async () => {
  const kinesis = await withStream(await testKinesis())
  for (const hex of [
    '13bb2cc3d80000000000000000000000',
    '20000000000800000000000000000000000000000000002',
    '20000000000000000000000000000000000000000000003',
  ]) {
    const number = hexNumber(hex)
    await assert.rejects(
      iterator(kinesis, {
        ShardIteratorType: 'AFTER_SEQUENCE_NUMBER',
        StartingSequenceNumber: number,
      }),
      invalid(
        `StartingSequenceNumber ${number} used in GetShardIterator on shard ${SHARD_0} in stream ${STREAM} under account ${ACCOUNT} is invalid.`,
      ),
    )
  }
})

test('a number of an earlier stream of the name did not come from this stream', async () => {
  const kinesis = await withStream(await testKinesis())
  const { SequenceNumber } = await put(kinesis, 'old')
  await kinesis.call(api.DeleteStream, { StreamName: STREAM })
  await withStream(kinesis)
  await assert.rejects(
    iterator(kinesis, {
      ShardIteratorType: 'AT_SEQUENCE_NUMBER',
      StartingSequenceNumber: SequenceNumber,
    }),
    invalid(
      `StartingSequenceNumber ${SequenceNumber} used in GetShardIterator on shard ${SHARD_0} in stream ${STREAM} under account ${ACCOUNT} is invalid because it did not come from this stream.`,
    ),
  )
})

test('a number of the oldest kind is an internal failure, as on AWS', async () => {
  const kinesis = await withStream(await testKinesis())
  await assert.rejects(
    iterator(kinesis, { ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: '0' }),
    wireError('InternalFailure', ''),
  )
})

test('AT_TIMESTAMP needs a timestamp, and none of the future', async () => {
  const kinesis = await withStream(await testKinesis())
  await assert.rejects(
    iterator(kinesis, { ShardIteratorType: 'AT_TIMESTAMP' }),
    invalid(
      'Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request has no timestamp parameter.',
    ),
  )
  await assert.rejects(
    iterator(kinesis, { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: START_MS + 1 }),
    invalid(
      `The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. timestampInMillis: ${START_MS + 1}, currentTimestampInMillis: ${START_MS}`,
    ),
  )
  await iterator(kinesis, { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: START_MS })
})

test('shard ids are read leniently', async () => {
  const kinesis = await withStream(await testKinesis())
  await put(kinesis, 'a')
  for (const ShardId of ['0', '-0', 'abc-00', 'shardId-0', SHARD_0]) {
    assert.equal((await drain(kinesis, await iterator(kinesis, { ShardId }))).length, 1)
  }
})

test('AT begins at the number, AFTER behind it', async () => {
  const kinesis = await withStream(await testKinesis())
  const numbers: string[] = []
  for (const data of ['a', 'b', 'c']) {
    numbers.push((await put(kinesis, data)).SequenceNumber)
    await kinesis.advance(1000)
  }
  const read = async (type: 'AT_SEQUENCE_NUMBER' | 'AFTER_SEQUENCE_NUMBER', number: string) => {
    const start = { ShardIteratorType: type, StartingSequenceNumber: number }
    return (await drain(kinesis, await iterator(kinesis, start))).map(text).join('')
  }
  const [first = '', second = '', third = ''] = numbers
  assert.equal(await read('AT_SEQUENCE_NUMBER', first), 'abc')
  assert.equal(await read('AT_SEQUENCE_NUMBER', second), 'bc')
  assert.equal(await read('AFTER_SEQUENCE_NUMBER', second), 'c')
  assert.equal(await read('AFTER_SEQUENCE_NUMBER', third), '')
  const between = (by: bigint) => (BigInt(second) + by).toString()
  const aSecond = 1n << 36n
  assert.equal(await read('AT_SEQUENCE_NUMBER', between(-aSecond)), 'bc', 'just below')
  assert.equal(await read('AFTER_SEQUENCE_NUMBER', between(-aSecond)), 'bc', 'just below')
  assert.equal(await read('AT_SEQUENCE_NUMBER', between(aSecond)), 'c', 'just above')
  assert.equal(await read('AFTER_SEQUENCE_NUMBER', between(aSecond)), 'c', 'just above')
})

test('the starting number of a shard begins at its first record, AT and AFTER', async () => {
  const kinesis = await withStream(await testKinesis())
  await put(kinesis, 'a')
  const { Shards } = await kinesis.call(api.ListShards, { StreamName: STREAM })
  const StartingSequenceNumber = Shards?.[0]?.SequenceNumberRange.StartingSequenceNumber ?? ''
  for (const ShardIteratorType of ['AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER'] as const) {
    const start = await iterator(kinesis, { ShardIteratorType, StartingSequenceNumber })
    assert.equal((await drain(kinesis, start)).length, 1)
  }
})

test('a number ahead of all records waits for its own', async () => {
  const kinesis = await withStream(await testKinesis())
  const { SequenceNumber } = await put(kinesis, 'a')
  const ahead = (BigInt(SequenceNumber) + (2n << 80n)).toString()
  const start = await iterator(kinesis, {
    ShardIteratorType: 'AT_SEQUENCE_NUMBER',
    StartingSequenceNumber: ahead,
  })
  const empty = await get(kinesis, start)
  assert.deepEqual(empty.Records, [])
  await put(kinesis, 'b')
  await put(kinesis, 'c')
  const records = await drain(kinesis, empty.NextShardIterator ?? '')
  assert.deepEqual(records.map(text), ['c'])
})

test('the highest number there is reads nothing, and never fails', async () => {
  const kinesis = await withStream(await testKinesis())
  const { SequenceNumber } = await put(kinesis, 'a')
  const hex = BigInt(SequenceNumber).toString(16)
  const highest = hexNumber(`${hex.slice(0, 11)}7fffffffffffffff${hex.slice(27)}`)
  for (const ShardIteratorType of ['AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER'] as const) {
    let next = await iterator(kinesis, { ShardIteratorType, StartingSequenceNumber: highest })
    for (let i = 0; i < 3; i++) {
      const page = await get(kinesis, next)
      assert.deepEqual(page.Records, [])
      next = page.NextShardIterator ?? ''
    }
  }
})

test('LATEST begins behind all records at its time', async () => {
  const kinesis = await withStream(await testKinesis())
  await put(kinesis, 'a')
  const latest = await iterator(kinesis, { ShardIteratorType: 'LATEST' })
  await put(kinesis, 'b')
  assert.deepEqual((await drain(kinesis, latest)).map(text), ['b'])
})

test('AT_TIMESTAMP begins at the first record of that time or a later one', async () => {
  const kinesis = await withStream(await testKinesis())
  for (const data of ['a', 'b', 'c']) {
    await put(kinesis, data)
    await kinesis.advance(1000)
  }
  const read = async (Timestamp: number) => {
    const start = await iterator(kinesis, { ShardIteratorType: 'AT_TIMESTAMP', Timestamp })
    return (await drain(kinesis, start)).map(text).join('')
  }
  assert.equal(await read(0), 'abc')
  assert.equal(await read(START_MS), 'abc')
  assert.equal(await read(START_MS + 1), 'bc')
  assert.equal(await read(START_MS + 1000), 'bc')
  assert.equal(await read(START_MS + 2001), '')
})

test('each position may be asked for five times a second and shard', async () => {
  const kinesis = await withStream(await testKinesis({ limits: 'aws' }), 2)
  for (let i = 0; i < 5; i++) await iterator(kinesis)
  await assert.rejects(
    iterator(kinesis),
    wireError(
      'ProvisionedThroughputExceededException',
      `Rate exceeded for Shard - ${ACCOUNT}/${STREAM}/${SHARD_0}`,
    ),
  )
  await iterator(kinesis, { ShardId: '1' })
  await kinesis.advance(200)
  await iterator(kinesis)
})

test('a dry run gives no iterator and costs no rate', async () => {
  const kinesis = await withStream(await testKinesis({ limits: 'aws' }))
  for (let i = 0; i < 6; i++) {
    await assert.rejects(
      iterator(kinesis, { DryRun: true }),
      wireError(
        'DryRunOperationException',
        'The request was rejected because the DryRun parameter was specified.',
      ),
    )
  }
  await assert.rejects(iterator(kinesis, { DryRun: true, ShardId: '7' }), /does not exist/)
  await iterator(kinesis)
})

test('a closed shard gives iterators, until all it held is past the retention', async () => {
  const kinesis = await withStream(await testKinesis())
  await put(kinesis, 'a')
  await splitFirstShard(kinesis)
  const latest = await get(kinesis, await iterator(kinesis, { ShardIteratorType: 'LATEST' }))
  assert.deepEqual(latest.Records, [])
  assert.equal(latest.NextShardIterator, undefined)
  assert.equal((await drain(kinesis, await iterator(kinesis))).length, 1)
  await kinesis.advance(24 * 3_600_000)
  await iterator(kinesis)
  await kinesis.advance(1)
  await assert.rejects(iterator(kinesis), missing(SHARD_0))
  assert.equal(
    (await put(kinesis, 'b', { ExplicitHashKey: HASH_KEY_LAST })).ShardId,
    'shardId-000000000002',
  )
})
