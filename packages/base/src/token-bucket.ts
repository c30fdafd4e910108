// A bucket that holds one second's worth of tokens and starts full. It admits while it holds a whole
// token: calls and records, which take one each, are never more than were earned, and one large item of
// bytes is admitted on the last byte, takes the bucket into debt and is paid for before the next.
//
// It counts in thousandths: whole milliseconds earn whole thousandths, so nothing is ever rounded and a
// caller who keeps exactly to the rate is never refused.

export class TokenBucket {
  readonly #perSecond: number
  /** Thousandths of tokens. */
  #thousandths: number
  #atMs: number

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond
    this.#thousandths = perSecond * 1000
    this.#atMs = nowMs
  }

  /** Whether something would be admitted now. */
  isOpen(nowMs: number): boolean {
    this.#refill(nowMs)
    return this.#thousandths >= 1000
  }

  /** Takes `amount`, into debt if need be; ask `isOpen` first. A negative amount gives back. */
  take(amount: number): void {
    this.#fill(-amount * 1000)
  }

  #refill(nowMs: number): void {
    if (nowMs <= this.#atMs) return
    this.#fill((nowMs - this.#atMs) * this.#perSecond)
    this.#atMs = nowMs
  }

  #fill(thousandths: number): void {
    this.#thousandths = Math.min(this.#thousandths + thousandths, this.#perSecond * 1000)
  }
}
