// Buffers that cold reads are made into, taken and given back, so that a sequential reader doesn't
// make the system hand out and take back megabytes of fresh memory for each page of records.

const SMALLEST_BYTES = 4 * 1024

export class ReadBuffers {
  readonly #bytesMax: number
  readonly #free = new Map<number, Buffer[]>()
  #freeBytes = 0

  /** `bytesMax` bounds what waits unused; buffers in use are their readers' affair. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get freeBytes(): number {
    return this.#freeBytes
  }

  /** A buffer of at least this length; its contents are anything. */
  take(length: number): Buffer {
    const size = sizeFor(length)
    const buffer = this.#free.get(size)?.pop()
    if (buffer === undefined) return Buffer.allocUnsafeSlow(size)
    this.#freeBytes -= size
    return buffer
  }

  giveBack(buffer: Buffer): void {
    const size = buffer.length
    if (this.#freeBytes + size > this.#bytesMax) return
    this.#freeBytes += size
    const list = this.#free.get(size)
    if (list === undefined) this.#free.set(size, [buffer])
    else list.push(buffer)
  }
}

/** Four sizes to each doubling, so that at most a fifth of a large buffer is wasted. */
function sizeFor(length: number): number {
  let size = SMALLEST_BYTES
  while (size * 2 <= length) size *= 2
  const step = size / 4
  return Math.max(SMALLEST_BYTES, Math.ceil(length / step) * step)
}
