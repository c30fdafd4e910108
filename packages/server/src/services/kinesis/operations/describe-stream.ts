// DescribeStream: the whole stream, its shards by pages of at most 100. While it is being created it
// shows no shards (observed).
import { kinesis } from '@millrace/wire/services/kinesis'
import { operation } from '../../../platform/operation.ts'
import { describeShard } from '../describe-shard.ts'
import { BOUNDS } from '../limits.ts'
import type { KinesisParts } from '../parts.ts'
import { shardNumber } from '../shard-filter.ts'
import { creationTimestampMs } from '../stream-status.ts'

export const describeStream = operation(
  kinesis.DescribeStream,
  ({ input, context }, { streams }: KinesisParts) => {
    const { nowMs } = context
    const stream = streams.forControl(input, context)
    const after =
      input.ExclusiveStartShardId === undefined
        ? -1
        : shardNumber(input.ExclusiveStartShardId, stream)
    const shards = nowMs < stream.facts.creatingUntilMs ? [] : stream.shardsAt(nowMs)
    const following = shards.filter((shard) => shard.number > after)
    const limit = Math.min(
      input.Limit ?? BOUNDS.describeStreamShardsMax,
      BOUNDS.describeStreamShardsMax,
    )
    return {
      StreamDescription: {
        StreamName: stream.name,
        StreamARN: stream.arn,
        StreamStatus: stream.status(nowMs),
        StreamModeDetails: { StreamMode: stream.facts.mode },
        Shards: following.slice(0, limit).map(describeShard),
        HasMoreShards: following.length > limit,
        RetentionPeriodHours: stream.facts.retentionHours,
        StreamCreationTimestamp: creationTimestampMs(stream.facts),
        EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
        EncryptionType: 'NONE' as const,
      },
    }
  },
)
