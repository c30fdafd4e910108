import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kinesis, type ListShardsInput, type ShardFilter } from '@millrace/wire/services/kinesis'
import fc from 'fast-check'
import { evenShards } from '../new-stream.ts'
import { ACCOUNT, START_MS, type TestKinesis, testKinesis, wireError } from '../testing.ts'

const HOUR_MS = 3_600_000
const RING_END = '340282366920938463463374607431768211455'
const HALF = '170141183460469231731687303715884105728'
const HALF_END = '170141183460469231731687303715884105727'

/**
 * A stream of 3 hours with a split 2 hours ago (0 → 1, 2) and a merge 1 hour ago (1, 2 → 3).
 * Shards that begin a history are created two seconds before it, children a second after their parents.
 */
async function resharded(): Promise<TestKinesis & { splitMs: number; mergeMs: number }> {
  const kit = await testKinesis()
  const createdMs = START_MS - 3 * HOUR_MS
  const splitMs = START_MS - 2 * HOUR_MS
  const mergeMs = START_MS - HOUR_MS
  const seconds = (ms: number): number => Math.floor(ms / 1000) + 1
  await kit.addStream({
    name: 'a',
    createdMs,
    shards: [
      {
        number: 0,
        startingHashKey: '0',
        endingHashKey: RING_END,
        createdSeconds: Math.floor(createdMs / 1000) - 2,
        baseOffset: 0,
        closed: { atMs: splitMs, endOffset: 10 },
      },
      {
        number: 1,
        startingHashKey: '0',
        endingHashKey: HALF_END,
        createdSeconds: seconds(splitMs),
        baseOffset: 0,
        parent: 0,
        closed: { atMs: mergeMs, endOffset: 20 },
      },
      {
        number: 2,
        startingHashKey: HALF,
        endingHashKey: RING_END,
        createdSeconds: seconds(splitMs),
        baseOffset: 0,
        parent: 0,
        closed: { atMs: mergeMs, endOffset: 30 },
      },
      {
        number: 3,
        startingHashKey: '0',
        endingHashKey: RING_END,
        createdSeconds: seconds(mergeMs),
        baseOffset: 0,
        parent: 1,
        adjacentParent: 2,
      },
    ],
  })
  return { ...kit, splitMs, mergeMs }
}

async function numbers(kit: TestKinesis, input: ListShardsInput): Promise<number[]> {
  const { Shards = [] } = await kit.call(kinesis.ListShards, input)
  return Shards.map((shard) => Number(shard.ShardId.slice(8)))
}

test('ListShards shows ranges, parents and where closed shards end', async () => {
  const kit = await resharded()
  const { Shards = [], NextToken } = await kit.call(kinesis.ListShards, { StreamName: 'a' })
  assert.equal(NextToken, undefined)
  assert.deepEqual(
    Shards.map(({ SequenceNumberRange: _, ...shard }) => shard),
    [
      {
        ShardId: 'shardId-000000000000',
        HashKeyRange: { StartingHashKey: '0', EndingHashKey: RING_END },
      },
      {
        ShardId: 'shardId-000000000001',
        ParentShardId: 'shardId-000000000000',
        HashKeyRange: { StartingHashKey: '0', EndingHashKey: HALF_END },
      },
      {
        ShardId: 'shardId-000000000002',
        ParentShardId: 'shardId-000000000000',
        HashKeyRange: { StartingHashKey: HALF, EndingHashKey: RING_END },
      },
      {
        ShardId: 'shardId-000000000003',
        ParentShardId: 'shardId-000000000001',
        AdjacentParentShardId: 'shardId-000000000002',
        HashKeyRange: { StartingHashKey: '0', EndingHashKey: RING_END },
      },
    ],
  )
  const [closed, , , open] = Shards.map((shard) => shard.SequenceNumberRange)
  assert.equal(open?.EndingSequenceNumber, undefined)
  const ending = BigInt(closed?.EndingSequenceNumber ?? 0).toString(16)
  assert.equal(ending.slice(11, 27), '7fffffffffffffff')
  assert.equal(Number.parseInt(ending.slice(29, 38), 16), Math.floor(kit.splitMs / 1000))
  assert.ok(BigInt(closed?.EndingSequenceNumber ?? 0) > BigInt(closed?.StartingSequenceNumber ?? 0))
})

test('every filter lets through what the documents say', async () => {
  const kit = await resharded()
  const { splitMs, mergeMs } = kit
  const cases: [ShardFilter, number[]][] = [
    [{ Type: 'AFTER_SHARD_ID', ShardId: 'shardId-000000000001' }, [2, 3]],
    [{ Type: 'AFTER_SHARD_ID', ShardId: '3' }, []],
    [{ Type: 'AT_TRIM_HORIZON' }, [0]],
    [{ Type: 'FROM_TRIM_HORIZON' }, [0, 1, 2, 3]],
    [{ Type: 'AT_LATEST' }, [3]],
    [{ Type: 'AT_TIMESTAMP', Timestamp: 0 }, [0]],
    [{ Type: 'AT_TIMESTAMP', Timestamp: splitMs }, [0]],
    [{ Type: 'AT_TIMESTAMP', Timestamp: splitMs + 1 }, [1, 2]],
    [{ Type: 'AT_TIMESTAMP', Timestamp: mergeMs }, [1, 2]],
    [{ Type: 'AT_TIMESTAMP', Timestamp: mergeMs + 1 }, [3]],
    [{ Type: 'AT_TIMESTAMP', Timestamp: START_MS }, [3]],
    [{ Type: 'FROM_TIMESTAMP', Timestamp: 0 }, [0, 1, 2, 3]],
    [{ Type: 'FROM_TIMESTAMP', Timestamp: splitMs }, [0, 1, 2, 3]],
    [{ Type: 'FROM_TIMESTAMP', Timestamp: splitMs + 1 }, [1, 2, 3]],
    [{ Type: 'FROM_TIMESTAMP', Timestamp: mergeMs + 1 }, [3]],
  ]
  for (const [ShardFilter, expected] of cases) {
    const found = await numbers(kit, { StreamName: 'a', ShardFilter })
    assert.deepEqual(found, expected, JSON.stringify(ShardFilter))
  }
})

test('at every moment the open shards cover each hash key once', async () => {
  const kit = await resharded()
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: -4 * HOUR_MS, max: 0 }), async (fromNowMs) => {
      const ShardFilter = { Type: 'AT_TIMESTAMP', Timestamp: START_MS + fromNowMs } as const
      const { Shards = [] } = await kit.call(kinesis.ListShards, { StreamName: 'a', ShardFilter })
      const ranges = Shards.map(({ HashKeyRange: range }) => [
        BigInt(range.StartingHashKey),
        BigInt(range.EndingHashKey),
      ]).sort(([a = 0n], [b = 0n]) => (a < b ? -1 : 1))
      let next = 0n
      for (const [start, end = 0n] of ranges) {
        assert.equal(start, next)
        next = end + 1n
      }
      assert.equal(next, 1n << 128n)
    }),
  )
})

test('expired shards are not listed, and the trim horizon moves on to their children', async () => {
  const kit = await resharded()
  const { splitMs, mergeMs } = kit
  const list = (Type: ShardFilter['Type']): Promise<number[]> =>
    numbers(kit, { StreamName: 'a', ShardFilter: { Type } })
  await kit.advance(splitMs + 24 * HOUR_MS - START_MS)
  assert.deepEqual(await list('FROM_TRIM_HORIZON'), [0, 1, 2, 3])
  assert.deepEqual(await list('AT_TRIM_HORIZON'), [0])
  await kit.advance(1)
  assert.deepEqual(await list('FROM_TRIM_HORIZON'), [1, 2, 3])
  assert.deepEqual(await list('AT_TRIM_HORIZON'), [1, 2])
  await kit.retention.run()
  assert.deepEqual(await list('AT_TRIM_HORIZON'), [1, 2])
  assert.deepEqual(
    kit.fold.find(ACCOUNT, 'us-east-1', 'a')?.shards.map((shard) => shard.number),
    [1, 2, 3],
  )
  await kit.advance(mergeMs - splitMs)
  assert.deepEqual(await list('FROM_TRIM_HORIZON'), [3])
  assert.deepEqual(await list('AT_TRIM_HORIZON'), [3])
})

test('the members of a filter have to fit its type', async () => {
  const kit = await resharded()
  const refused = (ShardFilter: ShardFilter, message: string): Promise<void> =>
    assert.rejects(
      kit.call(kinesis.ListShards, { StreamName: 'a', ShardFilter }),
      wireError('InvalidArgumentException', message),
    )
  await refused(
    { Type: 'AFTER_SHARD_ID' },
    'ShardId must be specified for filter type AFTER_SHARD_ID.',
  )
  await refused(
    { Type: 'AT_TIMESTAMP' },
    'Timestamp must be specified for filter type AT_TIMESTAMP.',
  )
  await refused(
    { Type: 'FROM_TIMESTAMP' },
    'Timestamp must be specified for filter type FROM_TIMESTAMP.',
  )
  await refused(
    { Type: 'AT_LATEST', ShardId: 'shardId-000000000000' },
    'ShardId can only be specified for filter type AFTER_SHARD_ID.',
  )
  await refused(
    { Type: 'AT_LATEST', Timestamp: START_MS },
    'Timestamp can only be specified for filter types AT_TIMESTAMP and FROM_TIMESTAMP.',
  )
})

test('a stream or a token has to be given, not both', async () => {
  const kit = await resharded()
  await kit.addStream({ name: 'b', shards: evenShards(2, 1) })
  const { NextToken = '' } = await kit.call(kinesis.ListShards, { StreamName: 'a', MaxResults: 1 })
  const refused = (input: ListShardsInput, message: string): Promise<void> =>
    assert.rejects(
      kit.call(kinesis.ListShards, input),
      wireError('InvalidArgumentException', message),
    )
  await refused({}, 'Either NextToken or StreamName should be provided.')
  await refused(
    { StreamName: 'a', NextToken },
    'NextToken and StreamName cannot be provided together.',
  )
  await refused(
    { NextToken, StreamCreationTimestamp: START_MS },
    'NextToken and StreamCreationTimestamp cannot be provided together.',
  )
  await refused(
    { NextToken, ExclusiveStartShardId: 'shardId-000000000000' },
    'NextToken and ExclusiveStartShardId cannot be provided together.',
  )
  await refused({ NextToken: 'forged' }, 'Invalid NextToken.')
  await refused({ NextToken: `${NextToken.slice(0, -8)}AAAAAAA=` }, 'Invalid NextToken.')
  const StreamARN = `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/`
  await refused({ NextToken, StreamARN: `${StreamARN}b` }, 'Invalid NextToken.')
  assert.deepEqual(await numbers(kit, { NextToken, StreamARN: `${StreamARN}a` }), [1, 2, 3])
})

test('a token is good for 300 seconds', async () => {
  const kit = await resharded()
  const { NextToken = '' } = await kit.call(kinesis.ListShards, { StreamName: 'a', MaxResults: 1 })
  await kit.advance(300_000)
  assert.deepEqual(await numbers(kit, { NextToken }), [1, 2, 3])
  await kit.advance(1)
  await assert.rejects(
    kit.call(kinesis.ListShards, { NextToken }),
    wireError('ExpiredNextTokenException', 'NextToken has expired.'),
  )
})

test('a token of a deleted stream finds nothing, also when the name is used again', async () => {
  const kit = await testKinesis()
  await kit.call(kinesis.CreateStream, { StreamName: 'a', ShardCount: 3 })
  const { NextToken = '' } = await kit.call(kinesis.ListShards, { StreamName: 'a', MaxResults: 1 })
  await kit.call(kinesis.DeleteStream, { StreamName: 'a' })
  await kit.call(kinesis.CreateStream, { StreamName: 'a', ShardCount: 3 })
  await assert.rejects(
    kit.call(kinesis.ListShards, { NextToken }),
    wireError('ResourceNotFoundException', `Stream a under account ${ACCOUNT} not found.`),
  )
})

test('StreamCreationTimestamp tells streams of one name apart', async () => {
  const kit = await testKinesis()
  const describe = async (): Promise<number> =>
    (await kit.call(kinesis.DescribeStream, { StreamName: 'a' })).StreamDescription
      .StreamCreationTimestamp
  await kit.call(kinesis.CreateStream, { StreamName: 'a', ShardCount: 1 })
  const earlier = await describe()
  await kit.call(kinesis.DeleteStream, { StreamName: 'a' })
  await kit.call(kinesis.CreateStream, { StreamName: 'a', ShardCount: 1 })
  const StreamCreationTimestamp = await describe()
  assert.deepEqual(await numbers(kit, { StreamName: 'a', StreamCreationTimestamp }), [0])
  await assert.rejects(
    kit.call(kinesis.ListShards, { StreamName: 'a', StreamCreationTimestamp: earlier }),
    wireError('ResourceNotFoundException', `Stream a under account ${ACCOUNT} not found.`),
  )
})

test('a stream that is being made or deleted is in use', async () => {
  const kit = await testKinesis({ transitionMs: 500 })
  await kit.call(kinesis.CreateStream, { StreamName: 'a', ShardCount: 1 })
  const inUse = (status: string): Promise<void> =>
    assert.rejects(
      kit.call(kinesis.ListShards, { StreamName: 'a' }),
      wireError(
        'ResourceInUseException',
        `Stream a under account ${ACCOUNT} not ACTIVE, instead in state ${status}`,
      ),
    )
  await inUse('CREATING')
  await kit.advance(500)
  assert.deepEqual(await numbers(kit, { StreamName: 'a' }), [0])
  await kit.call(kinesis.DeleteStream, { StreamName: 'a' })
  await inUse('DELETING')
})

test('pages of shards make up the listing, with any filter and page size', async () => {
  const kit = await testKinesis()
  await kit.addStream({
    name: 'large',
    shards: evenShards(2100, 1).map((shard) =>
      shard.number % 3 === 0 ? { ...shard, closed: { atMs: START_MS, endOffset: 0 } } : shard,
    ),
  })
  const filters: (ShardFilter | undefined)[] = [
    undefined,
    { Type: 'AT_LATEST' },
    { Type: 'AFTER_SHARD_ID', ShardId: 'shardId-000000001000' },
  ]
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...filters),
      fc.integer({ min: 70, max: 3000 }),
      fc.option(fc.nat(2200), { nil: undefined }),
      async (filter, MaxResults, after) => {
        const input = {
          StreamName: 'large',
          ...(filter === undefined ? {} : { ShardFilter: filter }),
          ...(after === undefined ? {} : { ExclusiveStartShardId: `shardId-${after}` }),
        }
        const seen: number[] = []
        let page = await kit.call(kinesis.ListShards, { ...input, MaxResults })
        for (;;) {
          const { NextToken, Shards = [] } = page
          assert.ok(Shards.length <= Math.min(MaxResults, 1000))
          seen.push(...Shards.map((shard) => Number(shard.ShardId.slice(8))))
          if (NextToken === undefined) break
          page = await kit.call(kinesis.ListShards, { NextToken, MaxResults })
        }
        const expected = Array.from({ length: 2100 }, (_, number) => number).filter(
          (number) =>
            number > (after ?? -1) &&
            (filter?.Type !== 'AT_LATEST' || number % 3 !== 0) &&
            (filter?.Type !== 'AFTER_SHARD_ID' || number > 1000),
        )
        assert.deepEqual(seen, expected)
      },
    ),
    { numRuns: 25 },
  )
})
