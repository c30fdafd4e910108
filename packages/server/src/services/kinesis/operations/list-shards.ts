// ListShards: the shards that have not expired and pass a filter, at most 1000 a page. A token holds
// the stream's incarnation (its group), the filter and the last shard given.
import { kinesis, type ListShardsInput } from '@millrace/wire/services/kinesis'
import { operation, type RequestContext } from '../../../platform/operation.ts'
import { describeShard } from '../describe-shard.ts'
import { BOUNDS } from '../limits.ts'
import { openNextToken, sealNextToken } from '../next-token.ts'
import type { KinesisParts } from '../parts.ts'
import { filterShards, readShardFilter, type ShardRule, shardNumber } from '../shard-filter.ts'
import type { Stream } from '../stream.ts'
import { invalidArgument, streamNotActive, streamNotFound } from '../stream-errors.ts'
import { creationTimestampMs } from '../stream-status.ts'

const NAME = kinesis.ListShards.name

interface Listing {
  readonly stream: Stream
  readonly rule: ShardRule
  readonly after: number
}

/** What a token remembers. */
interface Position {
  readonly groupId: number
  readonly streamName: string
  readonly account: string
  readonly rule: ShardRule
  readonly after: number
}

export const listShards = operation(
  kinesis.ListShards,
  ({ input, context }, parts: KinesisParts) => {
    const { nowMs } = context
    const { stream, rule, after } =
      input.NextToken === undefined
        ? firstPage(input, context, parts)
        : nextPage(input, input.NextToken, context, parts)
    checkListable(stream, nowMs)
    const found = filterShards(stream, rule, nowMs).filter((shard) => shard.number > after)
    const limit = Math.min(input.MaxResults ?? BOUNDS.listShardsMax, BOUNDS.listShardsMax)
    const page = found.slice(0, limit)
    const last = page.at(-1)
    if (found.length <= limit || last === undefined) return { Shards: page.map(describeShard) }
    const position: Position = {
      groupId: stream.facts.groupId,
      streamName: stream.name,
      account: stream.account,
      rule,
      after: last.number,
    }
    return {
      Shards: page.map(describeShard),
      NextToken: sealNextToken(NAME, position, nowMs, parts),
    }
  },
)

function firstPage(
  input: ListShardsInput,
  context: RequestContext,
  { streams }: KinesisParts,
): Listing {
  if (input.StreamName === undefined && input.StreamARN === undefined) {
    throw invalidArgument('Either NextToken or StreamName should be provided.')
  }
  const stream = streams.forControl(input, context)
  const { ExclusiveStartShardId, StreamCreationTimestamp } = input
  if (StreamCreationTimestamp !== undefined) {
    const seconds = Math.floor(StreamCreationTimestamp / 1000)
    if (seconds * 1000 !== creationTimestampMs(stream.facts)) {
      throw streamNotFound(stream.name, stream.account)
    }
  }
  return {
    stream,
    rule: readShardFilter(input.ShardFilter, stream),
    after: ExclusiveStartShardId === undefined ? -1 : shardNumber(ExclusiveStartShardId, stream),
  }
}

/** The token says which stream it is about; an ARN beside it must not say otherwise. */
function nextPage(
  input: ListShardsInput,
  token: string,
  context: RequestContext,
  { settings, streams }: KinesisParts,
): Listing {
  for (const member of [
    'StreamName',
    'StreamCreationTimestamp',
    'ExclusiveStartShardId',
  ] as const) {
    if (input[member] === undefined) continue
    throw invalidArgument(`NextToken and ${member} cannot be provided together.`)
  }
  const position = openNextToken(NAME, token, context.nowMs, settings) as Position
  const stream = streams.forToken(position, context)
  if (stream === undefined) throw streamNotFound(position.streamName, position.account)
  if (input.StreamARN !== undefined && input.StreamARN !== stream.arn) {
    throw invalidArgument('Invalid NextToken.')
  }
  return { stream, rule: position.rule, after: position.after }
}

/** The API lists ResourceInUseException; KCL takes it for "not ACTIVE or UPDATING". */
function checkListable(stream: Stream, nowMs: number): void {
  const status = stream.status(nowMs)
  if (status === 'ACTIVE' || status === 'UPDATING') return
  throw streamNotActive(stream.name, stream.account, status)
}
