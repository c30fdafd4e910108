// Reads one request's body, bounded. A body of known length that arrives in one piece is handed on as it
// is; any other is copied once into its own buffer, which grows with what really arrives, so that a
// peer can't make us hold memory by announcing bytes. What comes after the bound is read and dropped for
// a while, so that the peer can read its answer, and then the connection is cut.
import type { Readable } from 'node:stream'

export interface BodyOwner {
  /** All of it is there. */
  bodyRead(body: Buffer): void
  /** It is or will be larger than allowed. */
  bodyTooLarge(): void
  /** The peer went away first. */
  bodyCut(): void
}

const READER = Symbol('body reader')
type Source = Readable & { [READER]?: BodyReader }

/** The first buffer of a body in several pieces, unless less is announced. */
const FIRST_BUFFER_BYTES = 1024 * 1024
const FIRST_BUFFER_BYTES_UNANNOUNCED = 64 * 1024
/** Bytes past the bound, in multiples of it, that are read and dropped. */
const DROPPED_MAX = 4

const EMPTY = Buffer.alloc(0)

/** `announced` is the content length, if the peer gave one. Calls one of the owner's methods, once. */
export function readBody(
  source: Readable,
  announced: number | undefined,
  bytesMax: number,
  owner: BodyOwner,
): void {
  if (source.destroyed) {
    // The peer went away while it waited to be read.
    owner.bodyCut()
    return
  }
  const tracked = source as Source
  tracked[READER] = new BodyReader(source, announced, bytesMax, owner)
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
  readonly #bytesMax: number
  readonly #owner: BodyOwner
  #buffer = EMPTY
  #received = 0
  #isOver = false

  constructor(source: Readable, announced: number | undefined, bytesMax: number, owner: BodyOwner) {
    this.#source = source
    this.#announced = announced
    this.#bytesMax = bytesMax
    this.#owner = owner
    if (announced !== undefined && announced > bytesMax) this.#refuse()
  }

  take(chunk: Buffer): void {
    const before = this.#received
    this.#received += chunk.byteLength
    if (this.#isOver) {
      if (this.#received > this.#bytesMax * (1 + DROPPED_MAX)) this.#source.destroy()
      return
    }
    if (this.#received > this.#bytesMax) {
      this.#refuse()
      return
    }
    if (before === 0 && chunk.byteLength === this.#announced) {
      this.#finish(chunk)
      return
    }
    this.#reserve(this.#received)
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
    this.#owner.bodyCut()
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#buffer.byteLength) return
    const announced = this.#announced
    const first =
      announced === undefined
        ? FIRST_BUFFER_BYTES_UNANNOUNCED
        : Math.min(announced, FIRST_BUFFER_BYTES)
    const wanted = Math.max(bytes, first, this.#buffer.byteLength * 2)
    const larger = Buffer.allocUnsafeSlow(Math.min(wanted, announced ?? this.#bytesMax))
    this.#buffer.copy(larger)
    this.#buffer = larger
  }

  #finish(body: Buffer): void {
    this.#isOver = true
    this.#buffer = EMPTY
    this.#owner.bodyRead(body)
  }

  #refuse(): void {
    this.#isOver = true
    this.#buffer = EMPTY
    this.#owner.bodyTooLarge()
  }
}
