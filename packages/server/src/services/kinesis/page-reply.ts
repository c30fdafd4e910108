// The answer of GetRecords, shaped by hand: each record goes from the buffer it was stored or read in
// straight into the body, with one copy. It promises the bytes that the codec would write for the same
// values, and lets storage have its buffers back as soon as the body is made.
import { assert } from '@millrace/base/assert'
import type { Batch } from '@millrace/storage/engine'
import type { Protocol } from '@millrace/wire/codec'
import { CborSink, writeAny } from '@millrace/wire/protocols/cbor-writer'
import { SEQUENCE_NUMBER_DIGITS } from '@millrace/wire/sequence-number'
import type { ChildShard } from '@millrace/wire/services/kinesis'
import type { PreparedReply } from '../../platform/operation.ts'
import { RECORD_HEADER_BYTES, storedKeyBytes } from './record.ts'
import type { Page, Shard } from './shard.ts'

declare global {
  interface Buffer {
    base64Slice(start: number, end: number): string
  }
}

/** What follows the records. */
export interface PageEnd {
  readonly nextShardIterator: string | undefined
  readonly millisBehindLatest: number
  readonly childShards: readonly ChildShard[] | undefined
}

export class PageReply implements PreparedReply {
  readonly isPrepared = true
  readonly #shard: Shard
  readonly #end: PageEnd
  #page: Page | undefined

  constructor(shard: Shard, page: Page, end: PageEnd) {
    this.#shard = shard
    this.#page = page
    this.#end = end
  }

  /** Once only: afterwards the page's buffers are storage's again. */
  encode(protocol: Protocol): Uint8Array {
    const page = this.#page
    assert(page !== undefined, 'a page is encoded once')
    this.#page = undefined
    try {
      return protocol === 'json'
        ? jsonBody(this.#shard, page, this.#end)
        : cborBody(this.#shard, page, this.#end)
    } finally {
      page.release()
    }
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const CLOSING_BRACE = 0x7d
const SPACE = 0x20
/** Up to here a loop over bytes is quicker than a native copy. */
const LOOP_BYTES_MAX = 24

const NUMBER_PLACE = ' '.repeat(SEQUENCE_NUMBER_DIGITS)

const JSON_START = '{"Records":['
const JSON_BEFORE_NUMBER = '{"SequenceNumber":"'
const JSON_BEFORE_TIME = '","ApproximateArrivalTimestamp":'
const JSON_BEFORE_DATA = ',"Data":"'
const JSON_BEFORE_KEY = Buffer.from('","PartitionKey":"')
/** What a record takes beside number, time, data and key: with the end `"},`. */
const JSON_ROW_BYTES =
  JSON_BEFORE_NUMBER.length +
  SEQUENCE_NUMBER_DIGITS +
  JSON_BEFORE_TIME.length +
  JSON_BEFORE_DATA.length +
  JSON_BEFORE_KEY.length +
  3

function jsonBody(shard: Shard, page: Page, end: PageEnd): Uint8Array {
  const tail = jsonTail(end)
  const times = page.batches.map((batch) => String(batch.timeMs / 1000))
  let bytes = JSON_START.length + tail.length
  page.batches.forEach((batch, index) => {
    bytes += batch.count * (JSON_ROW_BYTES + times[index]!.length) + jsonRecordBytes(batch)
  })
  const body = Buffer.allocUnsafe(bytes)
  let at = body.latin1Write(JSON_START, 0, JSON_START.length)
  page.batches.forEach((batch, index) => {
    at = writeJsonBatch(body, at, shard, batch, times[index]!)
  })
  // The last record's comma goes.
  if (page.count > 0) at--
  at += body.latin1Write(tail, at, tail.length)
  return body.subarray(0, at)
}

/** Tokens, numbers, shard ids and hash keys need no escapes: the tail is ASCII. */
function jsonTail({ nextShardIterator, millisBehindLatest, childShards }: PageEnd): string {
  const next = nextShardIterator === undefined ? '' : `"NextShardIterator":"${nextShardIterator}",`
  const children = childShards === undefined ? '' : `,"ChildShards":${JSON.stringify(childShards)}`
  return `],${next}"MillisBehindLatest":${millisBehindLatest}${children}}`
}

/** Bytes of all data as base64 and all keys with their escapes. */
function jsonRecordBytes(batch: Batch): number {
  const { buffer, lengthsAt } = batch
  let bytes = 0
  let at = batch.entriesAt
  for (let i = 0; i < batch.count; i++) {
    const length = buffer.readUInt32LE(lengthsAt + i * 4)
    const keyBytes = Math.max(storedKeyBytes(buffer, at), 0)
    const keyAt = at + RECORD_HEADER_BYTES
    const dataBytes = length - RECORD_HEADER_BYTES - keyBytes
    bytes += Math.ceil(dataBytes / 3) * 4 + keyBytes
    for (let k = keyAt; k < keyAt + keyBytes; k++) {
      if (isEscaped(buffer[k]!)) bytes += ESCAPE_BYTES_MAX - 1
    }
    at += length
  }
  return bytes
}

/** `\u001f` */
const ESCAPE_BYTES_MAX = 6

function isEscaped(byte: number): boolean {
  return byte < SPACE || byte === QUOTE || byte === BACKSLASH
}

/** The part of a record before its data; in one batch only the number differs. */
const jsonHead = Buffer.alloc(256)

function writeJsonBatch(
  body: Buffer,
  start: number,
  shard: Shard,
  batch: Batch,
  time: string,
): number {
  const { buffer, lengthsAt } = batch
  const headText = `${JSON_BEFORE_NUMBER}${NUMBER_PLACE}${JSON_BEFORE_TIME}${time}${JSON_BEFORE_DATA}`
  const headBytes = jsonHead.latin1Write(headText, 0, headText.length)
  const head = jsonHead.subarray(0, headBytes)
  const cursor = shard.readAt(batch.firstOffset, batch.timeMs)
  let at = start
  let entryAt = batch.entriesAt
  for (let i = 0; i < batch.count; i++) {
    const entryEnd = entryAt + buffer.readUInt32LE(lengthsAt + i * 4)
    const keyBytes = storedKeyBytes(buffer, entryAt)
    const keyAt = entryAt + RECORD_HEADER_BYTES
    const dataAt = keyAt + Math.max(keyBytes, 0)
    cursor.writeTo(head, JSON_BEFORE_NUMBER.length)
    cursor.advance()
    body.set(head, at)
    at += headBytes
    const data = buffer.base64Slice(dataAt, entryEnd)
    at += body.latin1Write(data, at, data.length)
    if (keyBytes >= 0) at = writeJsonKey(body, at, buffer, keyAt, dataAt)
    body[at] = QUOTE
    body[at + 1] = CLOSING_BRACE
    body[at + 2] = COMMA
    at += 3
    entryAt = entryEnd
  }
  return at
}

/** Keys are stored as UTF-8, which is what the body wants, but for the few characters JSON escapes. */
function writeJsonKey(
  body: Buffer,
  start: number,
  buffer: Buffer,
  keyAt: number,
  keyEnd: number,
): number {
  for (let i = 0; i < JSON_BEFORE_KEY.length; i++) body[start + i] = JSON_BEFORE_KEY[i]!
  const at = start + JSON_BEFORE_KEY.length
  for (let i = keyAt; i < keyEnd; i++) {
    const byte = buffer[i]!
    if (isEscaped(byte)) {
      const text = JSON.stringify(buffer.utf8Slice(keyAt, keyEnd)).slice(1, -1)
      return at + body.write(text, at, 'utf8')
    }
    body[at + i - keyAt] = byte
  }
  return at + keyEnd - keyAt
}

const cborTail = new CborSink()
const CBOR_BEFORE_NUMBER = Buffer.concat([
  Buffer.from([0x6e]),
  Buffer.from('SequenceNumber'),
  Buffer.from([0x78, SEQUENCE_NUMBER_DIGITS]),
])
/** With tag 1 and the head of the 64-bit integer that milliseconds take until the year 292278994. */
const CBOR_BEFORE_TIME = Buffer.concat([
  Buffer.from([0x78, 27]),
  Buffer.from('ApproximateArrivalTimestamp'),
  Buffer.from([0xc1, 0x1b]),
])
const CBOR_BEFORE_DATA = Buffer.concat([Buffer.from([0x64]), Buffer.from('Data')])
const CBOR_BEFORE_KEY = Buffer.concat([Buffer.from([0x6c]), Buffer.from('PartitionKey')])
const CBOR_HEAD_BYTES_MAX = 9
const CBOR_TIME_BYTES = 8
const CBOR_MAP_OF = { withKey: 0xa4, withoutKey: 0xa3 }
/** What a record takes at most beside data and key. */
const CBOR_ROW_BYTES =
  1 +
  CBOR_BEFORE_NUMBER.length +
  SEQUENCE_NUMBER_DIGITS +
  CBOR_BEFORE_TIME.length +
  CBOR_TIME_BYTES +
  CBOR_BEFORE_DATA.length +
  CBOR_BEFORE_KEY.length +
  2 * CBOR_HEAD_BYTES_MAX

function cborBody(shard: Shard, page: Page, end: PageEnd): Uint8Array {
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
  const bytes = start.length + page.bytes + page.count * CBOR_ROW_BYTES + tail.length
  const body = Buffer.allocUnsafe(bytes)
  body.set(start)
  let at = start.length
  for (const batch of page.batches) at = writeCborBatch(body, at, shard, batch)
  body.set(tail, at)
  return body.subarray(0, at + tail.length)
}

const cborHead = Buffer.alloc(256)
const CBOR_NUMBER_AT = 1 + CBOR_BEFORE_NUMBER.length
const CBOR_TIME_AT = CBOR_NUMBER_AT + SEQUENCE_NUMBER_DIGITS + CBOR_BEFORE_TIME.length
const CBOR_ROW_HEAD_BYTES = CBOR_TIME_AT + CBOR_TIME_BYTES + CBOR_BEFORE_DATA.length

function writeCborBatch(body: Buffer, start: number, shard: Shard, batch: Batch): number {
  const { buffer, lengthsAt, timeMs } = batch
  cborHead.set(CBOR_BEFORE_NUMBER, 1)
  cborHead.set(CBOR_BEFORE_TIME, CBOR_NUMBER_AT + SEQUENCE_NUMBER_DIGITS)
  cborHead.writeUInt32BE(Math.floor(timeMs / 0x1_0000_0000), CBOR_TIME_AT)
  cborHead.writeUInt32BE(timeMs % 0x1_0000_0000, CBOR_TIME_AT + 4)
  cborHead.set(CBOR_BEFORE_DATA, CBOR_TIME_AT + CBOR_TIME_BYTES)
  const head = cborHead.subarray(0, CBOR_ROW_HEAD_BYTES)
  const cursor = shard.readAt(batch.firstOffset, timeMs)
  let at = start
  let entryAt = batch.entriesAt
  for (let i = 0; i < batch.count; i++) {
    const entryEnd = entryAt + buffer.readUInt32LE(lengthsAt + i * 4)
    const keyBytes = storedKeyBytes(buffer, entryAt)
    const keyAt = entryAt + RECORD_HEADER_BYTES
    const dataAt = keyAt + Math.max(keyBytes, 0)
    head[0] = keyBytes < 0 ? CBOR_MAP_OF.withoutKey : CBOR_MAP_OF.withKey
    cursor.writeTo(head, CBOR_NUMBER_AT)
    cursor.advance()
    body.set(head, at)
    at = writeCborLength(body, at + CBOR_ROW_HEAD_BYTES, 0x40, entryEnd - dataAt)
    at += buffer.copy(body, at, dataAt, entryEnd)
    if (keyBytes >= 0) {
      for (let k = 0; k < CBOR_BEFORE_KEY.length; k++) body[at + k] = CBOR_BEFORE_KEY[k]!
      at = writeCborLength(body, at + CBOR_BEFORE_KEY.length, 0x60, keyBytes)
      at = copyKey(body, at, buffer, keyAt, dataAt)
    }
    entryAt = entryEnd
  }
  return at
}

/** The head of a byte string (0x40) or a text (0x60). */
function writeCborLength(body: Buffer, at: number, type: number, length: number): number {
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
