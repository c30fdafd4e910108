// Which blocks were found damaged or missing since the start: each is counted once and told of once in
// the log, however often a reader comes back to it.
import type { Logger } from '@millrace/base/logger'

/** Beyond so many places only the readers are told. */
const PLACES_MAX = 100_000

export class KnownDamage {
  readonly #logger: Logger
  readonly #places = new Set<string>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  get count(): number {
    return this.#places.size
  }

  /** A block that begins at this offset can't be read; `what` says so in a sentence. */
  block(groupId: number, logId: number, firstOffset: number, what: string): void {
    this.note(`${groupId}/${logId}/${firstOffset}`, what)
  }

  /** Something is damaged that is more or less than a block; `place` names it. */
  note(place: string, what: string): void {
    if (this.#places.has(place) || this.#places.size >= PLACES_MAX) return
    this.#places.add(place)
    this.#logger.error('stored entries are damaged', { what })
  }
}
