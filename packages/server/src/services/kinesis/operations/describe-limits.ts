// DescribeLimits: what an account may have in a region, and what it has.
import { kinesis } from '@millrace/wire/services/kinesis'
import { operation } from '../../../platform/operation.ts'
import type { KinesisParts } from '../parts.ts'
import { quotaOf } from '../stream-quotas.ts'

export const describeLimits = operation(
  kinesis.DescribeLimits,
  ({ context }, { settings, streams }: KinesisParts) => {
    const quota = quotaOf(context.region, settings.limits)
    const usage = streams.usage(context)
    return {
      ShardLimit: quota.shardCountMax,
      OpenShardCount: usage.openShardCount,
      OnDemandStreamCount: usage.onDemandStreamCount,
      OnDemandStreamCountLimit: quota.onDemandStreamsMax,
    }
  },
)
