// GetRecords: the next page of a shard behind an iterator, and the iterator behind the page.
import { type MaybePromise, StorageError } from '@millrace/storage/engine'
import { type GetRecordsInput, kinesis } from '@millrace/wire/services/kinesis'
import { shardId } from '@millrace/wire/shard-id'
import { operation, type PreparedReply, type RequestContext } from '../../../platform/operation.ts'
import { childShards } from '../child-shards.ts'
import { dryRun, readThrottled, shardMissing } from '../data-errors.ts'
import type { IteratorPosition } from '../iterators.ts'
import { BOUNDS } from '../limits.ts'
import type { Page } from '../page.ts'
import { PageReply } from '../page-reply.ts'
import type { KinesisParts } from '../parts.ts'
import type { Shard } from '../shard.ts'
import type { Stream } from '../stream.ts'
import { invalidArgument } from '../stream-errors.ts'

export const getRecords = operation(
  kinesis.GetRecords,
  ({ input, context }, parts: KinesisParts): MaybePromise<PreparedReply> => {
    const { nowMs } = context
    const position = parts.iterators.open(input.ShardIterator, nowMs)
    const { stream, shard } = find(position, input, context, parts)
    if (input.DryRun === true) throw dryRun()
    if (!shard.admitRead(nowMs)) throw readThrottled(shard)
    const limit = input.Limit ?? BOUNDS.getRecordsCountMax
    const page = read(shard, position, limit, nowMs)
    if (page instanceof Promise) {
      return page.then((read) => reply(stream, shard, position, read, context, parts))
    }
    return reply(stream, shard, position, page, context, parts)
  },
)

function find(
  position: IteratorPosition,
  input: GetRecordsInput,
  context: RequestContext,
  { streams }: KinesisParts,
): { readonly stream: Stream; readonly shard: Shard } {
  const stream = streams.forToken(position, context)
  if (stream === undefined) throw missing(position)
  if (input.StreamARN !== undefined && input.StreamARN !== stream.arn) {
    throw invalidArgument(
      `StreamARN ${input.StreamARN} is not that of the stream of the ShardIterator, ${stream.arn}.`,
    )
  }
  const shard = stream.shard(position.shardNumber)
  if (shard === undefined || stream.isExpired(shard.facts, context.nowMs)) throw missing(position)
  return { stream, shard }
}

function read(
  shard: Shard,
  position: IteratorPosition,
  limit: number,
  nowMs: number,
): MaybePromise<Page> {
  const failed = (error: unknown): never => {
    // The stream was deleted between the lookup and the read.
    if (error instanceof StorageError && error.code === 'group-missing') throw missing(position)
    throw error
  }
  try {
    const page = shard.read(position.offset, limit, nowMs)
    return page instanceof Promise ? page.catch(failed) : page
  } catch (error) {
    return failed(error)
  }
}

/** What AWS says of iterators whose stream is gone (observed). */
function missing({ shardNumber, streamName, account }: IteratorPosition): Error {
  return shardMissing(shardId(shardNumber), streamName, account)
}

function reply(
  stream: Stream,
  shard: Shard,
  position: IteratorPosition,
  page: Page,
  { nowMs }: RequestContext,
  { iterators }: KinesisParts,
): PreparedReply {
  // The end of a closed shard shows when there is nothing left to give: first its last records, with an
  // iterator behind them, then no iterator but the children.
  const isOver = page.isAtEnd && page.count === 0
  return new PageReply(shard, page, {
    nextShardIterator: isOver
      ? undefined
      : iterators.seal({ ...position, issuedMs: nowMs, offset: page.next }),
    millisBehindLatest: millisBehind(page, nowMs),
    childShards: isOver ? childShards(stream.facts, shard.facts.number) : undefined,
  })
}

/** 0 says that a reader is up to date, so it is never said of one that isn't. */
function millisBehind({ isAtTip, count, lastTimeMs }: Page, nowMs: number): number {
  if (isAtTip) return 0
  return count === 0 ? 1 : Math.max(1, nowMs - lastTimeMs)
}
