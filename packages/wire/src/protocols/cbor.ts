// Reads AWS CBOR 1.1, the dialect that Java SDKs speak by default: RFC 8949 with byte strings for blobs and
// tag 1 over an integer count of milliseconds for moments (RFC 8949 means seconds there; a float under
// tag 1 is taken as those). Definite and indefinite lengths, integers and floats of all widths; other
// tags are looked through. Depth is bounded, lengths are checked against the body, and what isn't
// exactly one map is unparsable.
//
// Example: {"StreamName":"a"} as the Java SDK sends it
//   bf                          map of indefinite length
//     6a 53747265616d4e616d65   text of 10 bytes, "StreamName"
//     61 61                     text of 1 byte, "a"
//   ff                          end
import { RangePayload } from '../payload.ts'

/** How deep lists, maps and tags may hold each other. */
const DEPTH_MAX = 64

const BYTES = 2
const TEXT = 3
const LIST = 4
const MAP = 5
const TAG = 6
const INDEFINITE = 31
const BREAK = 0xff
const MOMENT_TAG = 1
const NOTHING = Buffer.alloc(0)

/** Thrown inside only: one value, since nobody reads its stack. */
const unparsable = new Error('not one CBOR map')

// Parsing is synchronous and these are its state: plain variables are what the engine reads fastest.
let source: Buffer = NOTHING
let at = 0

/** The map that a body holds, or undefined when it isn't exactly one. The last of equal keys wins. */
export function parseCbor(body: Buffer): Record<string, unknown> | undefined {
  source = body
  at = 0
  try {
    const value = readItem(0)
    const isMap =
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      !(value instanceof RangePayload)
    return isMap && at === body.length ? (value as Record<string, unknown>) : undefined
  } catch (error) {
    if (error === unparsable) return undefined
    throw error
  } finally {
    source = NOTHING
  }
}

function readItem(depth: number): unknown {
  const head = readByte()
  const info = head & 31
  switch (head >> 5) {
    case 0:
      return readArgument(info)
    case 1:
      return -1 - readArgument(info)
    case BYTES:
      return readBytes(info)
    case TEXT:
      return readText(info)
    case LIST:
      return readList(info, depth)
    case MAP:
      return readMap(info, depth)
    case TAG:
      return readTagged(info, depth)
    default:
      return readSimple(info)
  }
}

function readBytes(info: number): RangePayload {
  if (info === INDEFINITE) {
    const whole = Buffer.concat(readChunks(BYTES))
    return new RangePayload(whole, 0, whole.length)
  }
  const length = readArgument(info)
  const start = at
  skip(length)
  return new RangePayload(source, start, length)
}

function readText(info: number): string {
  if (info === INDEFINITE) {
    const parts = readChunks(TEXT)
    return parts.map((part) => part.toString('utf8')).join('')
  }
  const length = readArgument(info)
  const start = at
  skip(length)
  return source.utf8Slice(start, at)
}

/** The parts of a string of indefinite length; each is a string of definite length of the same kind. */
function readChunks(major: number): Buffer[] {
  const chunks: Buffer[] = []
  for (let head = readByte(); head !== BREAK; head = readByte()) {
    if (head >> 5 !== major) throw unparsable
    const length = readArgument(head & 31)
    const start = at
    skip(length)
    chunks.push(source.subarray(start, at))
  }
  return chunks
}

function readList(info: number, depth: number): unknown[] {
  if (depth === DEPTH_MAX) throw unparsable
  const list: unknown[] = []
  if (info === INDEFINITE) {
    while (source[at] !== BREAK) list.push(readItem(depth + 1))
    at += 1
    return list
  }
  const count = readArgument(info)
  if (count > source.length - at) throw unparsable
  for (let index = 0; index < count; index++) list.push(readItem(depth + 1))
  return list
}

function readMap(info: number, depth: number): Record<string, unknown> {
  if (depth === DEPTH_MAX) throw unparsable
  const map: Record<string, unknown> = {}
  if (info === INDEFINITE) {
    while (source[at] !== BREAK) readEntry(map, depth)
    at += 1
    return map
  }
  const count = readArgument(info)
  if (count > (source.length - at) / 2) throw unparsable
  for (let index = 0; index < count; index++) readEntry(map, depth)
  return map
}

function readEntry(map: Record<string, unknown>, depth: number): void {
  const key = readKey()
  const value = readItem(depth + 1)
  if (key === '__proto__') {
    // An assignment would set the map's prototype.
    Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true })
  } else {
    map[key] = value
  }
}

/** A tag and what it is over. Of all tags only moments mean something here. */
function readTagged(info: number, depth: number): unknown {
  if (depth === DEPTH_MAX) throw unparsable
  const tag = readArgument(info)
  const isFloat = (source[at] ?? 0) >> 5 === 7
  const value = readItem(depth + 1)
  if (tag === MOMENT_TAG && isFloat && typeof value === 'number') return value * 1000
  return value
}

function readSimple(info: number): unknown {
  switch (info) {
    case 20:
      return false
    case 21:
      return true
    case 22:
    case 23:
      return null
    case 25:
      return halfFloat(readUnsigned(2))
    case 26:
      skip(4)
      return source.readFloatBE(at - 4)
    case 27:
      skip(8)
      return source.readDoubleBE(at - 8)
    default:
      throw unparsable
  }
}

function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/** The number that follows a head: a length, a count, a tag, an integer. Past 2^53 it is rounded. */
function readArgument(info: number): number {
  if (info < 24) return info
  switch (info) {
    case 24:
      return readByte()
    case 25:
      return readUnsigned(2)
    case 26:
      return readUnsigned(4)
    case 27:
      return readUnsigned(4) * 2 ** 32 + readUnsigned(4)
    default:
      throw unparsable
  }
}

function readUnsigned(width: number): number {
  skip(width)
  let value = 0
  for (let index = at - width; index < at; index++) value = value * 256 + (source[index] as number)
  return value
}

function readByte(): number {
  const byte = source[at]
  if (byte === undefined) throw unparsable
  at += 1
  return byte
}

function skip(length: number): void {
  if (length > source.length - at) throw unparsable
  at += length
}

/** Keys are member names, few and repeated: the text of a key seen before is taken from here. */
const KEY_SLOTS = 256
const KEY_BYTES_MAX = 48
const keyTexts: string[] = new Array(KEY_SLOTS).fill('')
const keyBytes: Buffer[] = new Array(KEY_SLOTS).fill(NOTHING)

function readKey(): string {
  const head = readByte()
  if (head >> 5 !== TEXT) throw unparsable
  const info = head & 31
  if (info === INDEFINITE) return readText(info)
  const length = readArgument(info)
  if (length === 0 || length > KEY_BYTES_MAX) {
    const start = at
    skip(length)
    return source.utf8Slice(start, at)
  }
  const start = at
  skip(length)
  const first = source[start] as number
  const last = source[at - 1] as number
  const slot = (length * 31 + first * 7 + last) & (KEY_SLOTS - 1)
  const known = keyBytes[slot] as Buffer
  if (known.length === length && isAt(known, start)) return keyTexts[slot] as string
  const text = source.utf8Slice(start, at)
  keyTexts[slot] = text
  keyBytes[slot] = Buffer.from(source.subarray(start, at))
  return text
}

function isAt(bytes: Buffer, start: number): boolean {
  for (let index = 0; index < bytes.length; index++) {
    if (source[start + index] !== bytes[index]) return false
  }
  return true
}
