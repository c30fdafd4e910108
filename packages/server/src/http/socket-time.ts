// Real time for sockets: how long a peer may be silent, how long a stop may wait. It has nothing to do
// with service time (a tester's clock must not close connections), and timers enter http/ here only.

/** Runs `due` once after `ms` real milliseconds; returns what cancels it. Keeps no process alive. */
export function after(ms: number, due: () => void): () => void {
  const timer = setTimeout(due, ms)
  timer.unref()
  return () => clearTimeout(timer)
}

/**
 * A deadline that many share: what was added and not deleted is due after `ms` to twice as long. Adding
 * and deleting are a step in a set each, with no timer per item.
 */
export class Deadlines<T> {
  readonly #ms: number
  readonly #due: (item: T) => void
  #young = new Set<T>()
  #old = new Set<T>()
  #isTicking = false

  constructor(ms: number, due: (item: T) => void) {
    this.#ms = ms
    this.#due = due
  }

  add(item: T): void {
    this.#young.add(item)
    if (!this.#isTicking) this.#tickLater()
  }

  delete(item: T): void {
    if (!this.#young.delete(item)) this.#old.delete(item)
  }

  #tickLater(): void {
    this.#isTicking = true
    after(this.#ms, () => this.#tick())
  }

  #tick(): void {
    const due = this.#old
    this.#old = this.#young
    this.#young = new Set()
    for (const item of due) this.#due(item)
    this.#isTicking = false
    if (this.#old.size > 0 || this.#young.size > 0) this.#tickLater()
  }
}
