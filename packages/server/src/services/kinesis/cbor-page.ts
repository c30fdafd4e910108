// GetRecords' answer in CBOR: keys and data are copied as they are, from storage's buffers into the body.
import type { Batch } from '@millrace/storage/engine'
import { CborSink, writeAny } from '@millrace/wire/protocols/cbor-writer'
import type { SequenceCursor } from '@millrace/wire/sequence-cursor'
import { SEQUENCE_NUMBER_DIGITS } from '@millrace/wire/sequence-number'
import type { Page, PageEnd } from './page.ts'
import { RECORD_HEADER_BYTES, storedKeyBytes } from './record.ts'
import type { Shard } from './shard.ts'

/** Up to here a loop over bytes is quicker than a native copy. */
const LOOP_BYTES_MAX = 24

const cborTail = new CborSink()
const BEFORE_NUMBER = Buffer.concat([
  Buffer.from([0x6e]),
  Buffer.from('SequenceNumber'),
  Buffer.from([0x78, SEQUENCE_NUMBER_DIGITS]),
])
/** With tag 1 and the head of the 64-bit integer that milliseconds take until the year 292278994. */
const BEFORE_TIME = Buffer.concat([
  Buffer.from([0x78, 27]),
  Buffer.from('ApproximateArrivalTimestamp'),
  Buffer.from([0xc1, 0x1b]),
])
const BEFORE_DATA = Buffer.concat([Buffer.from([0x64]), Buffer.from('Data')])
const BEFORE_KEY = Buffer.concat([Buffer.from([0x6c]), Buffer.from('PartitionKey')])
const HEAD_BYTES_MAX = 9
const TIME_BYTES = 8
const BYTE_STRING = 0x40
const TEXT = 0x60
const MAP_OF = { withKey: 0xa4, withoutKey: 0xa3 }
/** What a record takes at most beside data and key. */
const ROW_BYTES =
  1 +
  BEFORE_NUMBER.length +
  SEQUENCE_NUMBER_DIGITS +
  BEFORE_TIME.length +
  TIME_BYTES +
  BEFORE_DATA.length +
  BEFORE_KEY.length +
  2 * HEAD_BYTES_MAX

/** The body of GetRecords' answer in CBOR. */
export function cborPage(shard: Shard, page: Page, end: PageEnd): Uint8Array {
  const { nextShardIterator, millisBehindLatest, childShards } = end
  const members =
    2 + (nextShardIterator === undefined ? 0 : 1) + (childShards === undefined ? 0 : 1)
  cborTail.head(5, members)
  cborTail.text('Records')
  cborTail.head(4, page.count)
  const start = cborTail.take()
  if (nextShardIterator !== undefined) {
    cborTail.text('NextShardIterator')
    cborTail.text(nextShardIterator)
  }
  cborTail.text('MillisBehindLatest')
  cborTail.integer(millisBehindLatest)
  if (childShards !== undefined) {
    cborTail.text('ChildShards')
    writeAny(cborTail, childShards)
  }
  const tail = cborTail.take()
  const bytes = start.length + page.bytes + page.count * ROW_BYTES + tail.length
  const body = Buffer.allocUnsafe(bytes)
  body.set(start)
  let at = start.length
  head.reset()
  for (const batch of page.batches) at = writeBatch(body, at, shard, batch)
  body.set(tail, at)
  return body.subarray(0, at + tail.length)
}

const NUMBER_AT = 1 + BEFORE_NUMBER.length
const TIME_AT = NUMBER_AT + SEQUENCE_NUMBER_DIGITS + BEFORE_TIME.length

/** The part of a record before its data: of one length, and mostly the same from record to record. */
class Head {
  readonly bytes = Buffer.concat([
    Buffer.alloc(1),
    BEFORE_NUMBER,
    Buffer.alloc(SEQUENCE_NUMBER_DIGITS),
    BEFORE_TIME,
    Buffer.alloc(TIME_BYTES),
    BEFORE_DATA,
  ])
  #upperChanges = -1

  /** Begins a page: the next number is of another shard, perhaps. */
  reset(): void {
    this.#upperChanges = -1
  }

  setTime(timeMs: number): void {
    this.bytes.writeUInt32BE(Math.floor(timeMs / 0x1_0000_0000), TIME_AT)
    this.bytes.writeUInt32BE(timeMs % 0x1_0000_0000, TIME_AT + 4)
  }

  setNumber(cursor: SequenceCursor): void {
    if (cursor.upperChanges === this.#upperChanges) {
      cursor.writeLowerTo(this.bytes, NUMBER_AT)
    } else {
      cursor.writeTo(this.bytes, NUMBER_AT)
      this.#upperChanges = cursor.upperChanges
    }
  }
}

/** One serves all: a page is written in one synchronous step. */
const head = new Head()

function writeBatch(body: Buffer, start: number, shard: Shard, batch: Batch): number {
  const { buffer, lengthsAt } = batch
  const { bytes } = head
  head.setTime(batch.timeMs)
  const cursor = shard.readAt(batch.firstOffset, batch.timeMs)
  let at = start
  let entryAt = batch.entriesAt
  for (let i = 0; i < batch.count; i++) {
    const entryEnd = entryAt + buffer.readUInt32LE(lengthsAt + i * 4)
    const keyBytes = storedKeyBytes(buffer, entryAt)
    const keyAt = entryAt + RECORD_HEADER_BYTES
    const dataAt = keyAt + Math.max(keyBytes, 0)
    if (i > 0) cursor.advance()
    bytes[0] = keyBytes < 0 ? MAP_OF.withoutKey : MAP_OF.withKey
    head.setNumber(cursor)
    body.set(bytes, at)
    at = writeLength(body, at + bytes.length, BYTE_STRING, entryEnd - dataAt)
    at += buffer.copy(body, at, dataAt, entryEnd)
    if (keyBytes >= 0) {
      for (let k = 0; k < BEFORE_KEY.length; k++) body[at + k] = BEFORE_KEY[k]!
      at = writeLength(body, at + BEFORE_KEY.length, TEXT, keyBytes)
      at = copyKey(body, at, buffer, keyAt, dataAt)
    }
    entryAt = entryEnd
  }
  return at
}

/** The head of a byte string or a text. */
function writeLength(body: Buffer, at: number, type: number, length: number): number {
  if (length < 24) {
    body[at] = type | length
    return at + 1
  }
  if (length < 0x100) {
    body[at] = type | 24
    body[at + 1] = length
    return at + 2
  }
  if (length < 0x1_0000) {
    body[at] = type | 25
    return body.writeUInt16BE(length, at + 1)
  }
  body[at] = type | 26
  return body.writeUInt32BE(length, at + 1)
}

function copyKey(body: Buffer, at: number, buffer: Buffer, keyAt: number, keyEnd: number): number {
  if (keyEnd - keyAt > LOOP_BYTES_MAX) return at + buffer.copy(body, at, keyAt, keyEnd)
  for (let i = keyAt; i < keyEnd; i++) body[at + i - keyAt] = buffer[i]!
  return at + keyEnd - keyAt
}
