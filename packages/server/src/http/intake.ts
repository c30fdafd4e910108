// The memory that all bodies share, while they are read and answered. What has really come is counted,
// never what was only announced: a peer that sends nothing holds nothing. While storage has too much
// unacknowledged no body is begun.
//
//   0 ──────────── large bodies grow ──────────── 3/4 ──── small bodies ──── bytesMax
//
// Large bodies, and those that don't say how large they are, pause while more than three quarters are
// taken; the last quarter is for those announced as small, so that they pass large ones that wait. So
// that halves of bodies can't wait for one another for ever, one of those that pause, the favoured one,
// may go on over the bound; it loses that when it sends nothing. And while others wait, who holds
// memory and sends next to nothing is cut. Whoever has begun is not stopped by pressure.
import type { PressureGauge } from '../platform/ports.ts'
import { after } from './socket-time.ts'

/** How often pressure is looked at while somebody waits; only the gauge knows when it ends. */
const LOOK_MS = 2
/** A body up to this size is small; a piece of a large one is about as large. */
export const SMALL_BYTES_MAX = 64 * 1024
/** Looks without a byte after which favour goes to another. */
const FAVOUR_LOOKS = 50
/** Who sends less than this in `stalledMs` is as good as silent. */
const PROGRESS_BYTES = 32 * 1024
/** Looks at progress in `stalledMs`. */
const SWEEPS = 4

/** A body on its way in. */
export interface Taker {
  /** Bytes that have come. */
  readonly received: number
  /** Bytes that it is expected to take at once, at most 64 KiB and the head. */
  readonly firstBytes: number
  /** Whether it is announced as small. */
  readonly isSmall: boolean
  /** Bytes that its peer may push into this process while it waits. */
  readonly pushableBytes: number
  /** It has waited and may begin or go on. */
  goOn(): void
  /** It held what others wait for, and next to nothing came. */
  stalled(): void
}

/** `later`: `goOn` will be called. `refused`: too many wait already. */
export type Turn = 'now' | 'later' | 'refused'

export interface IntakeBounds {
  /** Of what is held; one favoured body may go beyond. */
  readonly bytesMax: number
  /** Of one body. */
  readonly bodyBytesMax: number
  readonly waitingMax: number
  readonly stalledMs: number
}

interface Watch {
  seen: number
  quietSweeps: number
}

export class Intake {
  readonly #bounds: IntakeBounds
  readonly #growingMax: number
  readonly #isPressed: PressureGauge
  readonly #sweepLooks: number
  #bytes = 0
  /** In order, each with the bytes that its peer may push. */
  readonly #smallOnes = new Map<Taker, number>()
  readonly #largeOnes = new Map<Taker, number>()
  readonly #growing = new Map<Taker, number>()
  #pushableBytes = 0
  /** Those that have begun, don't wait and aren't complete. */
  readonly #reading = new Map<Taker, Watch>()
  #favoured: Taker | undefined
  #favouredSeen = 0
  #favouredLooks = 0
  #looks = 0
  #isLooking = false
  #isAdvancing = false

  constructor(bounds: IntakeBounds, isPressed: PressureGauge) {
    this.#bounds = bounds
    this.#growingMax = Math.floor((bounds.bytesMax * 3) / 4)
    this.#isPressed = isPressed
    this.#sweepLooks = Math.max(1, Math.ceil(bounds.stalledMs / SWEEPS / LOOK_MS))
  }

  /** Bytes that have come and aren't released. */
  get bytes(): number {
    return this.#bytes
  }

  get waitingCount(): number {
    return this.#smallOnes.size + this.#largeOnes.size + this.#growing.size
  }

  /** Whether the body may be read from its start. */
  begin(taker: Taker): Turn {
    const queue = taker.isSmall ? this.#smallOnes : this.#largeOnes
    if (queue.size === 0 && this.#hasRoom(this.#bytes, taker)) return 'now'
    return this.#wait(queue, taker)
  }

  /** Counts what has come. */
  took(bytes: number): void {
    this.#bytes += bytes
  }

  /** Whether a body that isn't complete may go on after what has come of it was counted. */
  grow(taker: Taker): Turn {
    if (this.#mayGrow(taker)) {
      if (!this.#reading.has(taker)) {
        this.#reading.set(taker, { seen: taker.received, quietSweeps: 0 })
      }
      return 'now'
    }
    this.#reading.delete(taker)
    return this.#wait(this.#growing, taker)
  }

  /** It is complete, or will never be: it neither waits nor is waited for any more. */
  completed(taker: Taker): void {
    this.#reading.delete(taker)
    if (this.#favoured === taker) this.#favoured = undefined
    this.#unwait(this.#smallOnes, taker)
    this.#unwait(this.#largeOnes, taker)
    this.#unwait(this.#growing, taker)
    if (this.waitingCount > 0) this.#advanceSoon()
  }

  release(bytes: number): void {
    this.#bytes -= bytes
    if (this.waitingCount > 0) this.#advanceSoon()
  }

  #hasRoom(bytes: number, taker: Taker): boolean {
    // One that is larger than the bound by itself is let in alone.
    const fits = bytes === 0 || bytes + taker.firstBytes <= this.#maxOf(taker)
    return fits && !this.#isPressed()
  }

  #maxOf({ isSmall }: Taker): number {
    return isSmall ? this.#bounds.bytesMax : this.#growingMax
  }

  #mayGrow(taker: Taker): boolean {
    if (this.#bytes <= this.#maxOf(taker) || taker === this.#favoured) return true
    return this.#mayFavour() && this.#favour(taker)
  }

  /** What those that were favoured before and stopped sending hold over the bound stays bounded. */
  #mayFavour(): boolean {
    const { bodyBytesMax } = this.#bounds
    return this.#favoured === undefined && this.#bytes <= this.#growingMax + bodyBytesMax
  }

  #favour(taker: Taker): true {
    this.#favoured = taker
    this.#favouredSeen = taker.received
    this.#favouredLooks = 0
    return true
  }

  #wait(queue: Map<Taker, number>, taker: Taker): Turn {
    const { waitingMax, bytesMax } = this.#bounds
    const pushable = taker.pushableBytes
    const isTooMuch = this.#pushableBytes > 0 && this.#pushableBytes + pushable > bytesMax
    if (this.waitingCount >= waitingMax || isTooMuch) return 'refused'
    queue.set(taker, pushable)
    this.#pushableBytes += pushable
    this.#look()
    return 'later'
  }

  #unwait(queue: Map<Taker, number>, taker: Taker): void {
    const pushable = queue.get(taker)
    if (pushable === undefined) return
    queue.delete(taker)
    this.#pushableBytes -= pushable
  }

  /** Once per turn of the event loop: what was let in by then has been counted. */
  #advanceSoon(): void {
    if (this.#isAdvancing) return
    this.#isAdvancing = true
    setImmediate(() => {
      this.#isAdvancing = false
      this.#advance()
    })
  }

  #advance(): void {
    let bytes = this.#letIn(this.#smallOnes, this.#bytes)
    for (const taker of this.#growing.keys()) {
      bytes += SMALL_BYTES_MAX
      if (bytes > this.#growingMax) break
      this.#goOn(this.#growing, taker)
    }
    this.#letIn(this.#largeOnes, bytes)
    const [next] = this.#growing.keys()
    if (next !== undefined && this.#mayFavour()) {
      this.#favour(next)
      this.#goOn(this.#growing, next)
    }
  }

  /** Returns what will be held when those let in have sent their first bytes. */
  #letIn(queue: Map<Taker, number>, bytesBefore: number): number {
    let bytes = bytesBefore
    for (const taker of queue.keys()) {
      if (!this.#hasRoom(bytes, taker)) break
      bytes += taker.firstBytes
      this.#goOn(queue, taker)
    }
    return bytes
  }

  #goOn(queue: Map<Taker, number>, taker: Taker): void {
    this.#unwait(queue, taker)
    if (queue === this.#growing) this.#reading.set(taker, { seen: taker.received, quietSweeps: 0 })
    taker.goOn()
  }

  #look(): void {
    if (this.#isLooking || this.waitingCount === 0) return
    this.#isLooking = true
    after(LOOK_MS, () => {
      this.#isLooking = false
      this.#lookAtFavoured()
      if (++this.#looks % this.#sweepLooks === 0) this.#sweep()
      this.#advance()
      this.#look()
    })
  }

  #lookAtFavoured(): void {
    const favoured = this.#favoured
    if (favoured === undefined) return
    if (favoured.received !== this.#favouredSeen) this.#favour(favoured)
    else if (++this.#favouredLooks >= FAVOUR_LOOKS) this.#favoured = undefined
  }

  #sweep(): void {
    if (this.#bytes <= this.#growingMax) return
    for (const [taker, watch] of this.#reading) {
      if (taker.received - watch.seen >= PROGRESS_BYTES) {
        watch.seen = taker.received
        watch.quietSweeps = 0
      } else if (++watch.quietSweeps >= SWEEPS) taker.stalled()
    }
  }
}
