// How a record lies in its log entry. The engine keeps offset, time and length; here is the rest:
//
//   0   u8   layout: low four bits are its version, 1; 0x80 says that there is no partition key
//   1   u16  bytes of the partition key, little endian
//   3        the partition key, UTF-8
//   …        the data
//
// Neither the hash key nor the sequence number is stored: the shard has the first one's range, and the
// second follows from offset and time. Worked example: key "k" and data "abc" are the seven bytes
// 01 01 00 6b 61 62 63.
import { assert } from '@millrace/base/assert'
import type { Payload } from '@millrace/wire/payload'

declare global {
  interface Buffer {
    latin1Write(text: string, at: number, length: number): number
    utf8Slice(start: number, end: number): string
  }
}

export const RECORD_HEADER_BYTES = 3

const LAYOUT_VERSION = 1
const VERSION_MASK = 0x0f
const NO_KEY = 0x80
/** Up to here a loop over characters is quicker than a native write. */
const LOOP_CHARACTERS_MAX = 24

/** Bytes of a partition key in UTF-8. */
export function partitionKeyBytes(key: string): number {
  for (let i = 0; i < key.length; i++) {
    if (key.charCodeAt(i) > 0x7f) return Buffer.byteLength(key)
  }
  return key.length
}

/** Writes a record at `at` and gives the position after it; `keyBytes` is the key's UTF-8 length. */
export function writeRecord(
  target: Buffer,
  at: number,
  key: string | undefined,
  keyBytes: number,
  data: Payload,
): number {
  target[at] = key === undefined ? LAYOUT_VERSION | NO_KEY : LAYOUT_VERSION
  target[at + 1] = keyBytes
  target[at + 2] = keyBytes >>> 8
  const keyAt = at + RECORD_HEADER_BYTES
  if (key !== undefined) writeKey(target, keyAt, key, keyBytes)
  data.writeTo(target, keyAt + keyBytes)
  return keyAt + keyBytes + data.byteLength
}

function writeKey(target: Buffer, at: number, key: string, keyBytes: number): void {
  if (keyBytes !== key.length) target.write(key, at, keyBytes, 'utf8')
  else if (keyBytes > LOOP_CHARACTERS_MAX) target.latin1Write(key, at, keyBytes)
  else for (let i = 0; i < keyBytes; i++) target[at + i] = key.charCodeAt(i)
}

/** Bytes of the partition key of the record at `at`; -1 when the record has none. */
export function storedKeyBytes(buffer: Buffer, at: number): number {
  const layout = buffer[at]!
  assert((layout & VERSION_MASK) === LAYOUT_VERSION, 'a record has a layout that is known')
  if ((layout & NO_KEY) !== 0) return -1
  return buffer[at + 1]! | (buffer[at + 2]! << 8)
}

/** A stored record as values, for readers inside the process; `data` is a view into the buffer. */
export interface StoredRecord {
  readonly partitionKey: string | undefined
  readonly data: Buffer
}

export function readRecord(buffer: Buffer, start: number, end: number): StoredRecord {
  const keyBytes = storedKeyBytes(buffer, start)
  const keyAt = start + RECORD_HEADER_BYTES
  const dataAt = keyAt + Math.max(keyBytes, 0)
  assert(dataAt <= end, 'a record holds its partition key')
  return {
    partitionKey: keyBytes < 0 ? undefined : buffer.utf8Slice(keyAt, dataAt),
    data: buffer.subarray(dataAt, end),
  }
}
