// The answers of PutRecord and PutRecords when everything was stored, shaped by hand: rows of equal
// length whose digits are written in place. They promise the bytes that the codec would write for the
// same values.
import type { Protocol } from '@millrace/wire/codec'
import { SEQUENCE_NUMBER_DIGITS } from '@millrace/wire/sequence-number'
import type { PreparedReply } from '../../platform/operation.ts'
import type { Shard } from './shard.ts'

/** Records of one request that were stored in one block, in the order of the request. */
export interface StoredRun {
  readonly shard: Shard
  readonly firstOffset: number
  readonly timeMs: number
}

const SHARD_ID_BYTES = 20
const NUMBER_PLACE = ' '.repeat(SEQUENCE_NUMBER_DIGITS)
const SHARD_ID_PLACE = ' '.repeat(SHARD_ID_BYTES)

/** How a protocol writes the answer of PutRecords around numbers and shard ids. */
interface Form {
  head(count: number): Buffer
  readonly row: Buffer
  readonly numberAt: number
  readonly shardIdAt: number
  /** Takes the place of the last row's separator. */
  readonly tail: Buffer
  readonly separatorBytes: number
}

const JSON_HEAD = Buffer.from('{"FailedRecordCount":0,"Records":[')
const JSON_FORM: Form = {
  head: () => JSON_HEAD,
  row: Buffer.from(`{"SequenceNumber":"${NUMBER_PLACE}","ShardId":"${SHARD_ID_PLACE}"},`),
  numberAt: 19,
  shardIdAt: 88,
  tail: Buffer.from(']}'),
  separatorBytes: 1,
}

const CBOR_FORM: Form = {
  head(count) {
    const list =
      count < 24 ? [0x80 | count] : count < 256 ? [0x98, count] : [0x99, count >> 8, count]
    return Buffer.concat([
      Buffer.from([0xa2, 0x71]),
      Buffer.from('FailedRecordCount'),
      Buffer.from([0x00, 0x67]),
      Buffer.from('Records'),
      Buffer.from(list),
    ])
  },
  row: Buffer.concat([
    Buffer.from([0xa2, 0x6e]),
    Buffer.from('SequenceNumber'),
    Buffer.from([0x78, SEQUENCE_NUMBER_DIGITS]),
    Buffer.from(NUMBER_PLACE),
    Buffer.from([0x67]),
    Buffer.from('ShardId'),
    Buffer.from([0x60 | SHARD_ID_BYTES]),
    Buffer.from(SHARD_ID_PLACE),
  ]),
  numberAt: 18,
  shardIdAt: 83,
  tail: Buffer.alloc(0),
  separatorBytes: 0,
}

/** All records of a PutRecords, stored in one or more runs. */
export class PutRecordsReply implements PreparedReply {
  readonly isPrepared = true
  readonly #runs: readonly StoredRun[]
  readonly #count: number
  /** Which run each record is in; not needed when there is only one. */
  readonly #runOf: Uint16Array

  constructor(runs: readonly StoredRun[], count: number, runOf: Uint16Array) {
    this.#runs = runs
    this.#count = count
    this.#runOf = runOf
  }

  encode(protocol: Protocol): Uint8Array {
    const form = protocol === 'json' ? JSON_FORM : CBOR_FORM
    const head = form.head(this.#count)
    const rowsBytes = form.row.length * this.#count
    const tailAt = head.length + rowsBytes - form.separatorBytes
    const body = Buffer.allocUnsafe(tailAt + Math.max(form.tail.length, form.separatorBytes))
    head.copy(body)
    const only = this.#runs.length === 1 ? this.#runs[0] : undefined
    if (only !== undefined) this.#writeOnly(body, head.length, form, only)
    else this.#writeMixed(body, head.length, form)
    form.tail.copy(body, tailAt)
    return body
  }

  #writeOnly(body: Buffer, rowsAt: number, form: Form, run: StoredRun): void {
    const rowBytes = form.row.length
    const cursor = run.shard.writtenAt(run.firstOffset, run.timeMs)
    form.row.copy(body, rowsAt)
    body.latin1Write(run.shard.id, rowsAt + form.shardIdAt, SHARD_ID_BYTES)
    cursor.writeTo(body, rowsAt + form.numberAt)
    repeatRow(body, rowsAt, rowBytes, this.#count)
    // The rows have the first number's upper digits already; they seldom change within a block.
    const { upperChanges } = cursor
    const end = rowsAt + this.#count * rowBytes
    for (let at = rowsAt + form.numberAt; at < end; at += rowBytes) {
      if (cursor.upperChanges === upperChanges) cursor.writeLowerTo(body, at)
      else cursor.writeTo(body, at)
      cursor.advance()
    }
  }

  #writeMixed(body: Buffer, rowsAt: number, form: Form): void {
    const rowBytes = form.row.length
    form.row.copy(body, rowsAt)
    repeatRow(body, rowsAt, rowBytes, this.#count)
    const runs = this.#runs.map(({ shard, firstOffset, timeMs }) => ({
      cursor: shard.writtenAt(firstOffset, timeMs),
      id: Buffer.from(shard.id, 'latin1'),
    }))
    const runOf = this.#runOf
    for (let i = 0; i < this.#count; i++) {
      const at = rowsAt + i * rowBytes
      const { cursor, id } = runs[runOf[i]!]!
      cursor.writeTo(body, at + form.numberAt)
      cursor.advance()
      const idAt = at + form.shardIdAt
      for (let k = 0; k < SHARD_ID_BYTES; k++) body[idAt + k] = id[k]!
    }
  }
}

/** Copies the first row over all others, twice as many each time. */
function repeatRow(body: Buffer, at: number, rowBytes: number, count: number): void {
  for (let done = 1; done < count; done *= 2) {
    const rows = Math.min(done, count - done)
    body.copyWithin(at + done * rowBytes, at, at + rows * rowBytes)
  }
}

const CBOR_BEFORE_ID = Buffer.concat([
  Buffer.from([0xa2, 0x67]),
  Buffer.from('ShardId'),
  Buffer.from([0x60 | SHARD_ID_BYTES]),
])
const CBOR_BEFORE_NUMBER = Buffer.concat([
  Buffer.from([0x6e]),
  Buffer.from('SequenceNumber'),
  Buffer.from([0x78, SEQUENCE_NUMBER_DIGITS]),
])

/** The one record of a PutRecord. */
export class PutRecordReply implements PreparedReply {
  readonly isPrepared = true
  readonly #run: StoredRun

  constructor(run: StoredRun) {
    this.#run = run
  }

  encode(protocol: Protocol): string | Uint8Array {
    const { shard, firstOffset, timeMs } = this.#run
    const cursor = shard.writtenAt(firstOffset, timeMs)
    if (protocol === 'json') {
      return `{"ShardId":"${shard.id}","SequenceNumber":"${cursor.toString()}"}`
    }
    const numberAt = CBOR_BEFORE_ID.length + SHARD_ID_BYTES + CBOR_BEFORE_NUMBER.length
    const body = Buffer.allocUnsafe(numberAt + SEQUENCE_NUMBER_DIGITS)
    CBOR_BEFORE_ID.copy(body)
    body.latin1Write(shard.id, CBOR_BEFORE_ID.length, SHARD_ID_BYTES)
    CBOR_BEFORE_NUMBER.copy(body, CBOR_BEFORE_ID.length + SHARD_ID_BYTES)
    cursor.writeTo(body, numberAt)
    return body
  }
}
