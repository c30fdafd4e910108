import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceClock } from '@millrace/base/clock'
import { StorageError } from '@millrace/storage/engine'
import { MemoryEngine } from '@millrace/storage/memory-engine'
import { formatSequenceNumber, parseSequenceNumber } from '@millrace/wire/sequence-number'
import { kinesis as api } from '@millrace/wire/services/kinesis'
import { bytes, drain, get, iterator, put, STREAM, text, withStream } from '../testing/data.ts'
import { ACCOUNT, START_MS, testKinesis, wireError } from '../testing.ts'

const HASH_KEY_END = 1n << 128n

function hexNumber(hex: string): string {
  return BigInt(`0x${hex}`).toString()
}

test('a record put is read back with its key, its time and its number', async () => {
  const kinesis = await withStream(await testKinesis())
  const { ShardId, SequenceNumber } = await put(kinesis, 'hello', { PartitionKey: 'käse "1"' })
  assert.equal(ShardId, 'shardId-000000000000')
  const page = await get(kinesis, await iterator(kinesis))
  assert.deepEqual(page.Records, [
    {
      SequenceNumber,
      ApproximateArrivalTimestamp: START_MS / 1000,
      Data: Buffer.from('hello').toString('base64'),
      PartitionKey: 'käse "1"',
    },
  ])
})

test('the answer holds shard and number and nothing else', async () => {
  const kinesis = await withStream(await testKinesis())
  assert.deepEqual(Object.keys(await put(kinesis, 'a')), ['ShardId', 'SequenceNumber'])
})

test('numbers count the records of a shard from 1 and tell its creation and their time', async () => {
  const kinesis = await withStream(await testKinesis())
  const created = kinesis.fold.find(ACCOUNT, 'us-east-1', STREAM)?.shards[0]?.createdSeconds
  assert.ok(created)
  for (let counter = 1n; counter <= 3n; counter++) {
    await kinesis.advance(1000)
    const { SequenceNumber } = await put(kinesis, 'a')
    const parsed = parseSequenceNumber(SequenceNumber)
    assert.equal(parsed?.counter, counter)
    assert.equal(parsed?.createdSeconds, created)
    assert.equal(parsed?.timeSeconds, Math.floor(kinesis.clock.now() / 1000))
    assert.equal(parsed?.shardNumber, 0)
  }
})

test('empty data is a record', async () => {
  const kinesis = await withStream(await testKinesis())
  await put(kinesis, '')
  const [record] = await drain(kinesis, await iterator(kinesis))
  assert.equal(record?.Data, '')
})

test('a stream is named by ARN as well, or by both', async () => {
  const kinesis = await withStream(await testKinesis())
  const StreamARN = `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/${STREAM}`
  const record = { PartitionKey: 'k', Data: bytes('a') }
  await kinesis.call(api.PutRecord, { StreamARN, ...record })
  await kinesis.call(api.PutRecord, { StreamARN, StreamName: STREAM, ...record })
  assert.equal((await drain(kinesis, await iterator(kinesis))).length, 2)
})

test('an unknown stream is not found', async () => {
  const kinesis = await testKinesis()
  await assert.rejects(
    put(kinesis, 'a', { StreamName: 'nowhere' }),
    wireError('ResourceNotFoundException', `Stream nowhere under account ${ACCOUNT} not found.`),
  )
})

test('a stream that is being created takes no records yet, one being deleted still does', async () => {
  const kinesis = await testKinesis({ transitionMs: 500 })
  await withStream(kinesis)
  const notFound = wireError(
    'ResourceNotFoundException',
    `Stream ${STREAM} under account ${ACCOUNT} not found.`,
  )
  await assert.rejects(put(kinesis, 'a'), notFound)
  await kinesis.advance(500)
  await put(kinesis, 'a')
  await kinesis.call(api.DeleteStream, { StreamName: STREAM })
  await put(kinesis, 'b')
  await kinesis.advance(500)
  await assert.rejects(put(kinesis, 'c'), notFound)
})

test('an explicit hash key overrides the partition key', async () => {
  const kinesis = await withStream(await testKinesis(), 3)
  const third = HASH_KEY_END / 3n
  const cases: [bigint, number][] = [
    [0n, 0],
    [third - 1n, 0],
    [third, 1],
    [2n * third - 1n, 1],
    [2n * third, 2],
    [HASH_KEY_END - 1n, 2],
  ]
  for (const [key, shard] of cases) {
    const { ShardId } = await put(kinesis, 'a', { ExplicitHashKey: key.toString() })
    assert.equal(ShardId, `shardId-00000000000${shard}`, key.toString())
  }
})

test('an explicit hash key past the ring is refused, on one shard too', async () => {
  for (const shardCount of [1, 3]) {
    const kinesis = await withStream(await testKinesis(), shardCount)
    for (const key of [HASH_KEY_END.toString(), '9'.repeat(39)]) {
      await assert.rejects(
        put(kinesis, 'a', { ExplicitHashKey: key }),
        wireError(
          'InvalidArgumentException',
          `Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was ${key}`,
        ),
      )
    }
  }
})

test('a missing partition key is refused as the constraint it was', async () => {
  const kinesis = await withStream(await testKinesis())
  await assert.rejects(
    kinesis.call(api.PutRecord, { StreamName: STREAM, Data: bytes('a') }),
    wireError(
      'ValidationException',
      "1 validation error detected: Value null at 'partitionKey' failed to satisfy constraint: Member must not be null",
    ),
  )
})

test('a stream that distributes records itself needs no key and gives the given one back', async () => {
  const kinesis = await withStream(await testKinesis(), 4)
  const facts = kinesis.fold.find(ACCOUNT, 'us-east-1', STREAM)
  assert.ok(facts)
  facts.distribution = 'AUTO'
  const shards = new Map<string, number>()
  for (let i = 0; i < 40; i++) {
    const more = i % 2 === 0 ? {} : { PartitionKey: 'same', ExplicitHashKey: '7' }
    const input = { StreamName: STREAM, Data: bytes(String(i)), ...more }
    const reply = (await kinesis.call(api.PutRecord, input)) as unknown as {
      encode(protocol: 'json'): string
    }
    const { ShardId } = JSON.parse(reply.encode('json')) as { ShardId: string }
    shards.set(ShardId, (shards.get(ShardId) ?? 0) + 1)
  }
  assert.equal(shards.size, 4)
  for (const count of shards.values()) assert.ok(count >= 9 && count <= 11, `${count} of 40`)
  const keys = new Set<string | undefined>()
  for (const ShardId of shards.keys()) {
    const records = await drain(kinesis, await iterator(kinesis, { ShardId }))
    for (const record of records) {
      assert.equal('PartitionKey' in record, record.PartitionKey !== undefined)
      assert.equal(record.PartitionKey, Number(text(record)) % 2 === 0 ? undefined : 'same')
      keys.add(record.PartitionKey)
    }
  }
  assert.deepEqual(keys, new Set([undefined, 'same']))
})

test('SequenceNumberForOrdering is refused where records are distributed automatically', async () => {
  const kinesis = await withStream(await testKinesis())
  const { SequenceNumber } = await put(kinesis, 'a')
  const facts = kinesis.fold.find(ACCOUNT, 'us-east-1', STREAM)
  assert.ok(facts)
  facts.distribution = 'AUTO'
  await assert.rejects(
    put(kinesis, 'b', { SequenceNumberForOrdering: SequenceNumber }),
    (error: Error) => /SequenceNumberForOrdering must not be provided/.test(error.message),
  )
})

test('data and key together may be as large as the stream allows, and no larger', async () => {
  const kinesis = await withStream(await testKinesis())
  await put(kinesis, Buffer.alloc(1024 * 1024 - 3), { PartitionKey: 'key' })
  await assert.rejects(
    put(kinesis, Buffer.alloc(1024 * 1024 - 2), { PartitionKey: 'key' }),
    wireError(
      'InvalidArgumentException',
      `Record size of 1048577 bytes (data and partition key) exceeds the maximum record size of 1048576 bytes of stream ${STREAM}.`,
    ),
  )
  const facts = kinesis.fold.find(ACCOUNT, 'us-east-1', STREAM)
  assert.ok(facts)
  facts.maxRecordKiB = 10240
  await put(kinesis, Buffer.alloc(10 * 1024 * 1024 - 3), { PartitionKey: 'key' })
  const records = await drain(kinesis, await iterator(kinesis))
  assert.equal(records.length, 2)
})

test('keys count with their UTF-8 bytes', async () => {
  const kinesis = await withStream(await testKinesis())
  await put(kinesis, Buffer.alloc(1024 * 1024 - 768), { PartitionKey: '語'.repeat(256) })
  await assert.rejects(
    put(kinesis, Buffer.alloc(1024 * 1024 - 767), { PartitionKey: '語'.repeat(256) }),
    /1048577 bytes/,
  )
})

test('SequenceNumberForOrdering must be readable and not of the future', async () => {
  const kinesis = await withStream(await testKinesis())
  const bad = {
    'version 0': hexNumber('20000000000000000000000000000000000000000000000'),
    'version 3': hexNumber('20000000000000000000000000000000000000000000003'),
    'version 4': hexNumber('20000000000000000000000000000000000000000000004'),
    'first digit 3': hexNumber('30000000000000000000000000000000000000000000001'),
    'first digit 1': hexNumber('1ffffffffff7fffffffffffffff000000000007fffffff2'),
    'counter too high': hexNumber('20000000000800000000000000000000000000000000002'),
    'creation too late': hexNumber('13bb2cc3d80000000000000000000000'),
    'all f': hexNumber('2ffffffffff7fffffffffffffff000000000007fffffff2'),
    'one second from now': formatSequenceNumber({
      createdSeconds: 1,
      shardNumber: 0,
      counter: 1,
      timeSeconds: Math.floor(START_MS / 1000) + 1,
    }),
  }
  for (const [name, number] of Object.entries(bad)) {
    await assert.rejects(
      put(kinesis, 'a', { SequenceNumberForOrdering: number }),
      wireError(
        'InvalidArgumentException',
        `ExclusiveMinimumSequenceNumber ${number} used in PutRecord on stream ${STREAM} under account ${ACCOUNT} is invalid.`,
      ),
      name,
    )
  }
  assert.deepEqual(await drain(kinesis, await iterator(kinesis)), [])
})

test('SequenceNumberForOrdering may be any number of the past, also of another shard', async () => {
  const kinesis = await withStream(await testKinesis(), 2)
  const good = {
    'all zeros': hexNumber('20000000000000000000000000000000000000000000002'),
    'version 1': hexNumber('20000000000000000000000000000000000000000000001'),
    'a negative shard': hexNumber('20000000000000000000000000000000000000800000002'),
    small: '5',
  }
  for (const number of Object.values(good)) {
    await put(kinesis, 'a', { SequenceNumberForOrdering: number })
  }
  const upper = await put(kinesis, 'a', { ExplicitHashKey: (HASH_KEY_END - 1n).toString() })
  await put(kinesis, 'a', {
    ExplicitHashKey: '0',
    SequenceNumberForOrdering: upper.SequenceNumber,
  })
})

test('the number assigned is greater than SequenceNumberForOrdering', async () => {
  const kinesis = await withStream(await testKinesis())
  let last = (await put(kinesis, 'a')).SequenceNumber
  for (let i = 0; i < 5; i++) {
    const { SequenceNumber } = await put(kinesis, 'a', { SequenceNumberForOrdering: last })
    assert.ok(BigInt(SequenceNumber) > BigInt(last))
    last = SequenceNumber
  }
})

test('a number of the shard that was never given out is refused for ordering', async () => {
  const kinesis = await withStream(await testKinesis())
  const { SequenceNumber } = await put(kinesis, 'a')
  const ahead = (BigInt(SequenceNumber) + (1n << 80n)).toString()
  await assert.rejects(put(kinesis, 'b', { SequenceNumberForOrdering: ahead }), /is invalid\.$/)
})

test('a dry run says so when it would succeed, and what is wrong when it would not', async () => {
  const kinesis = await withStream(await testKinesis({ limits: 'aws' }))
  const accepted = wireError(
    'DryRunOperationException',
    'The request was rejected because the DryRun parameter was specified.',
  )
  await assert.rejects(put(kinesis, 'a', { DryRun: true }), accepted)
  await assert.rejects(
    put(kinesis, 'a', { DryRun: true, StreamName: 'nowhere' }),
    /Stream nowhere under account/,
  )
  await assert.rejects(
    put(kinesis, 'a', { DryRun: true, ExplicitHashKey: HASH_KEY_END.toString() }),
    /Invalid ExplicitHashKey/,
  )
  assert.deepEqual(await drain(kinesis, await iterator(kinesis)), [])
})

const THROTTLED = wireError(
  'ProvisionedThroughputExceededException',
  `Rate exceeded for shard shardId-000000000000 in stream ${STREAM} under account ${ACCOUNT}.`,
)

test('a shard takes 1000 records a second', async () => {
  const kinesis = await withStream(await testKinesis({ limits: 'aws' }))
  for (let i = 0; i < 1000; i++) await put(kinesis, '')
  await assert.rejects(put(kinesis, ''), THROTTLED)
  await kinesis.advance(500)
  for (let i = 0; i < 500; i++) await put(kinesis, '')
  await assert.rejects(put(kinesis, ''), THROTTLED)
})

test('a shard takes 1 MiB a second, keys included, and a large record is paid for afterwards', async () => {
  const kinesis = await withStream(await testKinesis({ limits: 'aws' }))
  for (let i = 0; i < 4; i++) {
    await put(kinesis, Buffer.alloc(256 * 1024 - 3), { PartitionKey: 'key' })
  }
  await assert.rejects(put(kinesis, ''), THROTTLED)
  await kinesis.advance(1000)
  await put(kinesis, Buffer.alloc(1024 * 1024 - 4), { PartitionKey: 'key' })
  await put(kinesis, Buffer.alloc(1024 * 1024 - 3), { PartitionKey: 'key' })
  await kinesis.advance(999)
  await assert.rejects(put(kinesis, ''), THROTTLED)
  await kinesis.advance(2)
  await put(kinesis, '')
})

test('one shard throttled leaves the others open', async () => {
  const kinesis = await withStream(await testKinesis({ limits: 'aws' }), 2)
  const large = Buffer.alloc(1024 * 1024 - 3)
  await put(kinesis, large, { ExplicitHashKey: '0' })
  await assert.rejects(put(kinesis, '', { ExplicitHashKey: '0' }), THROTTLED)
  await put(kinesis, '', { ExplicitHashKey: (HASH_KEY_END - 1n).toString() })
})

test('without limits nothing is throttled', async () => {
  const kinesis = await withStream(await testKinesis({ limits: 'none' }))
  for (let i = 0; i < 3; i++) await put(kinesis, Buffer.alloc(1024 * 1024 - 3))
  for (let i = 0; i < 1100; i++) await put(kinesis, '')
})

test('what is refused or not stored costs no rate', async () => {
  const clock = new ServiceClock({ wall: () => START_MS })
  const engine = new MemoryEngine({ clock, bytesMax: 600 * 1024 })
  const kinesis = await withStream(await testKinesis({ limits: 'aws', engine, clock }))
  const large = Buffer.alloc(700 * 1024)
  for (let i = 0; i < 3; i++) {
    await assert.rejects(
      put(kinesis, large),
      (error) => error instanceof StorageError && error.code === 'disk-full',
    )
    await assert.rejects(put(kinesis, large, { ExplicitHashKey: HASH_KEY_END.toString() }))
    await assert.rejects(put(kinesis, large, { DryRun: true }))
  }
  await put(kinesis, Buffer.alloc(500 * 1024))
})
