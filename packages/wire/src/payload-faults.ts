// Base64 whose characters nobody has looked at yet is found out when it is written. But the service
// refuses it where types are read, before anything that comes later; so whoever ends a request without
// writing its data asks here whether it ends differently. Only requests that fail come here.
import type { WireError } from './errors.ts'
import { Base64Payload } from './payload.ts'
import type { Shape } from './shape.ts'

/** No body is read that deep (types.ts), so no payload lies deeper. */
const DEPTH_MAX = 1000

/**
 * What reading the types would have thrown first if it had looked at the characters: of the payloads in
 * a value that has been read, or read up to an error, the first one, in the order of reading, that isn't
 * base64. Texts that haven't become payloads come after the error.
 */
export function payloadFault(shape: Shape, value: unknown, depth = 0): WireError | undefined {
  if (typeof value !== 'object' || value === null || depth > DEPTH_MAX) return undefined
  const held = value as Record<string, unknown>
  switch (shape.kind) {
    case 'blob':
      return value instanceof Base64Payload ? value.fault() : undefined
    case 'structure':
      return firstFault(shape.members, (member) =>
        payloadFault(member.shape, held[member.name], depth + 1),
      )
    case 'list':
      if (!Array.isArray(value)) return undefined
      return firstFault(value, (item) => payloadFault(shape.item, item, depth + 1))
    case 'map':
      return firstFault(Object.keys(held), (key) => payloadFault(shape.value, held[key], depth + 1))
    default:
      return undefined
  }
}

function firstFault<T>(
  each: readonly T[],
  faultOf: (one: T) => WireError | undefined,
): WireError | undefined {
  for (const one of each) {
    const fault = faultOf(one)
    if (fault !== undefined) return fault
  }
  return undefined
}
