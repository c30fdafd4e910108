// How many streams and shards an account may have in a region. Counted from the facts of all streams
// and of those just being made; `--limits none` never asks.
import { COUNT_MAX, QUOTAS, shardQuota } from './limits.ts'
import { limitExceeded } from './stream-errors.ts'
import type { StreamFacts, StreamMode } from './stream-facts.ts'
import { isGone, streamStatus } from './stream-status.ts'

export interface Usage {
  readonly openShardCount: number
  /** Open shards of provisioned streams: only these count against the quota. */
  readonly provisionedShardCount: number
  readonly onDemandStreamCount: number
  readonly creatingStreamCount: number
}

export interface Quota {
  readonly shardCountMax: number
  readonly onDemandStreamsMax: number
}

export function quotaOf(region: string, limits: 'aws' | 'none'): Quota {
  return limits === 'none'
    ? { shardCountMax: COUNT_MAX, onDemandStreamsMax: COUNT_MAX }
    : { shardCountMax: shardQuota(region), onDemandStreamsMax: QUOTAS.onDemandStreamsMax }
}

export function usageOf(
  streams: Iterable<StreamFacts>,
  account: string,
  region: string,
  nowMs: number,
): Usage {
  let openShardCount = 0
  let provisionedShardCount = 0
  let onDemandStreamCount = 0
  let creatingStreamCount = 0
  for (const facts of streams) {
    if (facts.account !== account || facts.region !== region) continue
    if (isGone(facts, nowMs)) continue
    const open = facts.shards.filter((shard) => shard.closed === undefined).length
    openShardCount += open
    if (facts.mode === 'ON_DEMAND') onDemandStreamCount++
    else provisionedShardCount += open
    if (streamStatus(facts, nowMs) === 'CREATING') creatingStreamCount++
  }
  return { openShardCount, provisionedShardCount, onDemandStreamCount, creatingStreamCount }
}

/** Throws LimitExceededException when one more stream would be too much. */
export function checkQuota(
  usage: Usage,
  more: { readonly mode: StreamMode; readonly shardCount: number },
  account: string,
  region: string,
): void {
  const quota = quotaOf(region, 'aws')
  if (usage.creatingStreamCount >= QUOTAS.creatingStreamsMax) {
    throw limitExceeded(
      `The account ${account} already has ${usage.creatingStreamCount} streams in the CREATING state ` +
        `in ${region}. Limit: ${QUOTAS.creatingStreamsMax}.`,
    )
  }
  if (more.mode === 'ON_DEMAND') {
    if (usage.onDemandStreamCount < quota.onDemandStreamsMax) return
    throw limitExceeded(
      `This request would exceed the on-demand stream limit for the account ${account} in ${region}. ` +
        `Current on-demand stream count for the account: ${usage.onDemandStreamCount}. ` +
        `Limit: ${quota.onDemandStreamsMax}.`,
    )
  }
  const { provisionedShardCount } = usage
  if (provisionedShardCount + more.shardCount <= quota.shardCountMax) return
  throw limitExceeded(
    `This request would exceed the shard limit for the account ${account} in ${region}. ` +
      `Current shard count for the account: ${provisionedShardCount}. Limit: ${quota.shardCountMax}. ` +
      'Number of additional shards that would have resulted from this request: ' +
      `${more.shardCount}. Refer to the AWS Service Limits page ` +
      '(http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) ' +
      'for current limits and how to request higher limits.',
  )
}
