// A bucket that holds one second's worth of tokens and starts full. It admits while it is above zero
// and may go into debt, so that one large item is admitted and then paid for.

export class TokenBucket {
  readonly #perSecond: number
  #tokens: number
  #atMs: number

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond
    this.#tokens = perSecond
    this.#atMs = nowMs
  }

  /** Whether something would be admitted now. */
  isOpen(nowMs: number): boolean {
    this.#refill(nowMs)
    return this.#tokens > 0
  }

  /** Takes `amount`, into debt if need be; ask `isOpen` first. A negative amount gives back. */
  take(amount: number): void {
    this.#tokens = Math.min(this.#tokens - amount, this.#perSecond)
  }

  #refill(nowMs: number): void {
    if (nowMs <= this.#atMs) return
    const earned = ((nowMs - this.#atMs) / 1000) * this.#perSecond
    this.#tokens = Math.min(this.#tokens + earned, this.#perSecond)
    this.#atMs = nowMs
  }
}
