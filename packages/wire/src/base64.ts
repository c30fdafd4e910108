// Base64 text as the real service reads it. Where a text is read, only what costs next to nothing is looked
// at: its length, its padding, and the two characters that Node's decoder takes and the service doesn't.
// Any other illegal character shows when the bytes are written (payload.ts), so that nothing is decoded
// twice; who ends a request without writing them asks `payloadFault` first.
import { notBase64 } from './base64-text.ts'
import { Base64Payload } from './payload.ts'

const EQUALS = 61
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** By character code: the bits that a last character must leave clear before one and before two `=`. */
const spareBits = new Uint8Array(128).fill(255)
for (let value = 0; value < 64; value++) spareBits[ALPHABET.charCodeAt(value)] = value

/** The payload of a base64 text, or a SerializationException for what can be seen at once. */
export function base64Payload(text: string): Base64Payload {
  const payload = plausiblePayload(text)
  if (payload === undefined) throw notBase64(text)
  return payload
}

/** The payload of a base64 text all of whose characters have been looked at; undefined if it is none. */
export function validBase64Payload(text: string): Base64Payload | undefined {
  const payload = plausiblePayload(text)
  return payload === undefined || payload.fault() !== undefined ? undefined : payload
}

function plausiblePayload(text: string): Base64Payload | undefined {
  const length = text.length
  let byteLength = (length >>> 2) * 3
  if (length === 0) return new Base64Payload(text, 0)
  if ((length & 3) !== 0) return undefined
  if (text.charCodeAt(length - 1) === EQUALS) {
    const last = text.charCodeAt(length - 2)
    if (last === EQUALS) {
      byteLength -= 2
      if (((spareBits[text.charCodeAt(length - 3)] ?? 255) & 15) !== 0) return undefined
    } else {
      byteLength -= 1
      if (((spareBits[last] ?? 255) & 3) !== 0) return undefined
    }
  }
  if (text.indexOf('-') !== -1 || text.indexOf('_') !== -1) return undefined
  return new Base64Payload(text, byteLength)
}
