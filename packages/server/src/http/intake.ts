// Who may be read: the bytes of all bodies that are being read or answered are bounded, and while
// storage has too much unacknowledged nothing more is read at all. Who has to wait is served in order;
// whoever was let in is never stopped again, so that waiting can't become a deadlock.
import type { PressureGauge } from '../platform/ports.ts'
import { after } from './socket-time.ts'

/** How often pressure is looked at while somebody waits; only the gauge knows when it ends. */
const LOOK_MS = 2

interface Waiting {
  readonly bytes: number
  readonly admitted: () => void
}

export class Intake {
  readonly #bytesMax: number
  readonly #waitingMax: number
  readonly #isPressed: PressureGauge
  #bytes = 0
  #waiting: Waiting[] = []
  #isLooking = false

  constructor(bytesMax: number, waitingMax: number, isPressed: PressureGauge) {
    this.#bytesMax = bytesMax
    this.#waitingMax = waitingMax
    this.#isPressed = isPressed
  }

  /** Bytes let in and not yet released. */
  get bytes(): number {
    return this.#bytes
  }

  get waitingCount(): number {
    return this.#waiting.length
  }

  /**
   * Calls `admitted`, at once or later, when these bytes may be read; then `release` them. False, and
   * nothing happens, when too many wait already.
   */
  admit(bytes: number, admitted: () => void): boolean {
    if (this.#waiting.length === 0 && this.#hasRoom(bytes)) {
      this.#bytes += bytes
      admitted()
      return true
    }
    if (this.#waiting.length >= this.#waitingMax) return false
    this.#waiting.push({ bytes, admitted })
    this.#look()
    return true
  }

  release(bytes: number): void {
    this.#bytes -= bytes
    if (this.#waiting.length > 0) this.#admitWaiting()
  }

  #hasRoom(bytes: number): boolean {
    // One that is larger than the bound by itself is let in alone.
    const fits = this.#bytes === 0 || this.#bytes + bytes <= this.#bytesMax
    return fits && !this.#isPressed()
  }

  #admitWaiting(): void {
    let count = 0
    for (const { bytes, admitted } of this.#waiting) {
      if (!this.#hasRoom(bytes)) break
      this.#bytes += bytes
      count++
      queueMicrotask(admitted)
    }
    this.#waiting.splice(0, count)
  }

  #look(): void {
    if (this.#isLooking || this.#waiting.length === 0) return
    this.#isLooking = true
    after(LOOK_MS, () => {
      this.#isLooking = false
      this.#admitWaiting()
      this.#look()
    })
  }
}
