import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kinesis, type Shard } from '@millrace/wire/services/kinesis'
import fc from 'fast-check'
import { ACCOUNT, START_MS, testKinesis, wireError } from '../testing.ts'

test('DescribeStream shows the whole stream, by name, by ARN or by both', async () => {
  const { call } = await testKinesis()
  await call(kinesis.CreateStream, { StreamName: 'a', ShardCount: 1 })
  const StreamARN = `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/a`
  const byName = await call(kinesis.DescribeStream, { StreamName: 'a' })
  assert.deepEqual(byName, {
    StreamDescription: {
      StreamName: 'a',
      StreamARN,
      StreamStatus: 'ACTIVE',
      StreamModeDetails: { StreamMode: 'PROVISIONED' },
      Shards: [
        {
          ShardId: 'shardId-000000000000',
          HashKeyRange: {
            StartingHashKey: '0',
            EndingHashKey: '340282366920938463463374607431768211455',
          },
          SequenceNumberRange: {
            StartingSequenceNumber:
              byName.StreamDescription.Shards[0]?.SequenceNumberRange.StartingSequenceNumber,
          },
        },
      ],
      HasMoreShards: false,
      RetentionPeriodHours: 24,
      StreamCreationTimestamp: Math.floor(START_MS / 1000) * 1000,
      EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
      EncryptionType: 'NONE',
    },
  })
  assert.deepEqual(await call(kinesis.DescribeStream, { StreamARN }), byName)
  assert.deepEqual(await call(kinesis.DescribeStream, { StreamARN, StreamName: 'a' }), byName)
  const StreamId = 'abcdefghij0123456789-abc'
  assert.deepEqual(await call(kinesis.DescribeStream, { StreamName: 'a', StreamId }), byName)
})

test('a stream has to be named, by a name and an ARN that agree', async () => {
  const { call } = await testKinesis()
  await call(kinesis.CreateStream, { StreamName: 'a', ShardCount: 1 })
  const StreamARN = `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/a`
  await assert.rejects(
    call(kinesis.DescribeStream, {}),
    wireError(
      'InvalidArgumentException',
      'Missing required parameter: either StreamARN or StreamName',
    ),
  )
  await assert.rejects(
    call(kinesis.DescribeStream, { StreamName: 'b', StreamARN }),
    wireError(
      'InvalidArgumentException',
      `StreamName b and StreamARN ${StreamARN} name different streams`,
    ),
  )
  await assert.rejects(
    call(kinesis.DescribeStream, { StreamARN: `${StreamARN}/consumer/c:1` }),
    wireError('InvalidArgumentException', `Invalid StreamARN: ${StreamARN}/consumer/c:1`),
  )
  await assert.rejects(
    call(kinesis.DescribeStream, { StreamName: 'toString' }),
    wireError('ResourceNotFoundException', `Stream toString under account ${ACCOUNT} not found.`),
  )
})

test('while CREATING a stream shows no shards', async () => {
  const { advance, call } = await testKinesis({ transitionMs: 500 })
  await call(kinesis.CreateStream, { StreamName: 'a', ShardCount: 3 })
  const before = await call(kinesis.DescribeStream, { StreamName: 'a' })
  assert.equal(before.StreamDescription.StreamStatus, 'CREATING')
  assert.deepEqual(before.StreamDescription.Shards, [])
  assert.equal(before.StreamDescription.HasMoreShards, false)
  await advance(500)
  const after = await call(kinesis.DescribeStream, { StreamName: 'a' })
  assert.equal(after.StreamDescription.StreamStatus, 'ACTIVE')
  assert.equal(after.StreamDescription.Shards.length, 3)
})

test('a page has at most 100 shards, whatever the limit', async () => {
  const { call } = await testKinesis()
  await call(kinesis.CreateStream, { StreamName: 'a', ShardCount: 101 })
  for (const input of [{}, { Limit: 10_000 }]) {
    const { StreamDescription } = await call(kinesis.DescribeStream, { StreamName: 'a', ...input })
    assert.equal(StreamDescription.Shards.length, 100)
    assert.equal(StreamDescription.HasMoreShards, true)
  }
})

test('pages of shards make up the stream, each shard once and in order', async () => {
  const { call } = await testKinesis()
  const counts = [1, 7, 100, 101, 230]
  for (const ShardCount of counts) {
    await call(kinesis.CreateStream, { StreamName: `s${ShardCount}`, ShardCount })
  }
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...counts),
      fc.integer({ min: 1, max: 150 }),
      async (shardCount, Limit) => {
        const shards: Shard[] = []
        for (let hasMore = true; hasMore; ) {
          const last = shards.at(-1)
          const { StreamDescription: page } = await call(kinesis.DescribeStream, {
            StreamName: `s${shardCount}`,
            Limit,
            ...(last === undefined ? {} : { ExclusiveStartShardId: last.ShardId }),
          })
          assert.ok(page.Shards.length > 0 && page.Shards.length <= Math.min(Limit, 100))
          shards.push(...page.Shards)
          hasMore = page.HasMoreShards
        }
        assert.deepEqual(
          shards.map((shard) => Number(shard.ShardId.slice(8))),
          Array.from({ length: shardCount }, (_, number) => number),
        )
      },
    ),
    { numRuns: 30 },
  )
})

test('a page begins after a shard that need not exist, read as leniently as AWS does', async () => {
  const { call } = await testKinesis()
  await call(kinesis.CreateStream, { StreamName: 'a', ShardCount: 3 })
  const after = async (ExclusiveStartShardId: string): Promise<string[]> => {
    const input = { StreamName: 'a', ExclusiveStartShardId }
    const { StreamDescription } = await call(kinesis.DescribeStream, input)
    return StreamDescription.Shards.map((shard) => shard.ShardId)
  }
  assert.deepEqual(await after('shardId-000000000001'), ['shardId-000000000002'])
  assert.deepEqual(await after('a-1'), ['shardId-000000000002'])
  assert.deepEqual(await after('shardId-000000000099'), [])
  await assert.rejects(
    after('nonsense'),
    wireError(
      'ResourceNotFoundException',
      `Could not find shard nonsense in stream a under account ${ACCOUNT}.`,
    ),
  )
})
