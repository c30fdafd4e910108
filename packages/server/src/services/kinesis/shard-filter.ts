// Which shards a ShardFilter lets through: shards as intervals of time. A shard begins when it was
// created, a child in the millisecond after its parent was closed, so that at every moment the open
// shards cover all hash keys; it ends when it was closed.
import type { ShardFilter } from '@millrace/wire/services/kinesis'
import { parseShardId } from '@millrace/wire/shard-id'
import type { Stream } from './stream.ts'
import { invalidArgument, shardNotFound } from './stream-errors.ts'
import type { ShardFacts } from './stream-facts.ts'

/** A filter whose parts fit together, ready to be kept in a token. */
export type ShardRule =
  | { readonly kind: 'all' }
  | { readonly kind: 'after'; readonly number: number }
  | { readonly kind: 'open' }
  | { readonly kind: 'at-horizon' }
  | { readonly kind: 'at'; readonly timeMs: number }
  | { readonly kind: 'from'; readonly timeMs: number }

export function readShardFilter(filter: ShardFilter | undefined, stream: Stream): ShardRule {
  if (filter === undefined) return { kind: 'all' }
  const { Type, ShardId, Timestamp } = filter
  if (ShardId !== undefined && Type !== 'AFTER_SHARD_ID') {
    throw invalidArgument(`ShardId can only be specified for filter type AFTER_SHARD_ID.`)
  }
  if (Timestamp !== undefined && Type !== 'AT_TIMESTAMP' && Type !== 'FROM_TIMESTAMP') {
    throw invalidArgument(
      'Timestamp can only be specified for filter types AT_TIMESTAMP and FROM_TIMESTAMP.',
    )
  }
  switch (Type) {
    case 'AFTER_SHARD_ID':
      if (ShardId === undefined) throw missing('ShardId', Type)
      return { kind: 'after', number: shardNumber(ShardId, stream) }
    case 'AT_TRIM_HORIZON':
      return { kind: 'at-horizon' }
    case 'FROM_TRIM_HORIZON':
      return { kind: 'all' }
    case 'AT_LATEST':
      return { kind: 'open' }
    case 'AT_TIMESTAMP':
      if (Timestamp === undefined) throw missing('Timestamp', Type)
      return { kind: 'at', timeMs: Timestamp }
    case 'FROM_TIMESTAMP':
      if (Timestamp === undefined) throw missing('Timestamp', Type)
      return { kind: 'from', timeMs: Timestamp }
  }
}

/** The unexpired shards that pass, by rising number. */
export function filterShards(stream: Stream, rule: ShardRule, nowMs: number): ShardFacts[] {
  const begins = Math.max(stream.horizonMs(nowMs), stream.facts.createdMs)
  const shards = stream.shardsAt(nowMs)
  switch (rule.kind) {
    case 'all':
      return [...shards]
    case 'after':
      return shards.filter((shard) => shard.number > rule.number)
    case 'open':
      return shards.filter((shard) => shard.closed === undefined)
    case 'at-horizon':
      return shards.filter((shard) => isOpenAt(shard, begins, stream))
    case 'at': {
      const timeMs = Math.max(rule.timeMs, begins)
      return shards.filter((shard) => isOpenAt(shard, timeMs, stream))
    }
    case 'from': {
      const timeMs = Math.max(rule.timeMs, begins)
      return shards.filter((shard) => shard.closed === undefined || shard.closed.atMs >= timeMs)
    }
  }
}

/** ResourceNotFoundException when the text means no shard number. */
export function shardNumber(id: string, stream: Stream): number {
  const number = parseShardId(id)
  if (number === undefined) throw shardNotFound(id, stream.name, stream.account)
  return number
}

function isOpenAt(shard: ShardFacts, timeMs: number, stream: Stream): boolean {
  if (shard.closed !== undefined && shard.closed.atMs < timeMs) return false
  return beginsMs(shard, stream) <= timeMs
}

function beginsMs(shard: ShardFacts, stream: Stream): number {
  if (shard.parent === undefined) return shard.createdSeconds * 1000
  const parents = [shard.parent, shard.adjacentParent].flatMap((number) => {
    const closed = stream.facts.shards.find((other) => other.number === number)?.closed
    return closed === undefined ? [] : [closed.atMs + 1]
  })
  // A parent that is forgotten was closed within the second before its child's.
  return parents.length > 0 ? Math.max(...parents) : (shard.createdSeconds - 1) * 1000
}

function missing(member: string, type: string): Error {
  return invalidArgument(`${member} must be specified for filter type ${type}.`)
}
