// The value of a blob member, kept as the codec found it until somebody needs the bytes: base64 text
// out of JSON, or a byte range out of CBOR. So a record's data is written once, into its final place.
import { decodesTo, notBase64 } from './base64-text.ts'
import type { WireError } from './errors.ts'

// Node documents `buffer.write(text, at, length, 'base64')` only; this is the method beneath it, without
// the detour by the encoding's name, which shows when 500 records come in one request.
declare global {
  interface Buffer {
    base64Write(text: string, at: number, length: number): number
  }
}

export interface Payload {
  readonly byteLength: number
  /** Writes exactly `byteLength` bytes at `at`; a SerializationException when its text isn't base64. */
  writeTo(target: Buffer, at: number): void
}

/**
 * Base64 text of the right length and padding. Its characters are checked when it is written, by the count
 * of bytes that come out: nothing is decoded only to be checked.
 */
export class Base64Payload implements Payload {
  readonly byteLength: number
  readonly text: string

  constructor(text: string, byteLength: number) {
    this.text = text
    this.byteLength = byteLength
  }

  writeTo(target: Buffer, at: number): void {
    if (target.base64Write(this.text, at, this.byteLength) === this.byteLength) return
    throw this.fault() ?? new RangeError('a payload does not fit where it is written')
  }

  /** What writing it would throw. */
  fault(): WireError | undefined {
    return decodesTo(this.text, this.byteLength) ? undefined : notBase64(this.text)
  }
}

export class BytesPayload implements Payload {
  readonly byteLength: number
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.byteLength = bytes.byteLength
  }

  writeTo(target: Buffer, at: number): void {
    target.set(this.bytes, at)
  }
}

/** Bytes inside a larger buffer, a request's body say, that isn't written to any more. Cheaper than a view. */
export class RangePayload implements Payload {
  readonly byteLength: number
  readonly source: Buffer
  readonly start: number

  constructor(source: Buffer, start: number, byteLength: number) {
    this.byteLength = byteLength
    this.source = source
    this.start = start
  }

  writeTo(target: Buffer, at: number): void {
    this.source.copy(target, at, this.start, this.start + this.byteLength)
  }
}

export function toBytes(payload: Payload): Buffer {
  const bytes = Buffer.allocUnsafe(payload.byteLength)
  payload.writeTo(bytes, 0)
  return bytes
}

/** What writing a payload would throw: asked of data that is to be counted, but not written. */
export function payloadFault(payload: Payload): WireError | undefined {
  return payload instanceof Base64Payload ? payload.fault() : undefined
}
