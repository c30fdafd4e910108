import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kinesis as api } from '@millrace/wire/services/kinesis'
import {
  bytes,
  drain,
  get,
  iterator,
  put,
  putMany,
  type ReadPage,
  STREAM,
  splitFirstShard,
  text,
  withStream,
} from '../testing/data.ts'
import { ACCOUNT, START_MS, type TestKinesis, testKinesis, wireError } from '../testing.ts'

const SHARD_0 = 'shardId-000000000000'
const MIB = 1024 * 1024
const HOUR_MS = 3_600_000

const THROTTLED = wireError(
  'ProvisionedThroughputExceededException',
  `Rate exceeded for Shard - ${ACCOUNT}/${STREAM}/${SHARD_0}`,
)
const MISSING = wireError(
  'ResourceNotFoundException',
  `Shard ${SHARD_0} in stream ${STREAM} under account ${ACCOUNT} does not exist`,
)

async function fill(kinesis: TestKinesis, count: number, dataBytes: number): Promise<void> {
  for (let done = 0; done < count; done += 10) {
    const records = Array.from({ length: Math.min(10, count - done) }, () => ({
      PartitionKey: 'key',
      Data: bytes(Buffer.alloc(dataBytes)),
    }))
    assert.equal((await putMany(kinesis, records)).FailedRecordCount, 0)
  }
}

test('an empty shard answers no records, an iterator and no lag', async () => {
  const kinesis = await withStream(await testKinesis())
  const start = await iterator(kinesis)
  const page = await get(kinesis, start)
  assert.deepEqual(Object.keys(page), ['Records', 'NextShardIterator', 'MillisBehindLatest'])
  assert.deepEqual(page.Records, [])
  assert.equal(page.MillisBehindLatest, 0)
  assert.notEqual(page.NextShardIterator, start)
})

test('any text that is no iterator of ours is invalid', async () => {
  const kinesis = await withStream(await testKinesis())
  const invalid = wireError('InvalidArgumentException', 'Invalid ShardIterator.')
  await assert.rejects(get(kinesis, 'abc'), invalid)
  const other = await withStream(await testKinesis({ iteratorKey: Buffer.alloc(32, 9) }))
  await assert.rejects(get(kinesis, await iterator(other)), invalid)
})

test('an iterator expires five minutes after it was given out', async () => {
  const kinesis = await withStream(await testKinesis())
  const start = await iterator(kinesis)
  await kinesis.advance(300_000)
  const page = await get(kinesis, start)
  await kinesis.advance(1)
  await assert.rejects(
    get(kinesis, start),
    wireError(
      'ExpiredIteratorException',
      'Iterator expired. The iterator was created at time Fri Jan 02 03:04:05 UTC 2026 while right now it is Fri Jan 02 03:09:05 UTC 2026 which is further in the future than the tolerated delay of 300000 milliseconds.',
    ),
  )
  await get(kinesis, page.NextShardIterator ?? '')
})

test('iterators outlive a restart', async () => {
  const kinesis = await withStream(await testKinesis())
  await put(kinesis, 'a')
  const start = await iterator(kinesis)
  const again = await kinesis.restarted()
  assert.deepEqual((await drain(again, start)).map(text), ['a'])
})

test('Limit bounds a page, and the next one goes on behind it', async () => {
  const kinesis = await withStream(await testKinesis())
  const records = Array.from({ length: 25 }, (_, i) => ({
    PartitionKey: 'k',
    Data: bytes(String(i)),
  }))
  await putMany(kinesis, records)
  const sizes: number[] = []
  let page = await get(kinesis, await iterator(kinesis), { Limit: 10 })
  const seen: string[] = []
  while (page.Records.length > 0) {
    sizes.push(page.Records.length)
    seen.push(...page.Records.map(text))
    page = await get(kinesis, page.NextShardIterator ?? '', { Limit: 10 })
  }
  assert.deepEqual(sizes, [10, 10, 5])
  assert.deepEqual(
    seen,
    records.map((_, i) => String(i)),
  )
})

test('a page holds at most 10 000 records', async () => {
  const kinesis = await withStream(await testKinesis())
  const records = Array.from({ length: 500 }, () => ({ PartitionKey: 'k', Data: bytes('') }))
  for (let i = 0; i < 21; i++) await putMany(kinesis, records)
  const page = await get(kinesis, await iterator(kinesis))
  assert.equal(page.Records.length, 10_000)
  assert.equal((await get(kinesis, page.NextShardIterator ?? '')).Records.length, 500)
})

test('a page holds at most 10 MiB of data and keys, and goes on with the record that did not fit', async () => {
  const kinesis = await withStream(await testKinesis())
  await fill(kinesis, 21, MIB - 3)
  const sizes: number[] = []
  let page = await get(kinesis, await iterator(kinesis))
  while (page.Records.length > 0) {
    sizes.push(page.Records.length)
    page = await get(kinesis, page.NextShardIterator ?? '')
  }
  assert.deepEqual(sizes, [10, 10, 1])
})

test('a record as large as a page is a page', async () => {
  const kinesis = await withStream(await testKinesis())
  const facts = kinesis.fold.find(ACCOUNT, 'us-east-1', STREAM)
  assert.ok(facts)
  facts.maxRecordKiB = 10240
  await put(kinesis, 'small')
  await put(kinesis, Buffer.alloc(10 * MIB - 3))
  const first = await get(kinesis, await iterator(kinesis))
  assert.equal(first.Records.length, 1)
  const second = await get(kinesis, first.NextShardIterator ?? '')
  assert.equal(Buffer.from(second.Records[0]?.Data ?? '', 'base64').length, 10 * MIB - 3)
  assert.equal(second.MillisBehindLatest, 0)
})

test('MillisBehindLatest is the age of the last record given, and 0 at the tip', async () => {
  const kinesis = await withStream(await testKinesis())
  for (const data of ['a', 'b', 'c']) {
    await put(kinesis, data)
    await kinesis.advance(1000)
  }
  const one = await get(kinesis, await iterator(kinesis), { Limit: 1 })
  assert.equal(one.MillisBehindLatest, 3000)
  const two = await get(kinesis, one.NextShardIterator ?? '', { Limit: 1 })
  assert.equal(two.MillisBehindLatest, 2000)
  const three = await get(kinesis, two.NextShardIterator ?? '', { Limit: 1 })
  assert.equal(three.MillisBehindLatest, 0)
})

test('a page short of the tip is never called up to date, even in the same millisecond', async () => {
  const kinesis = await withStream(await testKinesis())
  await put(kinesis, 'a')
  await put(kinesis, 'b')
  const page = await get(kinesis, await iterator(kinesis), { Limit: 1 })
  assert.equal(page.MillisBehindLatest, 1)
})

test('an iterator behind the last record finds what is put later, once', async () => {
  const kinesis = await withStream(await testKinesis())
  await put(kinesis, 'a')
  let page = await get(kinesis, await iterator(kinesis))
  for (const data of ['b', 'c']) {
    page = await get(kinesis, page.NextShardIterator ?? '')
    assert.deepEqual(page.Records, [])
    await put(kinesis, data)
    page = await get(kinesis, page.NextShardIterator ?? '')
    assert.deepEqual(page.Records.map(text), [data])
  }
})

test('an iterator may be used again and gives the same records', async () => {
  const kinesis = await withStream(await testKinesis())
  await put(kinesis, 'a')
  const start = await iterator(kinesis)
  assert.deepEqual((await get(kinesis, start)).Records, (await get(kinesis, start)).Records)
})

test('records past the retention are not given, to the millisecond', async () => {
  const kinesis = await withStream(await testKinesis())
  await put(kinesis, 'a')
  await kinesis.advance(1)
  await put(kinesis, 'b')
  await kinesis.advance(24 * HOUR_MS - 1)
  assert.deepEqual((await drain(kinesis, await iterator(kinesis))).map(text), ['a', 'b'])
  await kinesis.advance(1)
  assert.deepEqual((await drain(kinesis, await iterator(kinesis))).map(text), ['b'])
  await kinesis.advance(1)
  const page = await get(kinesis, await iterator(kinesis))
  assert.deepEqual(page.Records, [])
  assert.equal(page.MillisBehindLatest, 0)
})

test('a position that has expired goes on at the horizon', async () => {
  const kinesis = await withStream(await testKinesis())
  const { SequenceNumber } = await put(kinesis, 'a')
  await kinesis.advance(24 * HOUR_MS)
  await put(kinesis, 'b')
  await kinesis.advance(1)
  const start = await iterator(kinesis, {
    ShardIteratorType: 'AT_SEQUENCE_NUMBER',
    StartingSequenceNumber: SequenceNumber,
  })
  assert.deepEqual((await drain(kinesis, start)).map(text), ['b'])
})

test('at the end of a closed shard there is no iterator, but its children', async () => {
  const kinesis = await withStream(await testKinesis())
  await put(kinesis, 'a')
  await splitFirstShard(kinesis)
  const page = await get(kinesis, await iterator(kinesis))
  assert.deepEqual(page.Records.map(text), ['a'])
  assert.equal(page.MillisBehindLatest, 0)
  const end = await get(kinesis, page.NextShardIterator ?? '')
  const middle = (1n << 127n) - 1n
  const last = (1n << 128n) - 1n
  assert.deepEqual(end, {
    Records: [],
    MillisBehindLatest: 0,
    ChildShards: [
      {
        ShardId: 'shardId-000000000001',
        ParentShards: [SHARD_0],
        HashKeyRange: { StartingHashKey: '0', EndingHashKey: middle.toString() },
      },
      {
        ShardId: 'shardId-000000000002',
        ParentShards: [SHARD_0],
        HashKeyRange: {
          StartingHashKey: (middle + 1n).toString(),
          EndingHashKey: last.toString(),
        },
      },
    ],
  } satisfies ReadPage)
})

test('numbers of the children are greater than those of the parent', async () => {
  const kinesis = await withStream(await testKinesis())
  const parent = await put(kinesis, 'a')
  await splitFirstShard(kinesis)
  await kinesis.advance(5000)
  for (const ExplicitHashKey of ['0', ((1n << 128n) - 1n).toString()]) {
    const child = await put(kinesis, 'b', { ExplicitHashKey })
    assert.ok(BigInt(child.SequenceNumber) > BigInt(parent.SequenceNumber))
  }
})

test('an iterator of a deleted stream finds nothing, also not in a new stream of the name', async () => {
  const kinesis = await withStream(await testKinesis())
  await put(kinesis, 'old')
  const start = await iterator(kinesis)
  await kinesis.call(api.DeleteStream, { StreamName: STREAM })
  await assert.rejects(get(kinesis, start), MISSING)
  await withStream(kinesis)
  await put(kinesis, 'new')
  await assert.rejects(get(kinesis, start), MISSING)
  assert.deepEqual((await drain(kinesis, await iterator(kinesis))).map(text), ['new'])
})

test('a stream being deleted is read until it is gone', async () => {
  const kinesis = await withStream(await testKinesis({ transitionMs: 500 }))
  await kinesis.advance(500)
  await put(kinesis, 'a')
  const start = await iterator(kinesis)
  await kinesis.call(api.DeleteStream, { StreamName: STREAM })
  assert.equal((await get(kinesis, start)).Records.length, 1)
  await kinesis.advance(500)
  await assert.rejects(get(kinesis, start), MISSING)
})

test('the ARN may be given, if it is that of the stream', async () => {
  const kinesis = await withStream(await testKinesis())
  const start = await iterator(kinesis)
  const arn = `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/`
  await get(kinesis, start, { StreamARN: `${arn}${STREAM}` })
  await assert.rejects(
    get(kinesis, start, { StreamARN: `${arn}other` }),
    (error: Error) => 'type' in error && error.type === 'InvalidArgumentException',
  )
})

test('a dry run reads nothing and costs no rate', async () => {
  const kinesis = await withStream(await testKinesis({ limits: 'aws' }))
  const start = await iterator(kinesis)
  for (let i = 0; i < 6; i++) {
    await assert.rejects(
      get(kinesis, start, { DryRun: true }),
      wireError(
        'DryRunOperationException',
        'The request was rejected because the DryRun parameter was specified.',
      ),
    )
  }
  await assert.rejects(get(kinesis, 'x', { DryRun: true }), /Invalid ShardIterator/)
  await get(kinesis, start)
})

test('a shard is read five times a second', async () => {
  const kinesis = await withStream(await testKinesis({ limits: 'aws' }))
  const start = await iterator(kinesis)
  for (let i = 0; i < 5; i++) {
    await get(kinesis, start)
    // A burst takes its moments; what is earned meanwhile is no whole call.
    await kinesis.advance(3)
  }
  await assert.rejects(get(kinesis, start), THROTTLED)
  await kinesis.advance(185)
  await get(kinesis, start)
  await assert.rejects(get(kinesis, start), THROTTLED)
})

/** Puts with no rate of their own, so that reads can be looked at alone. */
async function filled(count: number, dataBytes: number): Promise<TestKinesis> {
  const unlimited = await withStream(await testKinesis())
  await fill(unlimited, count, dataBytes)
  const { engine, clock } = unlimited
  return testKinesis({ engine, clock, limits: 'aws' })
}

test('2 MiB read pause the shard for a second', async () => {
  const kinesis = await filled(4, MIB - 3)
  const page = await get(kinesis, await iterator(kinesis), { Limit: 2 })
  assert.equal(page.Records.length, 2)
  const next = page.NextShardIterator ?? ''
  await kinesis.advance(999)
  await assert.rejects(get(kinesis, next), THROTTLED)
  await kinesis.advance(1)
  assert.equal((await get(kinesis, next)).Records.length, 2)
})

test('a page of 10 MiB pauses the shard for five seconds', async () => {
  const kinesis = await filled(11, MIB - 3)
  const page = await get(kinesis, await iterator(kinesis))
  assert.equal(page.Records.length, 10)
  const next = page.NextShardIterator ?? ''
  await kinesis.advance(4999)
  await assert.rejects(get(kinesis, next), THROTTLED)
  await kinesis.advance(1)
  assert.equal((await get(kinesis, next)).Records.length, 1)
})

test('without limits a shard is read as fast as it goes', async () => {
  const kinesis = await withStream(await testKinesis())
  await fill(kinesis, 11, MIB - 3)
  const start = await iterator(kinesis)
  for (let i = 0; i < 3; i++) assert.equal((await get(kinesis, start)).Records.length, 10)
})

test('arrival times are those of the clock, in seconds with milliseconds', async () => {
  const kinesis = await withStream(await testKinesis())
  await put(kinesis, 'a')
  await kinesis.advance(322)
  await put(kinesis, 'b')
  const records = await drain(kinesis, await iterator(kinesis))
  assert.deepEqual(
    records.map((record) => record.ApproximateArrivalTimestamp),
    [START_MS / 1000, (START_MS + 322) / 1000],
  )
})
