// DescribeStreamSummary: a stream without its shards. Counts of consumers, queues and channels are 0 as
// long as no operation makes any.
import { kinesis } from '@millrace/wire/services/kinesis'
import { operation } from '../../../platform/operation.ts'
import type { KinesisParts } from '../parts.ts'
import { creationTimestampMs } from '../stream-status.ts'

export const describeStreamSummary = operation(
  kinesis.DescribeStreamSummary,
  ({ input, context }, { streams }: KinesisParts) => {
    const stream = streams.forControl(input, context)
    const { facts } = stream
    return {
      StreamDescriptionSummary: {
        StreamName: stream.name,
        StreamARN: stream.arn,
        StreamStatus: stream.status(context.nowMs),
        StreamModeDetails: { StreamMode: facts.mode },
        RetentionPeriodHours: facts.retentionHours,
        StreamCreationTimestamp: creationTimestampMs(facts),
        EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
        EncryptionType: 'NONE' as const,
        OpenShardCount: context.nowMs < facts.creatingUntilMs ? 0 : stream.openShardCount,
        ConsumerCount: 0,
        QueueCount: 0,
        ChannelCount: 0,
        MaxRecordSizeInKiB: facts.maxRecordKiB,
        ...(facts.mode === 'ON_DEMAND'
          ? { RecordDistributionStrategy: facts.distribution ?? 'USER_PARTITION_KEY' }
          : {}),
      },
    }
  },
)
