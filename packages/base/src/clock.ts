// Time as Millrace sees it. *Service time* decides what users can observe (retention, iterators,
// limits, record times): wall time plus an offset that only grows, and it never runs backwards.
// *Monotonic time* measures real durations (latencies, sockets, leases between processes).
// This file and its system twin are the only places where the real clock enters.

export interface Clock {
  /** Service time, milliseconds since 1970, an integer; never smaller than an earlier answer. */
  now(): number
  /** Real elapsed time, milliseconds with fractions, from an arbitrary start. */
  monotonicMs(): number
  /** Wall time, milliseconds since 1970; for signatures' skew and file names only. */
  wallMs(): number
  /**
   * Runs `due` once when service time reaches `timeMs`. When the clock is advanced, everything that
   * has fallen due runs in order of its time, each seeing its own due time as now, before the
   * advance returns. Returns a function that cancels it.
   */
  at(timeMs: number, due: () => void | Promise<void>): () => void
}

interface Timer {
  readonly timeMs: number
  readonly order: number
  readonly due: () => void | Promise<void>
}

/** How far a real timer may be set ahead; setTimeout overflows past 2^31 − 1 ms. */
const TIMER_MS_MAX = 0x3fffffff

/** A clock whose service time can be moved forward; `wall` and `monotonic` are its sources. */
export class ServiceClock implements Clock {
  readonly #wall: () => number
  readonly #monotonic: () => number
  readonly #onError: (error: unknown) => void
  #offsetMs = 0
  #lastMs = 0
  /** While an advance runs timers in order, now stands at the due time of the running one. */
  #heldAtMs: number | undefined
  #advancing: Promise<void> = Promise.resolve()
  #timers: Timer[] = []
  #order = 0
  #wake: NodeJS.Timeout | undefined

  constructor(
    options: {
      wall?: () => number
      monotonic?: () => number
      onError?: (error: unknown) => void
    } = {},
  ) {
    this.#wall = options.wall ?? Date.now
    this.#monotonic = options.monotonic ?? (() => performance.now())
    this.#onError =
      options.onError ??
      ((error) => {
        throw error
      })
  }

  now(): number {
    if (this.#heldAtMs !== undefined) return this.#heldAtMs
    const nowMs = Math.floor(this.#wall()) + this.#offsetMs
    if (nowMs > this.#lastMs) this.#lastMs = nowMs
    return this.#lastMs
  }

  monotonicMs(): number {
    return this.#monotonic()
  }

  wallMs(): number {
    return this.#wall()
  }

  get offsetMs(): number {
    return this.#offsetMs
  }

  /** Takes up an offset kept from an earlier run, and a time that service time must not precede. */
  restore(offsetMs: number, notBeforeMs: number): void {
    if (offsetMs > this.#offsetMs) this.#offsetMs = offsetMs
    if (notBeforeMs > this.#lastMs) this.#lastMs = notBeforeMs
    this.#schedule()
  }

  /** Moves service time forward; resolves when all that has fallen due has run. */
  advance(byMs: number): Promise<void> {
    this.#advancing = this.#advancing.then(() => this.#advanceNow(byMs))
    return this.#advancing
  }

  at(timeMs: number, due: () => void | Promise<void>): () => void {
    const timer: Timer = { timeMs, order: this.#order++, due }
    let low = 0
    let high = this.#timers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#timers[middle]!.timeMs <= timeMs) low = middle + 1
      else high = middle
    }
    this.#timers.splice(low, 0, timer)
    if (low === 0) this.#schedule()
    return () => {
      const index = this.#timers.indexOf(timer)
      if (index >= 0) this.#timers.splice(index, 1)
      if (index === 0) this.#schedule()
    }
  }

  /** Stops waking up; timers still listed never run. */
  close(): void {
    clearTimeout(this.#wake)
    this.#timers = []
  }

  async #advanceNow(byMs: number): Promise<void> {
    const targetMs = this.now() + byMs
    clearTimeout(this.#wake)
    try {
      for (let timer = this.#timers[0]; timer !== undefined; timer = this.#timers[0]) {
        if (timer.timeMs > targetMs) break
        this.#timers.shift()
        this.#heldAtMs = Math.max(timer.timeMs, this.#heldAtMs ?? this.#lastMs)
        await this.#run(timer)
      }
    } finally {
      this.#heldAtMs = undefined
      this.#offsetMs += byMs
      if (targetMs > this.#lastMs) this.#lastMs = targetMs
      this.#schedule()
    }
  }

  async #run(timer: Timer): Promise<void> {
    try {
      await timer.due()
    } catch (error) {
      this.#onError(error)
    }
  }

  #schedule(): void {
    clearTimeout(this.#wake)
    const next = this.#timers[0]
    if (next === undefined || this.#heldAtMs !== undefined) return
    const waitMs = Math.min(Math.max(next.timeMs - this.now(), 0), TIMER_MS_MAX)
    this.#wake = setTimeout(() => this.#fire(), waitMs)
    this.#wake.unref()
  }

  #fire(): void {
    if (this.#heldAtMs !== undefined) return
    const nowMs = this.now()
    while (this.#timers.length > 0 && this.#timers[0]!.timeMs <= nowMs) {
      void this.#run(this.#timers.shift()!)
    }
    this.#schedule()
  }
}
