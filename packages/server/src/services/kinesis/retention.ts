// Lets go of what has expired. Reads never show it anyway, since every read asks for the horizon; this
// is what brings the space back, and what forgets closed shards whose records are all gone.
import type { Clock } from '@millrace/base/clock'
import type { Streams } from './streams.ts'

/** How often it is worth running, ms of service time. */
export const RETENTION_EVERY_MS = 600_000

export class Retention {
  readonly #streams: Streams
  readonly #clock: Clock

  constructor(parts: { readonly streams: Streams; readonly clock: Clock }) {
    this.#streams = parts.streams
    this.#clock = parts.clock
  }

  /** One round over all streams. */
  async run(): Promise<void> {
    const nowMs = this.#clock.now()
    for (const stream of this.#streams.all(nowMs)) {
      stream.group.trim(stream.horizonMs(nowMs))
      const isAnyExpired = stream.facts.shards.some((shard) => stream.isExpired(shard, nowMs))
      if (!isAnyExpired || stream.facts.deletingUntilMs !== undefined) continue
      await this.#streams.change(stream, (facts) => {
        const expired = facts.shards.filter((shard) => stream.isExpired(shard, nowMs))
        if (expired.length === 0) return undefined
        return { kind: 'kinesis.shards-expired', numbers: expired.map((shard) => shard.number) }
      })
    }
  }
}
