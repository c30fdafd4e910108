// GetShardIterator: a position in a shard as a sealed token, good for five minutes.
import { parseStreamArn } from '@millrace/wire/arn'
import { WireError } from '@millrace/wire/errors'
import { type GetShardIteratorInput, kinesis } from '@millrace/wire/services/kinesis'
import { parseShardId, shardId } from '@millrace/wire/shard-id'
import { operation, type RequestContext } from '../../../platform/operation.ts'
import { dryRun, readThrottled, shardMissing } from '../data-errors.ts'
import type { KinesisParts } from '../parts.ts'
import { checkAccess } from '../resource-access.ts'
import type { Shard } from '../shard.ts'
import { startingOffset } from '../starting-position.ts'
import type { Stream } from '../stream.ts'
import { shardNotFound } from '../stream-errors.ts'

export const getShardIterator = operation(
  kinesis.GetShardIterator,
  async ({ input, context }, parts: KinesisParts) => {
    const { stream, shard } = find(input, context, parts)
    const { nowMs } = context
    const offset = await startingOffset(
      shard,
      {
        type: input.ShardIteratorType,
        sequenceNumber: input.StartingSequenceNumber,
        timestampMs: input.Timestamp,
      },
      nowMs,
    )
    if (input.DryRun === true) throw dryRun()
    if (!shard.admitIterator(nowMs)) throw readThrottled(shard)
    return {
      ShardIterator: parts.iterators.seal({
        issuedMs: nowMs,
        groupId: stream.group.id,
        shardNumber: shard.facts.number,
        offset,
        account: stream.account,
        streamName: stream.name,
      }),
    }
  },
)

/** Whatever is missing, stream or shard, AWS calls it the shard, by its number's own name (observed). */
function find(
  input: GetShardIteratorInput,
  context: RequestContext,
  { streams }: KinesisParts,
): { readonly stream: Stream; readonly shard: Shard } {
  const number = parseShardId(input.ShardId)
  const name = input.StreamName ?? parseStreamArn(input.StreamARN ?? '')?.name
  const account = parseStreamArn(input.StreamARN ?? '')?.account ?? context.account
  if (input.StreamARN !== undefined) checkAccess(input.StreamARN, account, context)
  if (number === undefined && name !== undefined) throw shardNotFound(input.ShardId, name, account)
  try {
    const stream = streams.forData(input, context)
    const shard = number === undefined ? undefined : stream.shard(number)
    if (shard !== undefined && !stream.isExpired(shard.facts, context.nowMs)) {
      return { stream, shard }
    }
  } catch (error) {
    if (!(error instanceof WireError && error.type === 'ResourceNotFoundException')) throw error
  }
  throw shardMissing(shardId(number ?? 0), name ?? '', account)
}
