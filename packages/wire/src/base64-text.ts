// What is wrong with a text that should be base64, in the service's own words, spelling included (seen by
// tests that kinesalite ran against it): standard alphabet, no blanks, length a multiple of four, `=` only
// at the end, no bits set that the last character doesn't need.
import { WireError } from './errors.ts'

/** Longer texts are decoded by parts, so that the scratch stays small and in the processor's cache. */
const PART_CHARACTERS = 64 * 1024

/** Where texts are decoded only to count the bytes: an illegal character makes the count fall short. */
const scratch = Buffer.allocUnsafeSlow((PART_CHARACTERS / 4) * 3)

/**
 * Whether so many bytes come out of the text. Node's decoder skips what isn't in the alphabet and stops at
 * `=`, both of which show in the count; it takes the URL alphabet as well, which doesn't.
 */
export function decodesTo(text: string, byteLength: number): boolean {
  if (text.length <= PART_CHARACTERS) return scratch.base64Write(text, 0, byteLength) === byteLength
  let left = byteLength
  for (let at = 0; at < text.length; at += PART_CHARACTERS) {
    const expected = Math.min(left, scratch.length)
    const part = text.slice(at, at + PART_CHARACTERS)
    if (scratch.base64Write(part, 0, expected) !== expected) return false
    left -= expected
  }
  return true
}

export function notBase64(text: string): WireError {
  return new WireError(
    'SerializationException',
    `'${text}' can not be converted to a Blob: ${fault(text)}`,
  )
}

function fault(text: string): string {
  if (text.length % 4 !== 0) {
    return `Base64 encoded length is expected a multiple of 4 bytes but found: ${text.length}`
  }
  const illegal = /[^A-Za-z0-9+/=]|=(?=[^=])/.exec(text)
  if (illegal !== null) return `Invalid Base64 character: '${illegal[0]}'`
  return 'Invalid last non-pad Base64 character dectected'
}
