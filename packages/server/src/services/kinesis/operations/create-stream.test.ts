import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kinesis } from '@millrace/wire/services/kinesis'
import { ACCOUNT, START_MS, testKinesis, wireError } from '../testing.ts'

test('CreateStream answers nothing and the next call sees an ACTIVE stream', async () => {
  const { call } = await testKinesis()
  assert.equal(await call(kinesis.CreateStream, { StreamName: 'a', ShardCount: 2 }), undefined)
  const { StreamDescription } = await call(kinesis.DescribeStream, { StreamName: 'a' })
  assert.equal(StreamDescription.StreamStatus, 'ACTIVE')
  assert.deepEqual(StreamDescription.StreamModeDetails, { StreamMode: 'PROVISIONED' })
  assert.equal(StreamDescription.Shards.length, 2)
})

test('three shards cut the hash keys and number their first records as AWS does', async () => {
  const { call } = await testKinesis()
  await call(kinesis.CreateStream, { StreamName: 'a', ShardCount: 3 })
  const { StreamDescription } = await call(kinesis.DescribeStream, { StreamName: 'a' })
  assert.deepEqual(
    StreamDescription.Shards.map((shard) => [shard.ShardId, shard.HashKeyRange]),
    [
      [
        'shardId-000000000000',
        { StartingHashKey: '0', EndingHashKey: '113427455640312821154458202477256070484' },
      ],
      [
        'shardId-000000000001',
        {
          StartingHashKey: '113427455640312821154458202477256070485',
          EndingHashKey: '226854911280625642308916404954512140969',
        },
      ],
      [
        'shardId-000000000002',
        {
          StartingHashKey: '226854911280625642308916404954512140970',
          EndingHashKey: '340282366920938463463374607431768211455',
        },
      ],
    ],
  )
  const starts = StreamDescription.Shards.map((shard) =>
    BigInt(shard.SequenceNumberRange.StartingSequenceNumber),
  )
  const [first = 0n, second = 0n, third = 0n] = starts
  // What neighbours of one stream differ by on AWS.
  assert.equal(second - first, 22300745198530623141535718272648361505980432n)
  assert.equal(third - second, 22300745198530623141535718272648361505980432n)
  const createdSeconds = Number.parseInt(first.toString(16).slice(1, 10), 16)
  assert.equal(createdSeconds, Math.floor(START_MS / 1000) - 2)
})

test('without a shard count a stream is on demand with 4 shards', async () => {
  const { call } = await testKinesis()
  await call(kinesis.CreateStream, { StreamName: 'a' })
  await call(kinesis.CreateStream, {
    StreamName: 'b',
    StreamModeDetails: { StreamMode: 'ON_DEMAND' },
    RecordDistributionStrategy: 'AUTO',
  })
  for (const [StreamName, strategy] of [
    ['a', 'USER_PARTITION_KEY'],
    ['b', 'AUTO'],
  ] as const) {
    const { StreamDescriptionSummary: summary } = await call(kinesis.DescribeStreamSummary, {
      StreamName,
    })
    assert.equal(summary.OpenShardCount, 4)
    assert.deepEqual(summary.StreamModeDetails, { StreamMode: 'ON_DEMAND' })
    assert.equal(summary.RecordDistributionStrategy, strategy)
  }
})

test('settings that do not go together are refused, and nothing is made', async () => {
  const { call, engine } = await testKinesis()
  const groupIds = engine.groupIds()
  const refused = async (
    input: object,
    type: 'ValidationException' | 'InvalidArgumentException',
    message: string,
  ): Promise<void> => {
    await assert.rejects(
      call(kinesis.CreateStream, { StreamName: 'a', ...input }),
      wireError(type, message),
    )
  }
  await refused(
    { ShardCount: 1, StreamModeDetails: { StreamMode: 'ON_DEMAND' } },
    'ValidationException',
    'ShardCount is not expected when StreamMode=ON_DEMAND',
  )
  await refused(
    { StreamModeDetails: { StreamMode: 'PROVISIONED' } },
    'ValidationException',
    'ShardCount is required when StreamMode=PROVISIONED',
  )
  await refused(
    { ShardCount: 100_001 },
    'ValidationException',
    "1 validation error detected: Value '100001' at 'shardCount' failed to satisfy constraint: " +
      'Member must have value less than or equal to 100000',
  )
  await refused(
    { ShardCount: 1, RecordDistributionStrategy: 'AUTO' },
    'InvalidArgumentException',
    'RecordDistributionStrategy is only supported for ON_DEMAND streams.',
  )
  await refused(
    { WarmThroughputMiBps: 100 },
    'ValidationException',
    'WarmThroughputMiBps requires MinimumThroughputBillingCommitment to be enabled for the account.',
  )
  await refused(
    { ShardCount: 1, Tags: { a: 'b;c' } },
    'InvalidArgumentException',
    'Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, ' +
      '_ . / = + - % @.',
  )
  assert.deepEqual(engine.groupIds(), groupIds)
})

test('tags and the record size given at creation are kept', async () => {
  const { call } = await testKinesis()
  await call(kinesis.CreateStream, {
    StreamName: 'a',
    ShardCount: 1,
    Tags: { team: 'blue' },
    MaxRecordSizeInKiB: 4096,
  })
  const tags = await call(kinesis.ListTagsForStream, { StreamName: 'a' })
  assert.deepEqual(tags, { Tags: [{ Key: 'team', Value: 'blue' }], HasMoreTags: false })
  const summary = await call(kinesis.DescribeStreamSummary, { StreamName: 'a' })
  assert.equal(summary.StreamDescriptionSummary.MaxRecordSizeInKiB, 4096)
})

test('a name is taken once per account and region', async () => {
  const { call } = await testKinesis()
  const input = { StreamName: 'a', ShardCount: 1 }
  await call(kinesis.CreateStream, input)
  await assert.rejects(
    call(kinesis.CreateStream, input),
    wireError('ResourceInUseException', `Stream a under account ${ACCOUNT} already exists.`),
  )
  await call(kinesis.CreateStream, input, { region: 'eu-west-1' })
  await call(kinesis.CreateStream, input, { account: '000000000001' })
  const other = await call(kinesis.DescribeStream, { StreamName: 'a' }, { account: '000000000001' })
  assert.equal(other.StreamDescription.StreamARN, 'arn:aws:kinesis:us-east-1:000000000001:stream/a')
})

test('of calls at the same time for one name exactly one makes the stream', async () => {
  const { call, engine } = await testKinesis()
  const before = engine.groupIds().length
  const results = await Promise.allSettled(
    Array.from({ length: 8 }, () => call(kinesis.CreateStream, { StreamName: 'a', ShardCount: 1 })),
  )
  assert.equal(results.filter((result) => result.status === 'fulfilled').length, 1)
  assert.equal(engine.groupIds().length, before + 1)
})

test('the shard limit is told with its numbers', async () => {
  const { call } = await testKinesis({ limits: 'aws' })
  const region = 'ap-south-1'
  await call(kinesis.CreateStream, { StreamName: 'a', ShardCount: 900 }, { region })
  await call(kinesis.CreateStream, { StreamName: 'on-demand' }, { region })
  await assert.rejects(
    call(kinesis.CreateStream, { StreamName: 'b', ShardCount: 101 }, { region }),
    wireError(
      'LimitExceededException',
      `This request would exceed the shard limit for the account ${ACCOUNT} in ap-south-1. Current ` +
        'shard count for the account: 900. Limit: 1000. Number of additional shards that would have ' +
        'resulted from this request: 101. Refer to the AWS Service Limits page ' +
        '(http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current limits ' +
        'and how to request higher limits.',
    ),
  )
  await call(kinesis.CreateStream, { StreamName: 'b', ShardCount: 100 }, { region })
})

test('at most 50 streams are on demand', async () => {
  const { advance, call } = await testKinesis({ limits: 'aws' })
  for (let i = 0; i < 50; i++) {
    await call(kinesis.CreateStream, { StreamName: `s${i}` })
    await advance(200)
  }
  await assert.rejects(
    call(kinesis.CreateStream, { StreamName: 's50' }),
    wireError(
      'LimitExceededException',
      `This request would exceed the on-demand stream limit for the account ${ACCOUNT} in us-east-1. ` +
        'Current on-demand stream count for the account: 50. Limit: 50.',
    ),
  )
})

test('at most five streams are CREATING', async () => {
  const { advance, call } = await testKinesis({ limits: 'aws', transitionMs: 10_000 })
  for (let i = 0; i < 5; i++) await call(kinesis.CreateStream, { StreamName: `s${i}` })
  await advance(1000)
  await assert.rejects(
    call(kinesis.CreateStream, { StreamName: 's5' }),
    wireError(
      'LimitExceededException',
      `The account ${ACCOUNT} already has 5 streams in the CREATING state in us-east-1. Limit: 5.`,
    ),
  )
  await advance(9000)
  await call(kinesis.CreateStream, { StreamName: 's5' })
})

test('without limits no quota is asked', async () => {
  const { call } = await testKinesis({ transitionMs: 10_000 })
  const region = 'ap-south-1'
  await call(kinesis.CreateStream, { StreamName: 'large', ShardCount: 1001 }, { region })
  for (let i = 0; i < 60; i++) {
    await call(kinesis.CreateStream, { StreamName: `s${i}` }, { region })
  }
  const limits = await call(kinesis.DescribeLimits, {}, { region })
  assert.deepEqual(limits, {
    ShardLimit: 1_000_000,
    OpenShardCount: 1001 + 60 * 4,
    OnDemandStreamCount: 60,
    OnDemandStreamCountLimit: 1_000_000,
  })
})
