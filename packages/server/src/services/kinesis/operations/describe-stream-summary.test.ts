import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kinesis } from '@millrace/wire/services/kinesis'
import { ACCOUNT, START_MS, testKinesis } from '../testing.ts'

test('DescribeStreamSummary shows everything but the shards', async () => {
  const { call } = await testKinesis()
  await call(kinesis.CreateStream, { StreamName: 'a', ShardCount: 3 })
  assert.deepEqual(await call(kinesis.DescribeStreamSummary, { StreamName: 'a' }), {
    StreamDescriptionSummary: {
      StreamName: 'a',
      StreamARN: `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/a`,
      StreamStatus: 'ACTIVE',
      StreamModeDetails: { StreamMode: 'PROVISIONED' },
      RetentionPeriodHours: 24,
      StreamCreationTimestamp: Math.floor(START_MS / 1000) * 1000,
      EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
      EncryptionType: 'NONE',
      OpenShardCount: 3,
      ConsumerCount: 0,
      QueueCount: 0,
      ChannelCount: 0,
      MaxRecordSizeInKiB: 1024,
    },
  })
})

test('while CREATING a stream has no open shards', async () => {
  const { advance, call } = await testKinesis({ transitionMs: 500 })
  await call(kinesis.CreateStream, { StreamName: 'a', ShardCount: 3 })
  const open = async (): Promise<number> =>
    (await call(kinesis.DescribeStreamSummary, { StreamName: 'a' })).StreamDescriptionSummary
      .OpenShardCount
  assert.equal(await open(), 0)
  await advance(500)
  assert.equal(await open(), 3)
})
