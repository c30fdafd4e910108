// How a stream begins: what CreateStream asks for, and the facts that come out of it. The hash key
// space is cut evenly, as AWS cuts it: shard i of N begins at i · floor(2^128 / N) and the last one
// takes what is left.
import type { CreateStreamInput } from '@millrace/wire/services/kinesis'
import { BOUNDS } from './limits.ts'
import { invalidArgument, validation } from './stream-errors.ts'
import type { ShardFacts, StreamFacts, StreamMode } from './stream-facts.ts'
import { checkNewTags, checkTagCount } from './tags.ts'

export interface NewStream {
  readonly name: string
  readonly mode: StreamMode
  readonly shardCount: number
  readonly tags: Readonly<Record<string, string>>
  readonly maxRecordKiB: number
  readonly distribution?: 'USER_PARTITION_KEY' | 'AUTO'
}

/** AWS's shards were created two seconds before the call that made them (observed). */
const CREATED_BEFORE_SECONDS = 2
const RING = 1n << 128n

/** Throws what AWS answers to settings that don't go together. */
export function readNewStream(input: CreateStreamInput, account: string): NewStream {
  const name = input.StreamName
  const mode = input.StreamModeDetails?.StreamMode ?? modeOf(input.ShardCount)
  const shardCount = shardCountOf(mode, input.ShardCount)
  const distribution = distributionOf(input, mode)
  if (input.WarmThroughputMiBps !== undefined) refuseWarmThroughput(mode)
  const tags = input.Tags ?? {}
  checkNewTags(tags, name, account)
  checkTagCount(tags, name, account)
  return {
    name,
    mode,
    shardCount,
    tags,
    maxRecordKiB: input.MaxRecordSizeInKiB ?? BOUNDS.recordKiBDefault,
    ...(distribution === undefined ? {} : { distribution }),
  }
}

/** The facts of a stream made now; `lastSecond` is the latest shard creation of its name so far. */
export function newStreamFacts(
  stream: NewStream,
  place: { readonly account: string; readonly region: string; readonly groupId: number },
  time: {
    readonly nowMs: number
    readonly transitionMs: number
    readonly lastSecond: number | undefined
  },
): StreamFacts {
  const earliest = Math.floor(time.nowMs / 1000) - CREATED_BEFORE_SECONDS
  const createdSeconds = Math.max(earliest, (time.lastSecond ?? 0) + 1)
  return {
    ...place,
    name: stream.name,
    version: 1,
    createdMs: Math.max(time.nowMs, (createdSeconds + CREATED_BEFORE_SECONDS) * 1000),
    mode: stream.mode,
    creatingUntilMs: time.transitionMs === 0 ? 0 : time.nowMs + time.transitionMs,
    updatingUntilMs: 0,
    retentionHours: BOUNDS.retentionHoursDefault,
    expiredBeforeMs: 0,
    maxRecordKiB: stream.maxRecordKiB,
    ...(stream.distribution === undefined ? {} : { distribution: stream.distribution }),
    tags: { ...stream.tags },
    shards: evenShards(stream.shardCount, createdSeconds),
  }
}

export function evenShards(count: number, createdSeconds: number): ShardFacts[] {
  const step = RING / BigInt(count)
  return Array.from({ length: count }, (_, number) => {
    const start = step * BigInt(number)
    const end = number === count - 1 ? RING : start + step
    return {
      number,
      startingHashKey: String(start),
      endingHashKey: String(end - 1n),
      createdSeconds,
      baseOffset: 0,
    }
  })
}

/** Nothing said means on demand (observed). */
function modeOf(shardCount: number | undefined): StreamMode {
  return shardCount === undefined ? 'ON_DEMAND' : 'PROVISIONED'
}

function shardCountOf(mode: StreamMode, shardCount: number | undefined): number {
  if (mode === 'ON_DEMAND') {
    if (shardCount === undefined) return BOUNDS.onDemandShardCountAtStart
    throw validation('ShardCount is not expected when StreamMode=ON_DEMAND')
  }
  if (shardCount === undefined) {
    throw validation('ShardCount is required when StreamMode=PROVISIONED')
  }
  if (shardCount > BOUNDS.shardCountMax) {
    throw validation(
      `1 validation error detected: Value '${shardCount}' at 'shardCount' failed to satisfy ` +
        `constraint: Member must have value less than or equal to ${BOUNDS.shardCountMax}`,
    )
  }
  return shardCount
}

function distributionOf(
  input: CreateStreamInput,
  mode: StreamMode,
): NewStream['distribution'] | undefined {
  const strategy = input.RecordDistributionStrategy
  if (mode === 'ON_DEMAND') return strategy ?? 'USER_PARTITION_KEY'
  if (strategy === undefined) return undefined
  throw invalidArgument('RecordDistributionStrategy is only supported for ON_DEMAND streams.')
}

function refuseWarmThroughput(mode: StreamMode): never {
  throw mode === 'ON_DEMAND'
    ? validation(
        'WarmThroughputMiBps requires MinimumThroughputBillingCommitment to be enabled for the account.',
      )
    : invalidArgument('WarmThroughputMiBps is only supported for ON_DEMAND streams.')
}
