// AWS JSON 1.1: objects by member name, blobs as base64, moments as seconds with a fraction.
import { isUtf8 } from 'node:buffer'
import { Base64Payload, type Payload, RangePayload, toBytes } from '../payload.ts'
import type { Shape, StructureShape } from '../shape.ts'

/** What decoding puts in the place of bytes that aren't UTF-8. */
const REPLACEMENT = '\ufffd'

/**
 * The object that a body holds, or undefined when it holds none or isn't UTF-8. The last of equal keys
 * wins.
 */
export function parseJson(body: Buffer): Record<string, unknown> | undefined {
  try {
    const text = body.utf8Slice(0, body.length)
    // Bytes are looked at again only when a text has that character; an ASCII text isn't even searched.
    if (text.includes(REPLACEMENT) && !isUtf8(body)) return undefined
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    // Not JSON: the caller's answer says so without more words, as the real service's does.
    return undefined
  }
}

/** Gives a value the form that JSON.stringify writes as the service would. */
export type ToJson = (value: unknown) => unknown

/** Compiles writers; shapes that refer to themselves share theirs. */
export class JsonWriters {
  readonly #writers = new Map<Shape, ToJson>()

  of(shape: Shape): ToJson {
    const known = this.#writers.get(shape)
    if (known !== undefined) return known
    this.#writers.set(shape, (value) => writer(value))
    const writer = this.#compile(shape)
    this.#writers.set(shape, writer)
    return writer
  }

  #compile(shape: Shape): ToJson {
    switch (shape.kind) {
      case 'structure':
        return structureWriter(shape, (member) => this.of(member))
      case 'list': {
        const item = this.of(shape.item)
        return (value) => (value as readonly unknown[]).map((each) => item(each))
      }
      case 'map': {
        const item = this.of(shape.value)
        return (value) => {
          const entries = Object.entries(value as Record<string, unknown>)
          return Object.fromEntries(entries.map(([key, each]) => [key, item(each)]))
        }
      }
      case 'blob':
        return (value) => toBase64(value as Payload)
      case 'timestamp':
        return (value) => (value as number) / 1000
      default:
        return (value) => value
    }
  }
}

/** Only what the shape names goes out; an event stream follows its message, it isn't in it. */
function structureWriter(shape: StructureShape, writerOf: (shape: Shape) => ToJson): ToJson {
  const members = shape.members
    .filter((member) => !isEventStream(member.shape))
    .map((member) => ({ name: member.name, toJson: writerOf(member.shape) }))
  return (value) => {
    const structure = value as Record<string, unknown>
    const written: Record<string, unknown> = {}
    for (const { name, toJson } of members) {
      const found = structure[name]
      if (found !== undefined) written[name] = toJson(found)
    }
    return written
  }
}

export function isEventStream(shape: Shape): boolean {
  return shape.kind === 'structure' && shape.isEventStream
}

function toBase64(payload: Payload): string {
  if (payload instanceof Base64Payload) return payload.text
  if (payload instanceof RangePayload) {
    return payload.source.toString('base64', payload.start, payload.start + payload.byteLength)
  }
  return toBytes(payload).toString('base64')
}
