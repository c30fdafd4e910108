// The records of one PutRecords that go to one shard, on their way into one block. Batches are reused
// from request to request: a request is checked, admitted and handed to storage in one synchronous
// step, and storage looks at a block's records during that step only.
import type { Block, Log } from '@millrace/storage/engine'
import type { Payload } from '@millrace/wire/payload'
import { BOUNDS } from './limits.ts'
import { RECORD_HEADER_BYTES, writeRecord } from './record.ts'
import type { Shard } from './shard.ts'

/** A record as the API's inputs have it. */
export interface InputRecord {
  readonly Data: Payload
  readonly PartitionKey?: string
  readonly ExplicitHashKey?: string
}

export class ShardBatch {
  /** Entry lengths, of which `count` are in use. */
  readonly lengths = new Uint32Array(BOUNDS.putRecordsCountMax)
  count = 0
  /** Bytes of all entries. */
  byteLength = 0
  readonly #indexes = new Uint16Array(BOUNDS.putRecordsCountMax)
  readonly #keyBytes = new Uint16Array(BOUNDS.putRecordsCountMax)
  #records: readonly InputRecord[] = []

  /** Begins anew, for records out of this list. */
  begin(records: readonly InputRecord[]): void {
    this.#records = records
    this.count = 0
    this.byteLength = 0
  }

  /** Adds the record at this index of the list. */
  add(index: number, keyBytes: number, dataBytes: number): void {
    const { count } = this
    const length = RECORD_HEADER_BYTES + keyBytes + dataBytes
    this.lengths[count] = length
    this.#indexes[count] = index
    this.#keyBytes[count] = keyBytes
    this.count = count + 1
    this.byteLength += length
  }

  /** Bytes of data and partition keys: what rates count. */
  get recordBytes(): number {
    return this.byteLength - this.count * RECORD_HEADER_BYTES
  }

  writeTo(target: Buffer, at: number): void {
    const records = this.#records
    let position = at
    for (let i = 0; i < this.count; i++) {
      const record = records[this.#indexes[i]!]!
      position = writeRecord(target, position, record.PartitionKey, this.#keyBytes[i]!, record.Data)
    }
  }

  /** Lets the request's records go. */
  end(): void {
    this.#records = []
  }
}

/** A batch as storage sees it; count and sizes stay true when the batch is used again. */
export class BatchBlock implements Block {
  readonly shard: Shard
  readonly log: Log
  readonly lengths: ArrayLike<number>
  readonly count: number
  readonly byteLength: number
  /** Bytes of data and partition keys. */
  readonly recordBytes: number
  readonly #batch: ShardBatch

  constructor(shard: Shard, batch: ShardBatch) {
    this.shard = shard
    this.log = shard.log
    this.lengths = batch.lengths
    this.count = batch.count
    this.byteLength = batch.byteLength
    this.recordBytes = batch.recordBytes
    this.#batch = batch
  }

  write(target: Buffer, at: number): void {
    this.#batch.writeTo(target, at)
  }
}

/** The block of a single record. */
export class RecordBlock implements Block {
  readonly log: Log
  readonly lengths: readonly [number]
  readonly count = 1
  readonly byteLength: number
  readonly #record: InputRecord
  readonly #keyBytes: number

  constructor(log: Log, record: InputRecord, keyBytes: number) {
    this.log = log
    this.byteLength = RECORD_HEADER_BYTES + keyBytes + record.Data.byteLength
    this.lengths = [this.byteLength]
    this.#record = record
    this.#keyBytes = keyBytes
  }

  write(target: Buffer, at: number): void {
    writeRecord(target, at, this.#record.PartitionKey, this.#keyBytes, this.#record.Data)
  }
}
