// A clock for simulation: it stands still until it is moved, and what falls due runs when it is moved.
// A crash leaves its timers behind; the next process gets a clock of its own.
import type { Clock } from '@millrace/base/clock'

interface Timer {
  readonly timeMs: number
  readonly due: () => void | Promise<void>
}

export class SimulatedClock implements Clock {
  #nowMs: number
  #elapsedMs = 0
  #timers: Timer[] = []

  constructor(nowMs: number) {
    this.#nowMs = nowMs
  }

  now(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  wallMs(): number {
    return this.#nowMs
  }

  at(timeMs: number, due: () => void | Promise<void>): () => void {
    const timer = { timeMs, due }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer)
    }
  }

  /** Moves on; starts what falls due, in order of its time, and doesn't wait for it. */
  advance(ms: number): void {
    this.#elapsedMs += ms
    const untilMs = this.#nowMs + ms
    for (;;) {
      const [next] = this.#timers
        .filter(({ timeMs }) => timeMs <= untilMs)
        .sort((a, b) => a.timeMs - b.timeMs)
      if (next === undefined) break
      this.#timers = this.#timers.filter((one) => one !== next)
      this.#nowMs = Math.max(this.#nowMs, next.timeMs)
      void next.due()
    }
    this.#nowMs = untilMs
  }
}
