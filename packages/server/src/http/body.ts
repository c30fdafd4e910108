// Reads one request's body, bounded. A body of known length that arrives in one piece is handed on as it
// is; any other is copied once, into a buffer that is used again when the request has been answered. What
// comes after the bound is read and dropped for a while, so that the peer can read its answer, and then
// the connection is cut.
import type { Readable } from 'node:stream'
import type { BodyBuffers } from './body-buffers.ts'

export interface BodyOwner {
  /** All of it is there; give it back to the buffers when nobody looks at it any more. */
  bodyRead(body: Buffer): void
  /** It is or will be larger than allowed. */
  bodyTooLarge(): void
  /** The peer went away first. */
  bodyCut(): void
}

export interface BodyBounds {
  readonly bytesMax: number
  readonly buffers: BodyBuffers
}

const READER = Symbol('body reader')
type Source = Readable & { [READER]?: BodyReader }

/** Bytes past the bound, in multiples of it, that are read and dropped. */
const DROPPED_MAX = 4

const EMPTY: Buffer = Buffer.alloc(0)

/** `announced` is the content length, if the peer gave one. Calls one of the owner's methods, once. */
export function readBody(
  source: Readable,
  announced: number | undefined,
  bounds: BodyBounds,
  owner: BodyOwner,
): void {
  if (source.destroyed) {
    // The peer went away while it waited to be read.
    owner.bodyCut()
    return
  }
  const tracked = source as Source
  tracked[READER] = new BodyReader(source, announced, bounds, owner)
  source.on('data', onData)
  source.on('end', onEnd)
  source.on('close', onClose)
}

function onData(this: Source, chunk: Buffer): void {
  this[READER]?.take(chunk)
}

function onEnd(this: Source): void {
  this[READER]?.end()
}

function onClose(this: Source): void {
  this[READER]?.close()
}

class BodyReader {
  readonly #source: Readable
  readonly #announced: number | undefined
  readonly #bounds: BodyBounds
  readonly #owner: BodyOwner
  #buffer: Buffer = EMPTY
  #received = 0
  #isOver = false

  constructor(
    source: Readable,
    announced: number | undefined,
    bounds: BodyBounds,
    owner: BodyOwner,
  ) {
    this.#source = source
    this.#announced = announced
    this.#bounds = bounds
    this.#owner = owner
    if (announced !== undefined && announced > bounds.bytesMax) this.#refuse()
  }

  take(chunk: Buffer): void {
    const before = this.#received
    const { bytesMax } = this.#bounds
    this.#received += chunk.byteLength
    if (this.#isOver) {
      if (this.#received > bytesMax * (1 + DROPPED_MAX)) this.#source.destroy()
      return
    }
    if (this.#received > bytesMax) {
      this.#refuse()
      return
    }
    if (before === 0 && chunk.byteLength === this.#announced) {
      this.#finish(chunk)
      return
    }
    // Announced bytes have their room at once: the intake has let in that many.
    this.#reserve(Math.max(this.#received, this.#announced ?? 0), before)
    chunk.copy(this.#buffer, before)
    // No need to wait for the end of what has all arrived.
    if (this.#received === this.#announced) this.#finish(this.#buffer.subarray(0, this.#received))
  }

  end(): void {
    if (!this.#isOver) this.#finish(this.#buffer.subarray(0, this.#received))
  }

  close(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#bounds.buffers.give(this.#buffer)
    this.#owner.bodyCut()
  }

  #reserve(bytes: number, used: number): void {
    if (bytes <= this.#buffer.byteLength) return
    const larger = this.#bounds.buffers.take(bytes)
    this.#buffer.copy(larger, 0, 0, used)
    this.#bounds.buffers.give(this.#buffer)
    this.#buffer = larger
  }

  #finish(body: Buffer): void {
    this.#isOver = true
    this.#buffer = EMPTY
    this.#owner.bodyRead(body)
  }

  #refuse(): void {
    this.#isOver = true
    this.#bounds.buffers.give(this.#buffer)
    this.#buffer = EMPTY
    this.#owner.bodyTooLarge()
  }
}
