import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceClock } from '@millrace/base/clock'
import { type Block, StorageError } from '@millrace/storage/engine'
import { MemoryEngine } from '@millrace/storage/memory-engine'
import { Base64Payload } from '@millrace/wire/payload'
import { parseSequenceNumber } from '@millrace/wire/sequence-number'
import { kinesis as api } from '@millrace/wire/services/kinesis'
import { bytes, drain, iterator, putMany, STREAM, text, withStream } from '../testing/data.ts'
import { ACCOUNT, START_MS, testKinesis, wireError } from '../testing.ts'

const HASH_KEY_END = 1n << 128n
const MIB = 1024 * 1024

function throttledEntry(shard: number) {
  return {
    ErrorCode: 'ProvisionedThroughputExceededException',
    ErrorMessage: `Rate exceeded for shard shardId-00000000000${shard} in stream ${STREAM} under account ${ACCOUNT}.`,
  }
}

test('records are answered in the order of the request and read back in it', async () => {
  const kinesis = await withStream(await testKinesis(), 3)
  const third = HASH_KEY_END / 3n
  const records = [
    { PartitionKey: 'a', Data: bytes('0') },
    { PartitionKey: 'b', Data: bytes('1') },
    { PartitionKey: 'e', Data: bytes('2') },
    { PartitionKey: 'f', Data: bytes('3') },
    { PartitionKey: 'a', Data: bytes('4'), ExplicitHashKey: (HASH_KEY_END - 1n).toString() },
    { PartitionKey: 'a', Data: bytes('5'), ExplicitHashKey: (2n * third - 1n).toString() },
    { PartitionKey: 'a', Data: bytes('6'), ExplicitHashKey: (2n * third).toString() },
  ]
  const answer = await putMany(kinesis, records)
  assert.equal(answer.FailedRecordCount, 0)
  // The shards that AWS chose for these keys, as kinesalite's tests against it have them.
  assert.deepEqual(
    answer.Records.map((record) => record.ShardId?.at(-1)),
    ['0', '1', '2', '1', '2', '1', '2'],
  )
  for (const [shard, order] of [[0], [1, 3, 5], [2, 4, 6]].entries()) {
    const read = await drain(kinesis, await iterator(kinesis, { ShardId: String(shard) }))
    assert.deepEqual(read.map(text), order.map(String))
    assert.deepEqual(
      read.map((record) => record.SequenceNumber),
      order.map((index) => answer.Records[index]?.SequenceNumber),
    )
  }
})

test('numbers of one request and shard are consecutive', async () => {
  const kinesis = await withStream(await testKinesis())
  const records = Array.from({ length: 500 }, (_, i) => ({
    PartitionKey: `k${i}`,
    Data: bytes(String(i)),
  }))
  const { Records } = await putMany(kinesis, records)
  assert.deepEqual(
    Records.map((record) => parseSequenceNumber(record.SequenceNumber ?? '')?.counter),
    Records.map((_, index) => BigInt(index + 1)),
  )
  const read = await drain(kinesis, await iterator(kinesis))
  assert.deepEqual(
    read.map(text),
    Records.map((_, index) => String(index)),
  )
})

test('one bad explicit hash key fails the whole request and stores nothing', async () => {
  const kinesis = await withStream(await testKinesis())
  const key = HASH_KEY_END.toString()
  await assert.rejects(
    putMany(kinesis, [
      { PartitionKey: 'a', Data: bytes('') },
      { PartitionKey: 'a', Data: bytes(''), ExplicitHashKey: key },
    ]),
    wireError(
      'InvalidArgumentException',
      `Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was ${key}`,
    ),
  )
  assert.deepEqual(await drain(kinesis, await iterator(kinesis)), [])
})

test('missing partition keys are listed by their places, up to ten', async () => {
  const kinesis = await withStream(await testKinesis())
  const missing = (place: number) =>
    `Value null at 'records.${place}.member.partitionKey' failed to satisfy constraint: Member must not be null`
  await assert.rejects(
    putMany(kinesis, [
      { Data: bytes('') },
      { PartitionKey: 'a', Data: bytes('') },
      { Data: bytes('') },
    ]),
    wireError('ValidationException', `2 validation errors detected: ${missing(1)}; ${missing(3)}`),
  )
  await assert.rejects(
    putMany(
      kinesis,
      Array.from({ length: 12 }, () => ({ Data: bytes('') })),
    ),
    (error: Error) => error.message.startsWith('10 validation errors detected: '),
  )
})

test('a request may be 10 MiB, keys included, and no larger', async () => {
  const kinesis = await withStream(await testKinesis())
  const records = Array.from({ length: 10 }, () => ({
    PartitionKey: 'key',
    Data: bytes(Buffer.alloc(MIB - 3)),
  }))
  assert.equal((await putMany(kinesis, records)).FailedRecordCount, 0)
  await assert.rejects(
    putMany(kinesis, [...records, { PartitionKey: 'k', Data: bytes('') }]),
    wireError('InvalidArgumentException', 'Records size exceeds 10 MB limit'),
  )
})

test('one record over the limit of the stream fails the whole request', async () => {
  const kinesis = await withStream(await testKinesis())
  await assert.rejects(
    putMany(kinesis, [
      { PartitionKey: 'key', Data: bytes('') },
      { PartitionKey: 'key', Data: bytes(Buffer.alloc(MIB)) },
    ]),
    wireError(
      'InvalidArgumentException',
      `Record size of 1048579 bytes (data and partition key) exceeds the maximum record size of 1048576 bytes of stream ${STREAM}.`,
    ),
  )
})

test('records past the rate of their shard fail on their own, the others are stored', async () => {
  const kinesis = await withStream(await testKinesis({ limits: 'aws' }), 2)
  const upper = (HASH_KEY_END - 1n).toString()
  const large = bytes(Buffer.alloc(MIB - 1))
  const answer = await putMany(kinesis, [
    { PartitionKey: 'k', Data: large, ExplicitHashKey: '0' },
    { PartitionKey: 'k', Data: bytes('no'), ExplicitHashKey: '0' },
    { PartitionKey: 'k', Data: bytes('yes'), ExplicitHashKey: upper },
    { PartitionKey: 'k', Data: bytes('no'), ExplicitHashKey: '0' },
    { PartitionKey: 'k', Data: large, ExplicitHashKey: upper },
    { PartitionKey: 'k', Data: bytes('no'), ExplicitHashKey: upper },
  ])
  assert.equal(answer.FailedRecordCount, 3)
  const [first, second, third, fourth, fifth, sixth] = answer.Records
  assert.deepEqual(Object.keys(first ?? {}), ['SequenceNumber', 'ShardId'])
  assert.deepEqual(second, throttledEntry(0))
  assert.equal(third?.ShardId, 'shardId-000000000001')
  assert.deepEqual(fourth, throttledEntry(0))
  assert.equal(fifth?.ShardId, 'shardId-000000000001')
  assert.deepEqual(sixth, throttledEntry(1))
  const stored = await drain(kinesis, await iterator(kinesis, { ShardId: '1' }))
  assert.deepEqual(
    stored.map((record) => record.SequenceNumber),
    [third?.SequenceNumber, fifth?.SequenceNumber],
  )
})

test('a request whose records are all throttled is answered all the same', async () => {
  const kinesis = await withStream(await testKinesis({ limits: 'aws' }))
  await putMany(kinesis, [{ PartitionKey: 'k', Data: bytes(Buffer.alloc(MIB - 1)) }])
  const answer = await putMany(kinesis, [
    { PartitionKey: 'k', Data: bytes('') },
    { PartitionKey: 'k', Data: bytes('') },
  ])
  assert.deepEqual(answer, {
    FailedRecordCount: 2,
    Records: [throttledEntry(0), throttledEntry(0)],
  })
})

test('1000 records a second are admitted across requests, record by record', async () => {
  const kinesis = await withStream(await testKinesis({ limits: 'aws' }))
  const records = Array.from({ length: 400 }, () => ({ PartitionKey: 'k', Data: bytes('') }))
  assert.equal((await putMany(kinesis, records)).FailedRecordCount, 0)
  assert.equal((await putMany(kinesis, records)).FailedRecordCount, 0)
  assert.equal((await putMany(kinesis, records)).FailedRecordCount, 200)
})

test('a dry run stores nothing', async () => {
  const kinesis = await withStream(await testKinesis())
  const input = { StreamName: STREAM, Records: [{ PartitionKey: 'a', Data: bytes('') }] }
  await assert.rejects(
    kinesis.call(api.PutRecords, { ...input, DryRun: true }),
    wireError(
      'DryRunOperationException',
      'The request was rejected because the DryRun parameter was specified.',
    ),
  )
  assert.deepEqual(await drain(kinesis, await iterator(kinesis)), [])
})

test('an unknown stream is not found', async () => {
  const kinesis = await testKinesis()
  await assert.rejects(
    putMany(kinesis, [{ PartitionKey: 'a', Data: bytes('') }]),
    wireError('ResourceNotFoundException', `Stream ${STREAM} under account ${ACCOUNT} not found.`),
  )
})

test('a block that storage refuses fails its records and no others', async () => {
  const kinesis = await withStream(await testKinesis(), 2)
  const stream = kinesis.streams.forData({ StreamName: STREAM }, kinesis.context())
  const upper = (HASH_KEY_END - 1n).toString()
  const records = [
    { PartitionKey: 'k', Data: bytes('no'), ExplicitHashKey: '0' },
    { PartitionKey: 'k', Data: bytes('yes'), ExplicitHashKey: upper },
  ]
  await stream.group.log(0).gate()
  const failed = { ErrorCode: 'InternalFailure', ErrorMessage: 'Internal Service Failure' }
  const partial = await putMany(kinesis, records)
  assert.equal(partial.FailedRecordCount, 1)
  assert.deepEqual(partial.Records[0], failed)
  assert.equal(partial.Records[1]?.ShardId, 'shardId-000000000001')
  assert.deepEqual(await putMany(kinesis, records.slice(0, 1)), {
    FailedRecordCount: 1,
    Records: [failed],
  })
  // What nobody wrote is looked at all the same.
  await assert.rejects(
    putMany(kinesis, [{ PartitionKey: 'k', Data: new Base64Payload('A!AA', 3) }]),
    wireError(
      'SerializationException',
      "'A!AA' can not be converted to a Blob: Invalid Base64 character: '!'",
    ),
  )
  stream.group.log(0).release()
  assert.equal((await putMany(kinesis, records)).FailedRecordCount, 0)
})

test('when storage keeps nothing of a request, its reason is thrown and no rate is spent', async () => {
  const clock = new ServiceClock({ wall: () => START_MS })
  const engine = new MemoryEngine({ clock, bytesMax: 600 * 1024 })
  const kinesis = await withStream(await testKinesis({ limits: 'aws', engine, clock }))
  const large = [{ PartitionKey: 'k', Data: bytes(Buffer.alloc(700 * 1024)) }]
  for (let i = 0; i < 3; i++) {
    await assert.rejects(
      putMany(kinesis, large),
      (error) => error instanceof StorageError && error.code === 'disk-full',
    )
  }
  const small = await putMany(kinesis, [{ PartitionKey: 'k', Data: bytes('a') }])
  assert.equal(small.FailedRecordCount, 0)
})

test('a stream deleted while its records are on the way is not found', async () => {
  const clock = new ServiceClock({ wall: () => START_MS })
  const engine = new MemoryEngine({ clock })
  const kinesis = await withStream(await testKinesis({ engine, clock }))
  const append = engine.append.bind(engine)
  engine.append = async (blocks: readonly Block[]) => {
    await engine.deleteGroup(blocks[0]?.log.groupId ?? 0)
    return append(blocks)
  }
  await assert.rejects(
    putMany(kinesis, [{ PartitionKey: 'a', Data: bytes('') }]),
    wireError('ResourceNotFoundException', `Stream ${STREAM} under account ${ACCOUNT} not found.`),
  )
})

test('requests at once do not mix their records', async () => {
  const kinesis = await withStream(await testKinesis(), 4)
  const requests = Array.from({ length: 20 }, (_, request) =>
    Array.from({ length: 30 }, (_, i) => ({
      PartitionKey: `${request}-${i}`,
      Data: bytes(`${request}-${i}`),
    })),
  )
  const answers = await Promise.all(requests.map((records) => putMany(kinesis, records)))
  const read = new Map<string, string>()
  for (let shard = 0; shard < 4; shard++) {
    for (const record of await drain(
      kinesis,
      await iterator(kinesis, { ShardId: String(shard) }),
    )) {
      assert.equal(record.PartitionKey, text(record))
      read.set(`${shard} ${record.SequenceNumber}`, text(record))
    }
  }
  assert.equal(read.size, 600)
  answers.forEach(({ Records }, request) => {
    Records.forEach(({ ShardId, SequenceNumber }, i) => {
      const shard = Number(ShardId?.slice(-12))
      assert.equal(read.get(`${shard} ${SequenceNumber}`), `${request}-${i}`)
    })
  })
})
