// GetRecords' answer in JSON: the data's base64 and the keys go from storage's buffers into one body of
// just the right size. What records have in common stands in a head that is copied for each; of the
// sequence number only the digits that have changed are written again.
import type { Batch } from '@millrace/storage/engine'
import type { SequenceCursor } from '@millrace/wire/sequence-cursor'
import { SEQUENCE_NUMBER_DIGITS } from '@millrace/wire/sequence-number'
import type { Page, PageEnd } from './page.ts'
import { RECORD_HEADER_BYTES, storedKeyBytes } from './record.ts'
import type { Shard } from './shard.ts'

declare global {
  interface Buffer {
    base64Slice(start: number, end: number): string
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const CLOSING_BRACE = 0x7d
const SPACE = 0x20

const START = '{"Records":['
const BEFORE_NUMBER = '{"SequenceNumber":"'
const BEFORE_TIME = '","ApproximateArrivalTimestamp":'
const BEFORE_DATA = ',"Data":"'
const BEFORE_KEY = Buffer.from('","PartitionKey":"')
/** What a record takes beside time, data and key: with the end `"},`. */
const ROW_BYTES =
  BEFORE_NUMBER.length +
  SEQUENCE_NUMBER_DIGITS +
  BEFORE_TIME.length +
  BEFORE_DATA.length +
  BEFORE_KEY.length +
  3
const NUMBER_AT = BEFORE_NUMBER.length
const TIME_AT = NUMBER_AT + SEQUENCE_NUMBER_DIGITS + BEFORE_TIME.length
/** The longest time is that of a number with 16 digits and a point. */
const TIME_BYTES_MAX = 17

/** By byte: how many more it may take when JSON escapes it, as in `\u001f`. */
const ESCAPE_BYTES = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < SPACE || byte === QUOTE || byte === BACKSLASH ? 5 : 0,
)
/** By milliseconds: the fraction of a second. */
const FRACTIONS = Array.from({ length: 1000 }, (_, ms) => String(ms / 1000).slice(1))

/** The body of GetRecords' answer in JSON. */
export function jsonPage(shard: Shard, page: Page, end: PageEnd): Uint8Array {
  const tail = tailOf(end)
  let escapeBytes = 0
  let bytes = START.length + tail.length + page.count * (ROW_BYTES + TIME_BYTES_MAX)
  for (const batch of page.batches) {
    const sizes = sizesOf(batch)
    bytes += sizes.plain + sizes.escapes
    escapeBytes += sizes.escapes
  }
  const body = Buffer.allocUnsafe(bytes)
  let at = body.latin1Write(START, 0, START.length)
  head.reset()
  for (const batch of page.batches) at = writeBatch(body, at, shard, batch, escapeBytes > 0)
  // The last record's comma goes.
  if (page.count > 0) at--
  at += body.latin1Write(tail, at, tail.length)
  return body.subarray(0, at)
}

/** Tokens, numbers, shard ids and hash keys need no escapes: the tail is ASCII. */
function tailOf({ nextShardIterator, millisBehindLatest, childShards }: PageEnd): string {
  const next = nextShardIterator === undefined ? '' : `"NextShardIterator":"${nextShardIterator}",`
  const children = childShards === undefined ? '' : `,"ChildShards":${JSON.stringify(childShards)}`
  return `],${next}"MillisBehindLatest":${millisBehindLatest}${children}}`
}

/** Bytes of all data as base64 and all keys, and what their escapes may take. */
function sizesOf(batch: Batch): { readonly plain: number; readonly escapes: number } {
  const { buffer, lengthsAt } = batch
  let plain = 0
  let escapes = 0
  let at = batch.entriesAt
  for (let i = 0; i < batch.count; i++) {
    const length = buffer.readUInt32LE(lengthsAt + i * 4)
    const keyBytes = Math.max(storedKeyBytes(buffer, at), 0)
    const keyAt = at + RECORD_HEADER_BYTES
    const dataAt = keyAt + keyBytes
    at += length
    plain += (((at - dataAt + 2) / 3) | 0) * 4 + keyBytes
    for (let k = keyAt; k < dataAt; k++) escapes += ESCAPE_BYTES[buffer[k]!]!
  }
  return { plain, escapes }
}

/** The part of a record before its data. */
class Head {
  readonly #bytes = Buffer.alloc(TIME_AT + TIME_BYTES_MAX + BEFORE_DATA.length)
  #timeMs = -1
  #seconds = -1
  #secondsText = ''
  #upperChanges = -1
  /** As much as is in use. */
  bytes: Buffer = this.#bytes

  constructor() {
    this.#bytes.latin1Write(BEFORE_NUMBER, 0, BEFORE_NUMBER.length)
    this.#bytes.latin1Write(BEFORE_TIME, TIME_AT - BEFORE_TIME.length, BEFORE_TIME.length)
  }

  /** Begins a page: the next number is of another shard, perhaps. */
  reset(): void {
    this.#upperChanges = -1
  }

  setTime(timeMs: number): void {
    if (timeMs === this.#timeMs) return
    const seconds = Math.floor(timeMs / 1000)
    if (seconds !== this.#seconds) {
      this.#seconds = seconds
      this.#secondsText = String(seconds)
    }
    const text = `${this.#secondsText}${FRACTIONS[timeMs - seconds * 1000]}${BEFORE_DATA}`
    const end = TIME_AT + this.#bytes.latin1Write(text, TIME_AT, text.length)
    if (end !== this.bytes.length) this.bytes = this.#bytes.subarray(0, end)
    this.#timeMs = timeMs
  }

  setNumber(cursor: SequenceCursor): void {
    if (cursor.upperChanges === this.#upperChanges) {
      cursor.writeLowerTo(this.#bytes, NUMBER_AT)
    } else {
      cursor.writeTo(this.#bytes, NUMBER_AT)
      this.#upperChanges = cursor.upperChanges
    }
  }
}

/** One serves all: a page is written in one synchronous step. */
const head = new Head()

function writeBatch(
  body: Buffer,
  start: number,
  shard: Shard,
  batch: Batch,
  hasEscapes: boolean,
): number {
  const { buffer, lengthsAt } = batch
  head.setTime(batch.timeMs)
  const headBytes = head.bytes
  const cursor = shard.readAt(batch.firstOffset, batch.timeMs)
  let at = start
  let entryAt = batch.entriesAt
  for (let i = 0; i < batch.count; i++) {
    const entryEnd = entryAt + buffer.readUInt32LE(lengthsAt + i * 4)
    const keyBytes = storedKeyBytes(buffer, entryAt)
    const keyAt = entryAt + RECORD_HEADER_BYTES
    const dataAt = keyAt + Math.max(keyBytes, 0)
    if (i > 0) cursor.advance()
    head.setNumber(cursor)
    body.set(headBytes, at)
    at += headBytes.length
    const data = buffer.base64Slice(dataAt, entryEnd)
    at += body.latin1Write(data, at, data.length)
    if (keyBytes >= 0) {
      for (let k = 0; k < BEFORE_KEY.length; k++) body[at + k] = BEFORE_KEY[k]!
      at += BEFORE_KEY.length
      if (hasEscapes) at = writeEscaped(body, at, buffer, keyAt, dataAt)
      else for (let k = keyAt; k < dataAt; k++) body[at++] = buffer[k]!
    }
    body[at] = QUOTE
    body[at + 1] = CLOSING_BRACE
    body[at + 2] = COMMA
    at += 3
    entryAt = entryEnd
  }
  return at
}

/** Keys are stored as UTF-8, which is what the body wants, but for the few characters JSON escapes. */
function writeEscaped(
  body: Buffer,
  at: number,
  buffer: Buffer,
  keyAt: number,
  keyEnd: number,
): number {
  const text = JSON.stringify(buffer.utf8Slice(keyAt, keyEnd)).slice(1, -1)
  return at + body.write(text, at, 'utf8')
}
