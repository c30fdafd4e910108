// One GetRecords' worth of a shard, between the read and the answer.
import type { Batch } from '@millrace/storage/engine'
import type { ChildShard } from '@millrace/wire/services/kinesis'

/** What one GetRecords may answer, still in storage's buffers. */
export interface Page {
  readonly batches: readonly Batch[]
  readonly count: number
  /** Bytes of data and partition keys. */
  readonly bytes: number
  /** Whether only its size ended it, so that AWS makes the reader pause. */
  readonly isFull: boolean
  /** The position (offset) that the next read begins at. */
  readonly next: number
  /** Whether no record lies at or behind `next` now. */
  readonly isAtTip: boolean
  /** Whether the shard is closed and `next` lies behind its last record. */
  readonly isAtEnd: boolean
  /** Time of the last record, ms; 0 when there is none. */
  readonly lastTimeMs: number
  /** As `ReadResult.release`. */
  release(): void
}

/** What follows the records in the answer. */
export interface PageEnd {
  readonly nextShardIterator: string | undefined
  readonly millisBehindLatest: number
  readonly childShards: readonly ChildShard[] | undefined
}
