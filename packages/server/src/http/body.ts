// Reads one request's body, bounded. A body of known length that arrives in one piece is handed on as it
// is; any other is copied, into a buffer that grows with what has come and is used again when the
// request has been answered. What comes after the bound is read and dropped for a while, so that the
// peer can read its answer, and then the connection is cut.
import type { Readable } from 'node:stream'
import type { BodyBuffers } from './body-buffers.ts'
import { type Intake, SMALL_BYTES_MAX, type Taker, type Turn } from './intake.ts'

export interface BodyOwner {
  /** All of it is there, until the reader is told to release it. */
  bodyRead(body: Buffer): void
  /** It is or will be larger than allowed. */
  bodyTooLarge(): void
  /** Too many wait for memory already. */
  bodyRefused(): void
  /** Others waited for the memory that it held, and it didn't go on. */
  bodyStalled(): void
  /** The peer went away first. */
  bodyCut(): void
}

export interface BodyBounds {
  readonly bytesMax: number
  readonly buffers: BodyBuffers
  readonly intake: Intake
}

const READER = Symbol('body reader')
type Source = Readable & { [READER]?: BodyReader }

/** Bytes past the bound, in multiples of it, that are read and dropped. */
const DROPPED_MAX = 4
/** A request's own size in memory, head and bookkeeping, rounded up. */
const REQUEST_BYTES = 4096
/**
 * An announced body gets room for so many times what has come. A buffer's bytes are memory only when they
 * were written to, so this costs address space, and saves copies: 667 KB in pieces of 64 KiB have none.
 */
const AHEAD = 16

const EMPTY: Buffer = Buffer.alloc(0)

function onData(this: Source, chunk: Buffer): void {
  this[READER]?.take(chunk)
}

function onEnd(this: Source): void {
  this[READER]?.end()
}

function onClose(this: Source): void {
  this[READER]?.close()
}

/** Calls one of its owner's methods, once, perhaps already when it is started. */
export class BodyReader implements Taker {
  received = 0
  readonly #source: Readable
  readonly #announced: number | undefined
  readonly #pushableMax: number
  readonly #bounds: BodyBounds
  readonly #owner: BodyOwner
  #buffer: Buffer = EMPTY
  #held = 0
  #isListening = false
  #isOver = false

  /**
   * `announced` is the content length, if the peer gave one; `pushableMax` what the protocol lets the
   * peer send while nobody reads.
   */
  constructor(
    source: Readable,
    announced: number | undefined,
    pushableMax: number,
    bounds: BodyBounds,
    owner: BodyOwner,
  ) {
    this.#source = source
    this.#announced = announced
    this.#pushableMax = pushableMax
    this.#bounds = bounds
    this.#owner = owner
  }

  /** Begins, or waits for its turn. A request without a body never waits. */
  start(): void {
    const announced = this.#announced
    ;(this.#source as Source)[READER] = this
    this.#source.on('close', onClose)
    if (this.#source.destroyed) this.close()
    else if (announced !== undefined && announced > this.#bounds.bytesMax) {
      this.#refuse()
      this.#listen()
    } else if (announced === 0) this.#listen()
    else this.#follow(this.#bounds.intake.begin(this))
  }

  get firstBytes(): number {
    return REQUEST_BYTES + Math.min(this.#announced ?? SMALL_BYTES_MAX, SMALL_BYTES_MAX)
  }

  get isSmall(): boolean {
    return this.#announced !== undefined && this.#announced <= SMALL_BYTES_MAX
  }

  get pushableBytes(): number {
    const rest = (this.#announced ?? this.#bounds.bytesMax) - this.received
    return Math.min(rest, this.#pushableMax)
  }

  goOn(): void {
    if (this.#isOver) return
    if (this.#isListening) this.#source.resume()
    else if (this.#source.destroyed) this.close()
    else this.#listen()
  }

  stalled(): void {
    if (this.#isOver) return
    this.#abandon()
    this.#owner.bodyStalled()
  }

  take(chunk: Buffer): void {
    const before = this.received
    const { bytesMax, intake } = this.#bounds
    this.received += chunk.byteLength
    if (this.#isOver) {
      if (this.received > bytesMax * (1 + DROPPED_MAX)) this.#source.destroy()
      return
    }
    if (this.received > bytesMax) {
      this.#refuse()
      return
    }
    const bytes = before === 0 ? REQUEST_BYTES + chunk.byteLength : chunk.byteLength
    this.#held += bytes
    intake.took(bytes)
    if (before === 0 && chunk.byteLength === this.#announced) {
      this.#finish(chunk)
      return
    }
    this.#reserve(this.#announced, before)
    chunk.copy(this.#buffer, before)
    // No need to wait for the end of what has all arrived.
    if (this.received === this.#announced) this.#finishWhole()
    else this.#follow(intake.grow(this))
  }

  end(): void {
    if (!this.#isOver) this.#finishWhole()
  }

  close(): void {
    if (this.#isOver) return
    this.#abandon()
    this.#owner.bodyCut()
  }

  /** Nobody looks at the body any more. */
  release(): void {
    this.#bounds.buffers.give(this.#buffer)
    this.#buffer = EMPTY
    if (this.#held > 0) this.#bounds.intake.release(this.#held)
    this.#held = 0
  }

  #follow(turn: Turn): void {
    if (turn === 'now') {
      if (!this.#isListening) this.#listen()
    } else if (turn === 'later') {
      if (this.#isListening) this.#source.pause()
    } else {
      this.#abandon()
      this.#owner.bodyRefused()
    }
  }

  #listen(): void {
    this.#isListening = true
    this.#source.on('data', onData)
    this.#source.on('end', onEnd)
  }

  #reserve(announced: number | undefined, used: number): void {
    const { received } = this
    if (received <= this.#buffer.byteLength) return
    const { buffers } = this.#bounds
    const bytes = announced === undefined ? received : Math.min(announced, received * AHEAD)
    const larger = buffers.take(Math.max(received, bytes))
    this.#buffer.copy(larger, 0, 0, used)
    buffers.give(this.#buffer)
    this.#buffer = larger
  }

  #finishWhole(): void {
    this.#bounds.intake.completed(this)
    this.#finish(this.#buffer.subarray(0, this.received))
  }

  #finish(body: Buffer): void {
    this.#isOver = true
    this.#owner.bodyRead(body)
  }

  #refuse(): void {
    this.#abandon()
    this.#owner.bodyTooLarge()
  }

  /** What has come of it is let go at once. */
  #abandon(): void {
    this.#isOver = true
    this.#bounds.intake.completed(this)
    this.release()
  }
}
