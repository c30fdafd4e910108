// Where reading begins: the five types of starting position, checked as AWS checks them and resolved to
// an offset of the shard's log. All texts are observed replies of GetShardIterator.
import type { MaybePromise } from '@millrace/storage/engine'
import { WireError } from '@millrace/wire/errors'
import { parseSequenceNumber, type SequenceNumber } from '@millrace/wire/sequence-number'
import type { ShardIteratorType } from '@millrace/wire/services/kinesis'
import { shardId } from '@millrace/wire/shard-id'
import type { Shard } from './shard.ts'
import { invalidArgument } from './stream-errors.ts'

export interface StartingPosition {
  readonly type: ShardIteratorType
  readonly sequenceNumber: string | undefined
  /** Service time, ms. */
  readonly timestampMs: number | undefined
}

/** The offset at which reading begins; a later read takes the first record at or after it. */
export function startingOffset(
  shard: Shard,
  position: StartingPosition,
  nowMs: number,
): MaybePromise<number> {
  const { type, sequenceNumber } = position
  switch (type) {
    case 'AT_SEQUENCE_NUMBER':
    case 'AFTER_SEQUENCE_NUMBER': {
      if (sequenceNumber === undefined) throw mismatch(type, 'and no StartingSequenceNumber')
      const number = numberOfShard(shard, sequenceNumber)
      return shard.offsetFrom(number, type === 'AFTER_SEQUENCE_NUMBER')
    }
    default:
      if (sequenceNumber !== undefined) throw mismatch(type, 'and also a StartingSequenceNumber')
  }
  if (type === 'LATEST') return shard.tip
  if (type === 'TRIM_HORIZON') return shard.first
  return shard.offsetAt(checkedTimestamp(position.timestampMs, nowMs))
}

function mismatch(type: ShardIteratorType, what: string): WireError {
  return invalidArgument(
    `Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified ${type} ${what}.`,
  )
}

function checkedTimestamp(timestampMs: number | undefined, nowMs: number): number {
  if (timestampMs === undefined) {
    throw invalidArgument(
      'Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request has no timestamp parameter.',
    )
  }
  if (timestampMs > nowMs) {
    throw invalidArgument(
      `The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. timestampInMillis: ${timestampMs}, currentTimestampInMillis: ${nowMs}`,
    )
  }
  return timestampMs
}

/** The number need not be a record's, but it must be of this very shard. */
function numberOfShard(shard: Shard, text: string): SequenceNumber {
  const { facts, stream } = shard
  const used = `StartingSequenceNumber ${text} used in GetShardIterator on shard ${shard.id} in stream ${stream.name} under account ${stream.account} is invalid`
  const number = parseSequenceNumber(text)
  if (number === undefined) throw invalidArgument(`${used}.`)
  if (number.shardNumber !== facts.number) {
    throw invalidArgument(
      `Invalid StartingSequenceNumber. It encodes ${shardId(number.shardNumber)}, while it was used in a call to a shard with ${shard.id}`,
    )
  }
  if (number.version === 2 && number.createdSeconds === facts.createdSeconds) return number
  // Numbers of the oldest kind make AWS fail (observed).
  if (number.version === 0) throw new WireError('InternalFailure', undefined)
  throw invalidArgument(`${used} because it did not come from this stream.`)
}
