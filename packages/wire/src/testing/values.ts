// Values of any shape, for tests: what the model allows, and how to compare what came back. Blobs are
// generated as bytes; `plain` turns all payloads to hex, so that deepEqual sees their content.
import fc from 'fast-check'
import { Base64Payload, BytesPayload, RangePayload, toBytes } from '../payload.ts'
import type { Member, Shape, StringShape, StructureShape } from '../shape.ts'

/** How far an unbounded or widely bounded length goes in tests. */
const LENGTH_MAX = 5

/** Values that satisfy the shape's constraints; recursive shapes end by leaving members out. */
export function valuesOf(shape: Shape, depth = 0): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'string':
      return stringsOf(shape)
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return fc.integer({ min: shape.min ?? -(2 ** 31), max: shape.max ?? 2 ** 31 - 1 })
    case 'long':
      return fc.maxSafeInteger().map((value) => Math.max(value, shape.min ?? value))
    case 'double':
    case 'float':
      return fc.double({ noNaN: true, noDefaultInfinity: true, min: shape.min ?? -1e9, max: 1e9 })
    case 'timestamp':
      return fc.integer({ min: -1e12, max: 4e12 })
    case 'blob':
      return fc
        .uint8Array({ minLength: shape.lengthMin ?? 0, maxLength: (shape.lengthMin ?? 0) + 40 })
        .chain((bytes) => fc.constantFrom(...payloadsOf(bytes)))
    case 'list':
      return fc.array(valuesOf(shape.item, depth + 1), bounds(shape))
    case 'map':
      return fc.dictionary(valuesOf(shape.key) as fc.Arbitrary<string>, valuesOf(shape.value), {
        minKeys: shape.lengthMin ?? 0,
        maxKeys: Math.max(shape.lengthMin ?? 0, LENGTH_MAX),
        noNullPrototype: true,
      })
    case 'structure':
      return structuresOf(shape, depth)
  }
}

function structuresOf(shape: StructureShape, depth: number): fc.Arbitrary<unknown> {
  const isKept = (member: Member): boolean =>
    !(member.shape.kind === 'structure' && member.shape.isEventStream) &&
    (member.isRequired || depth < 6)
  const members = shape.members.filter(isKept)
  return fc.record(
    Object.fromEntries(members.map(({ name, shape }) => [name, valuesOf(shape, depth + 1)])),
    {
      requiredKeys: members.filter((member) => member.isRequired).map((member) => member.name),
      noNullPrototype: true,
    } as { requiredKeys: string[] },
  )
}

function stringsOf(shape: StringShape): fc.Arbitrary<string> {
  if (shape.values !== undefined) return fc.constantFrom(...shape.values)
  const { lengthMin = 0, lengthMax = Number.POSITIVE_INFINITY } = shape
  if (shape.pattern === undefined) {
    return fc.string({ unit: 'binary', minLength: lengthMin, maxLength: lengthMin + LENGTH_MAX })
  }
  const pattern = new RegExp(`^(?:${shape.pattern})$`)
  return fc
    .stringMatching(pattern, { maxLength: Math.min(lengthMax, 100) })
    .filter((text) => text.length >= lengthMin && text.length <= lengthMax)
}

function bounds(shape: { lengthMin: number | undefined; lengthMax: number | undefined }): {
  minLength: number
  maxLength: number
} {
  const minLength = shape.lengthMin ?? 0
  const maxLength = Math.min(shape.lengthMax ?? LENGTH_MAX, minLength + LENGTH_MAX)
  return { minLength, maxLength }
}

/** The same bytes in every form that a payload takes. */
function payloadsOf(bytes: Uint8Array): readonly [Base64Payload, BytesPayload, RangePayload] {
  const buffer = Buffer.from(bytes)
  const around = Buffer.concat([Buffer.from([1, 2, 3]), buffer, Buffer.from([4])])
  return [
    new Base64Payload(buffer.toString('base64'), buffer.length),
    new BytesPayload(bytes),
    new RangePayload(around, 3, buffer.length),
  ]
}

/** The value with payloads as hex and members that are undefined left out. */
export function plain(value: unknown): unknown {
  if (isAnyPayload(value)) return `hex:${toBytes(value).toString('hex')}`
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, each]) => each !== undefined)
  return Object.fromEntries(entries.map(([key, each]) => [key, plain(each)]))
}

function isAnyPayload(value: unknown): value is Base64Payload | BytesPayload | RangePayload {
  return (
    value instanceof Base64Payload || value instanceof BytesPayload || value instanceof RangePayload
  )
}
