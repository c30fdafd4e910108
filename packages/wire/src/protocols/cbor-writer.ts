// Writes AWS CBOR 1.1 (protocols/cbor.ts reads it): definite lengths, the shortest integers, byte strings
// for blobs, tag 1 over an integer count of milliseconds for moments. Never a float there: the SDKs'
// parsers fail on one.
import type { Payload } from '../payload.ts'
import type { Shape, StructureShape } from '../shape.ts'
import { isEventStream } from './json.ts'

/** A finished text of this size or more leaves with its buffer; a smaller one is copied out of it. */
const OWN_BUFFER_BYTES = 64 * 1024
const FIRST_BUFFER_BYTES = 16 * 1024
/** Below 256, so that a length takes one byte at most. */
const SHORT_TEXT = 128

/** A buffer that grows by doubling, and the heads of CBOR items. */
export class CborSink {
  #buffer = Buffer.allocUnsafeSlow(FIRST_BUFFER_BYTES)
  #length = 0

  head(major: number, argument: number): void {
    const buffer = this.#reserve(9)
    let at = this.#length
    const type = major << 5
    if (argument < 24) {
      buffer[at++] = type | argument
    } else if (argument < 0x100) {
      buffer[at++] = type | 24
      buffer[at++] = argument
    } else if (argument < 0x10000) {
      buffer[at++] = type | 25
      at = buffer.writeUInt16BE(argument, at)
    } else if (argument < 0x100000000) {
      buffer[at++] = type | 26
      at = buffer.writeUInt32BE(argument, at)
    } else {
      buffer[at++] = type | 27
      at = buffer.writeUInt32BE(Math.floor(argument / 0x100000000), at)
      at = buffer.writeUInt32BE(argument % 0x100000000, at)
    }
    this.#length = at
  }

  text(text: string): void {
    const length = text.length
    if (length > SHORT_TEXT || !this.#shortAscii(text)) {
      const byteLength = Buffer.byteLength(text)
      this.head(3, byteLength)
      this.#reserve(byteLength).write(text, this.#length, byteLength, 'utf8')
      this.#length += byteLength
    }
  }

  /** Most texts are short and ASCII, and a loop beats two calls into native code. */
  #shortAscii(text: string): boolean {
    const length = text.length
    const buffer = this.#reserve(length + 2)
    let at = this.#length
    if (length >= 24) buffer[at++] = (3 << 5) | 24
    buffer[at] = length < 24 ? (3 << 5) | length : length
    at += 1
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index)
      if (code > 127) return false
      buffer[at++] = code
    }
    this.#length = at
    return true
  }

  /** Items that were written before, as they are. */
  raw(bytes: Uint8Array): void {
    const length = bytes.length
    const buffer = this.#reserve(length)
    const start = this.#length
    for (let index = 0; index < length; index++) buffer[start + index] = bytes[index] as number
    this.#length = start + length
  }

  bytes(payload: Payload): void {
    this.head(2, payload.byteLength)
    payload.writeTo(this.#reserve(payload.byteLength), this.#length)
    this.#length += payload.byteLength
  }

  integer(value: number): void {
    if (!Number.isSafeInteger(value)) throw new Error(`${value} is no integer to write`)
    if (value < 0) this.head(1, -1 - value)
    else this.head(0, value)
  }

  double(value: number): void {
    const buffer = this.#reserve(9)
    buffer[this.#length] = 0xfb
    this.#length = buffer.writeDoubleBE(value, this.#length + 1)
  }

  simple(code: 20 | 21 | 22): void {
    this.head(7, code)
  }

  /** What was written since the last call. */
  take(): Uint8Array {
    const length = this.#length
    const buffer = this.#buffer
    this.#length = 0
    if (length < OWN_BUFFER_BYTES) return Buffer.from(buffer.subarray(0, length))
    this.#buffer = Buffer.allocUnsafeSlow(FIRST_BUFFER_BYTES)
    return buffer.subarray(0, length)
  }

  /** Forgets what was written: for a value that turned out not to be writable. */
  drop(): void {
    this.#length = 0
  }

  #reserve(byteLength: number): Buffer {
    const needed = this.#length + byteLength
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2))
      this.#buffer.copy(larger, 0, 0, this.#length)
      this.#buffer = larger
    }
    return this.#buffer
  }
}

export type ToCbor = (sink: CborSink, value: unknown) => void

/** Compiles writers; shapes that refer to themselves share theirs. */
export class CborWriters {
  readonly #writers = new Map<Shape, ToCbor>()

  of(shape: Shape): ToCbor {
    const known = this.#writers.get(shape)
    if (known !== undefined) return known
    this.#writers.set(shape, (sink, value) => writer(sink, value))
    const writer = this.#compile(shape)
    this.#writers.set(shape, writer)
    return writer
  }

  #compile(shape: Shape): ToCbor {
    switch (shape.kind) {
      case 'structure':
        return structureWriter(shape, (member) => this.of(member))
      case 'list': {
        const item = this.of(shape.item)
        return (sink, value) => {
          const list = value as readonly unknown[]
          sink.head(4, list.length)
          for (const each of list) item(sink, each)
        }
      }
      case 'map': {
        const item = this.of(shape.value)
        return (sink, value) => {
          const entries = Object.entries(value as Record<string, unknown>)
          sink.head(5, entries.length)
          for (const [key, each] of entries) {
            sink.text(key)
            item(sink, each)
          }
        }
      }
      case 'string':
        return (sink, value) => sink.text(value as string)
      case 'blob':
        return (sink, value) => sink.bytes(value as Payload)
      case 'boolean':
        return (sink, value) => sink.simple(value === true ? 21 : 20)
      case 'timestamp':
        return (sink, value) => {
          sink.head(6, 1)
          sink.integer(Math.round(value as number))
        }
      case 'integer':
      case 'long':
        return (sink, value) => sink.integer(value as number)
      case 'double':
      case 'float':
        return (sink, value) => sink.double(value as number)
    }
  }
}

/** Only what the shape names goes out; an event stream follows its message, it isn't in it. */
function structureWriter(shape: StructureShape, writerOf: (shape: Shape) => ToCbor): ToCbor {
  const members = shape.members
    .filter((member) => !isEventStream(member.shape))
    .map(({ name, shape }) => ({ name, key: keyItem(name), toCbor: writerOf(shape) }))
  return (sink, value) => {
    const structure = value as Record<string, unknown>
    let count = 0
    for (const { name } of members) if (structure[name] !== undefined) count += 1
    sink.head(5, count)
    for (const { name, key, toCbor } of members) {
      const found = structure[name]
      if (found === undefined) continue
      sink.raw(key)
      toCbor(sink, found)
    }
  }
}

const keySink = new CborSink()

function keyItem(name: string): Uint8Array {
  keySink.text(name)
  return keySink.take()
}

/** Any value that JSON could hold, as an error's further members are. */
export function writeAny(sink: CborSink, value: unknown): void {
  if (typeof value === 'string') sink.text(value)
  else if (typeof value === 'boolean') sink.simple(value ? 21 : 20)
  else if (typeof value === 'number')
    Number.isSafeInteger(value) ? sink.integer(value) : sink.double(value)
  else if (value === null || value === undefined) sink.simple(22)
  else if (Array.isArray(value)) {
    sink.head(4, value.length)
    for (const each of value) writeAny(sink, each)
  } else {
    const entries = Object.entries(value)
    sink.head(5, entries.length)
    for (const [key, each] of entries) {
      sink.text(key)
      writeAny(sink, each)
    }
  }
}
