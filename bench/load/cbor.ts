// CBOR as the Kinesis SDKs speak it: definite lengths out, either form in. Encodes text, byte strings,
// safe integers, arrays and maps; decodes those and floats, simple values and tags (kept as their value).

export type CborInput =
  | string
  | number
  | Uint8Array
  | readonly CborInput[]
  | { readonly [key: string]: CborInput }

export function encodeCbor(value: CborInput): Buffer {
  const parts: Uint8Array[] = []
  write(value, parts)
  return Buffer.concat(parts)
}

/** Throws on truncated input; what follows the first item is not looked at. */
export function decodeCbor(bytes: Uint8Array): unknown {
  return new Decoder(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)).item()
}

function write(value: CborInput, parts: Uint8Array[]): void {
  if (typeof value === 'string') {
    const text = Buffer.from(value)
    parts.push(head(3, text.length), text)
  } else if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new Error(`not a safe integer: ${value}`)
    parts.push(value < 0 ? head(1, -1 - value) : head(0, value))
  } else if (value instanceof Uint8Array) {
    parts.push(head(2, value.length), value)
  } else if (Array.isArray(value)) {
    parts.push(head(4, value.length))
    for (const element of value) write(element, parts)
  } else {
    const entries = Object.entries(value)
    parts.push(head(5, entries.length))
    for (const [key, element] of entries) {
      write(key, parts)
      write(element, parts)
    }
  }
}

function head(major: number, length: number): Buffer {
  const type = major << 5
  if (length < 24) return Buffer.of(type | length)
  if (length < 0x100) return Buffer.of(type | 24, length)
  if (length < 0x1_0000) return Buffer.of(type | 25, length >> 8, length & 0xff)
  const wide = length > 0xffff_ffff
  const bytes = Buffer.alloc(wide ? 9 : 5)
  bytes[0] = type | (wide ? 27 : 26)
  if (wide) bytes.writeBigUInt64BE(BigInt(length), 1)
  else bytes.writeUInt32BE(length, 1)
  return bytes
}

const stop = Symbol('break')

class Decoder {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  item(): unknown {
    const first = this.#bytes.readUInt8(this.#at++)
    const major = first >> 5
    const info = first & 31
    if (major === 7) return this.#simple(info)
    const length = this.#length(info)
    if (major === 0) return length
    if (major === 1) return -1 - length
    if (major === 2) return this.#bytesOf(length)
    if (major === 3) return this.#bytesOf(length).toString()
    if (major === 4) return this.#items(length)
    if (major === 5) return this.#map(length)
    return this.item()
  }

  /** Infinity stands for an indefinite length. */
  #length(info: number): number {
    const at = this.#at
    if (info < 24) return info
    if (info === 31) return Number.POSITIVE_INFINITY
    const width = 1 << (info - 24)
    this.#at += width
    if (width === 8) return Number(this.#bytes.readBigUInt64BE(at))
    return this.#bytes.readUIntBE(at, width)
  }

  #simple(info: number): unknown {
    const at = this.#at
    if (info === 20 || info === 21) return info === 21
    if (info === 22 || info === 23) return null
    if (info === 31) return stop
    this.#at += info === 26 ? 4 : 8
    if (info === 26) return this.#bytes.readFloatBE(at)
    if (info === 27) return this.#bytes.readDoubleBE(at)
    throw new Error(`CBOR simple value ${info} is not expected here`)
  }

  #bytesOf(length: number): Buffer {
    if (length === Number.POSITIVE_INFINITY) {
      const pieces = this.#items(length)
      return Buffer.concat(pieces.map((piece) => Buffer.from(piece as Buffer | string)))
    }
    const end = this.#at + length
    if (end > this.#bytes.length) throw new Error('CBOR ends within a string')
    const slice = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return slice
  }

  #items(length: number): unknown[] {
    const items: unknown[] = []
    while (items.length < length) {
      const item = this.item()
      if (item === stop) break
      items.push(item)
    }
    return items
  }

  #map(length: number): Record<string, unknown> {
    const map: Record<string, unknown> = {}
    for (let count = 0; count < length; count++) {
      const key = this.item()
      if (key === stop) break
      map[String(key)] = this.item()
    }
    return map
  }
}
