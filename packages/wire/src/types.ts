// Gives a parsed body the types of its shapes, in place: blobs become payloads, timestamps milliseconds,
// numbers are floored and saturate; null members count as absent and unknown members are left alone. A
// value of another type is a SerializationException in the real service's words (seen by tests that
// kinesalite ran against it). Readers are compiled once per shape; the good path allocates payloads only.
import { base64Payload } from './base64.ts'
import { WireError } from './errors.ts'
import { RangePayload } from './payload.ts'
import { shortReader } from './put-records-entry.ts'
import type { NumberShape, Shape, StructureShape } from './shape.ts'

/** Takes a value that is neither null nor undefined; returns what belongs in its place. */
export type Reader = (value: unknown) => unknown

/** How a protocol writes moments: JSON in seconds with a fraction, CBOR in milliseconds. */
export type TimestampUnit = 'seconds' | 'milliseconds'

/** How often a shape may hold itself before a body is refused: deeper ones would exhaust the stack. */
const DEPTH_MAX = 64

/** Makes readers for one timestamp unit; shapes that refer to themselves share theirs. */
export class TypeReaders {
  readonly #readers = new Map<Shape, Reader>()
  readonly #timestamp: Reader
  #depth = 0

  constructor(unit: TimestampUnit) {
    const factor = unit === 'seconds' ? 1000 : 1
    this.#timestamp = (value) => readTimestamp(value, factor)
  }

  of(shape: Shape): Reader {
    const known = this.#readers.get(shape)
    if (known !== undefined) return known
    // A reader that is asked for while it's being made belongs to a shape that holds itself.
    this.#readers.set(shape, (value) => this.#readAgain(reader, value))
    const reader = this.#compile(shape)
    this.#readers.set(shape, reader)
    return reader
  }

  #readAgain(reader: Reader, value: unknown): unknown {
    if (this.#depth === DEPTH_MAX) throw serialization('Nested too deeply')
    this.#depth += 1
    try {
      return reader(value)
    } finally {
      this.#depth -= 1
    }
  }

  #compile(shape: Shape): Reader {
    switch (shape.kind) {
      case 'string':
        return readString
      case 'boolean':
        return readBoolean
      case 'integer':
      case 'long':
      case 'double':
      case 'float':
        return numberReader(shape.kind)
      case 'timestamp':
        return this.#timestamp
      case 'blob':
        return readBlob
      case 'list':
        return listReader(this.of(shape.item))
      case 'map':
        return mapReader(this.of(shape.value))
      case 'structure':
        return shortReader(
          shape,
          structureReader(shape, (member) => this.of(member)),
        )
    }
  }
}

function structureReader(shape: StructureShape, readerOf: (shape: Shape) => Reader): Reader {
  // Event streams go out only; what they'd be read from doesn't exist.
  const members = shape.isEventStream ? [] : shape.members
  const names = members.map((member) => member.name)
  const isString = members.map((member) => member.shape.kind === 'string')
  const readers = members.map((member) => readerOf(member.shape))
  return (value) => {
    if (typeof value !== 'object') throw serialization('Expected null')
    if (Array.isArray(value)) throw unexpectedList()
    if (value instanceof RangePayload) throw serialization('Expected null')
    const structure = value as Record<string, unknown>
    for (let index = 0; index < names.length; index++) {
      const name = names[index] as string
      const found = structure[name]
      if (found === undefined || (isString[index] && typeof found === 'string')) continue
      const read = found === null ? undefined : (readers[index] as Reader)(found)
      if (read !== found) structure[name] = read
    }
    return structure
  }
}

/** Items that are null stay: the constraints complain of them. */
function listReader(readItem: Reader): Reader {
  return (value) => {
    if (!Array.isArray(value)) {
      throw isPlainObject(value) ? unexpectedObject() : serialization('Expected list or null')
    }
    for (let index = 0; index < value.length; index++) {
      const found: unknown = value[index]
      if (found === null || found === undefined) continue
      const read = readItem(found)
      if (read !== found) value[index] = read
    }
    return value
  }
}

/** Values that are null stay: the constraints complain of them. */
function mapReader(readValue: Reader): Reader {
  return (value) => {
    if (!isPlainObject(value)) {
      throw Array.isArray(value) ? unexpectedList() : serialization('Expected map or null')
    }
    for (const key of Object.keys(value)) {
      const found = value[key]
      if (found === null || found === undefined) continue
      const read = readValue(found)
      if (read !== found) value[key] = read
    }
    return value
  }
}

function readString(value: unknown): unknown {
  if (typeof value === 'string') return value
  throw notConvertible(value, 'an String')
}

function readBlob(value: unknown): unknown {
  if (typeof value === 'string') return base64Payload(value)
  if (value instanceof RangePayload) return value
  throw notConvertible(value, 'a Blob')
}

const INTEGER = { min: -(2 ** 31), max: 2 ** 31 - 1 }
/** Java's long reaches further; what can't be told from its neighbours saturates here. */
const LONG = { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }
/** The range of JavaScript's Date, in ms. */
const MOMENT = { min: -8.64e15, max: 8.64e15 }

function numberReader(kind: NumberShape['kind']): Reader {
  const converted = `an ${kind[0]?.toUpperCase()}${kind.slice(1)}`
  if (kind === 'double' || kind === 'float') {
    return (value) => {
      if (typeof value === 'number') return value
      throw notConvertible(value, converted)
    }
  }
  const bounds = kind === 'integer' ? INTEGER : LONG
  return (value) => {
    if (typeof value === 'number') return saturate(Math.floor(value), bounds)
    throw notConvertible(value, converted)
  }
}

function readTimestamp(value: unknown, factor: number): number {
  if (typeof value === 'number') return saturate(Math.round(value * factor), MOMENT)
  throw notConvertible(value, 'milliseconds since epoch')
}

/** No number (CBOR has it) becomes 0, as in a Java cast. */
function saturate(value: number, bounds: { min: number; max: number }): number {
  if (value >= bounds.min && value <= bounds.max) return value
  if (value > bounds.max) return bounds.max
  return value < bounds.min ? bounds.min : 0
}

/**
 * The service takes some texts for booleans, and numbers with a fraction but not whole ones (noted in
 * kinesalite's tests against it, with its author's surprise).
 */
function readBoolean(value: unknown): unknown {
  if (typeof value === 'boolean') return value
  if (typeof value === 'string') {
    const text = value.toUpperCase()
    if (text === 'TRUE' || text === 'YES' || text === '1') return true
    if (text === 'FALSE' || text === 'NO' || text === '0') return false
    throw serialization(`'${text}' can not be converted to an Boolean`)
  }
  if (typeof value === 'number' && !Number.isInteger(value)) return true
  throw notConvertible(value, 'an Boolean')
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof RangePayload)
  )
}

/** What a scalar of another type, a list or an object is told where a scalar was expected. */
function notConvertible(value: unknown, expected: string): WireError {
  if (Array.isArray(value)) return unexpectedList()
  if (isPlainObject(value)) return unexpectedObject()
  return serialization(`class ${javaClass(value)} can not be converted to ${expected}`)
}

function javaClass(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return 'java.lang.String'
    case 'boolean':
      return 'java.lang.Boolean'
    case 'number':
      return 'com.amazon.coral.value.json.numbers.TruncatingBigNumber'
    default:
      // Byte strings exist in CBOR only; what the service calls them there was never seen.
      return 'java.nio.HeapByteBuffer'
  }
}

function unexpectedList(): WireError {
  return serialization('Start of list found where not expected')
}

function unexpectedObject(): WireError {
  return serialization('Start of structure or map found where not expected.')
}

function serialization(message: string): WireError {
  return new WireError('SerializationException', message)
}
