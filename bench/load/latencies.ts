// Every latency of a measurement, kept exactly: a growing array of milliseconds, sorted once at the end.

export class Latencies {
  #values = new Float64Array(1 << 14)
  #count = 0
  #isSorted = false

  get count(): number {
    return this.#count
  }

  add(ms: number): void {
    if (this.#count === this.#values.length) {
      const larger = new Float64Array(this.#values.length * 2)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.#count++] = ms
    this.#isSorted = false
  }

  clear(): void {
    this.#count = 0
    this.#isSorted = false
  }

  /** The smallest value that at least `share` (0 … 1) of all do not exceed; NaN when there is none. */
  percentile(share: number): number {
    if (this.#count === 0) return Number.NaN
    if (!this.#isSorted) {
      this.#values.subarray(0, this.#count).sort()
      this.#isSorted = true
    }
    const rank = Math.max(1, Math.ceil(share * this.#count))
    return this.#values[rank - 1] ?? Number.NaN
  }
}
