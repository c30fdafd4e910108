// Recent commits in memory. Frames are gathered in *chunks*, large buffers that hold one frame after
// the other; once written they never change again and serve as they are to everyone who reads near
// the end of a log. The oldest go first when `bytesMax` is passed. A chunk that nobody reads any more
// is used again for new frames, which saves the page faults of fresh memory; one that a reader still
// holds is left to the garbage collector, so a reader that never lets go costs memory only.
import { assert } from '@millrace/base/assert'

export interface Chunk {
  /** Rises from 1; 0 in an index means that a block is not in memory. */
  readonly id: number
  readonly buffer: Buffer
  /** Where the next frame may begin. */
  usedBytes: number
  /** Frames in it that are gathered, waiting or being written, and one more while frames are added. */
  holds: number
  /** Reads that still use its bytes. */
  pins: number
  isEvicted: boolean
}

export interface TailOptions {
  /** Bytes of chunks kept; what is not yet written is kept beyond that. */
  readonly bytesMax: number
  readonly chunkBytes: number
}

/** Chunks kept ready beside the cache. */
const SPARE_MAX = 2

export class Tail {
  readonly #bytesMax: number
  readonly #chunkBytes: number
  readonly #chunks = new Map<number, Chunk>()
  readonly #spare: Buffer[] = []
  #bytes = 0
  #lastId = 0

  constructor(options: TailOptions) {
    this.#bytesMax = options.bytesMax
    this.#chunkBytes = options.chunkBytes
  }

  get bytesCached(): number {
    return this.#bytes
  }

  get chunkBytes(): number {
    return this.#chunkBytes
  }

  /** A chunk with room for at least this many bytes, held once for who adds frames to it. */
  take(bytesMin: number): Chunk {
    const size = Math.max(this.#chunkBytes, bytesMin)
    this.#evict(size)
    const buffer =
      size === this.#chunkBytes
        ? (this.#spare.pop() ?? Buffer.allocUnsafeSlow(size))
        : Buffer.allocUnsafeSlow(size)
    const id = ++this.#lastId
    const chunk: Chunk = { id, buffer, usedBytes: 0, holds: 1, pins: 0, isEvicted: false }
    this.#chunks.set(id, chunk)
    this.#bytes += size
    return chunk
  }

  /** The chunk of this id while it is in memory. */
  chunk(id: number): Chunk | undefined {
    return this.#chunks.get(id)
  }

  hold(chunk: Chunk): void {
    chunk.holds++
  }

  /** The counterpart of `hold` and `take`. */
  letGo(chunk: Chunk): void {
    assert(chunk.holds > 0, 'a chunk is let go as often as it was held')
    chunk.holds--
    if (chunk.holds === 0 && this.#bytes > this.#bytesMax) this.#evict(0)
  }

  /** Keeps the bytes from being used again until `unpin`. */
  pin(chunk: Chunk): void {
    chunk.pins++
  }

  unpin(chunk: Chunk): void {
    assert(chunk.pins > 0, 'a chunk is unpinned as often as it was pinned')
    chunk.pins--
    if (chunk.isEvicted && chunk.pins === 0) this.#recycle(chunk)
  }

  /** Forgets everything; for close. */
  clear(): void {
    this.#chunks.clear()
    this.#spare.length = 0
    this.#bytes = 0
  }

  /** Lets the oldest go until `coming` more bytes fit; stops at what is not written yet. */
  #evict(coming: number): void {
    for (const [id, chunk] of this.#chunks) {
      if (this.#bytes + coming <= this.#bytesMax || chunk.holds > 0) return
      this.#chunks.delete(id)
      this.#bytes -= chunk.buffer.length
      chunk.isEvicted = true
      if (chunk.pins === 0) this.#recycle(chunk)
    }
  }

  #recycle(chunk: Chunk): void {
    if (chunk.buffer.length !== this.#chunkBytes || this.#spare.length >= SPARE_MAX) return
    this.#spare.push(chunk.buffer)
  }
}
