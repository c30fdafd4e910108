// Gives back segments in which everything has been let go. Trims by time name the time; for trims by
// offset it is the earliest time among the first retained entries of the group's logs: times of a log
// never fall, so what is older than that is below every log's first offset.
import type { Clock } from '@millrace/base/clock'
import type { Logger } from '@millrace/base/logger'
import { type ReadResult, StorageError } from '../engine.ts'
import type { ControlRecord } from './checkpoint.ts'
import type { GroupTable } from './group-table.ts'
import type { LocalGroup } from './local-group.ts'
import type { LocalLog } from './local-log.ts'
import type { Segments } from './sealing.ts'

export interface FreeingOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly groups: GroupTable
  readonly segments: Segments
  /** Resolves when the record is durable and applied. */
  readonly record: (record: ControlRecord) => Promise<void>
  /** Told when files have gone. */
  readonly onFreed: () => void
}

/** A group's first entries are looked up at most this often, service time. */
const LOOK_EVERY_MS = 1000

export class Freeing {
  readonly #options: FreeingOptions
  readonly #running = new Map<number, Promise<void>>()
  readonly #lookedAtMs = new Map<number, number>()
  /** Up to which time a group's files were let go. */
  readonly #freedMs = new Map<number, number>()
  #isStopped = false

  constructor(options: FreeingOptions) {
    this.#options = options
  }

  /** A group or one of its logs was trimmed. */
  trimmed(group: LocalGroup): void {
    if (this.#isStopped || this.#running.has(group.id)) return
    const isTimeNew = group.trimMs > (this.#freedMs.get(group.id) ?? 0)
    const lookedAtMs = this.#lookedAtMs.get(group.id) ?? -LOOK_EVERY_MS
    const isLookDue =
      group.isTrimmedByOffset && this.#options.clock.now() - lookedAtMs >= LOOK_EVERY_MS
    if (isTimeNew || isLookDue) this.#start(group)
  }

  /** A journal file has become segments: what is past in them may go at once. */
  sealed(): void {
    if (this.#isStopped) return
    for (const group of this.#options.groups.groups()) {
      const isTrimmed = group.trimMs > 0 || group.isTrimmedByOffset
      if (isTrimmed && !this.#running.has(group.id)) this.#start(group)
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all(this.#running.values())
  }

  #start(group: LocalGroup): void {
    const running = this.#free(group).finally(() => {
      this.#running.delete(group.id)
    })
    this.#running.set(group.id, running)
  }

  async #free(group: LocalGroup): Promise<void> {
    const { segments, logger } = this.#options
    try {
      for (let doneMs = -1; doneMs < group.trimMs && !group.isGone; ) {
        doneMs = group.trimMs
        const beforeMs = group.isTrimmedByOffset ? await this.#beforeMs(group) : doneMs
        const bytes = await segments.trim(group.id, Math.max(beforeMs, doneMs), (before) =>
          this.#options.record({ kind: 'freed', group: group.id, before }),
        )
        if (bytes > 0) this.#options.onFreed()
        this.#freedMs.set(group.id, doneMs)
      }
    } catch (error) {
      if (this.#isStopped || group.isGone) return
      logger.warn('files of a group that are past could not be removed', { group: group.id, error })
    } finally {
      if (group.isGone) {
        this.#freedMs.delete(group.id)
        this.#lookedAtMs.delete(group.id)
      }
    }
  }

  /** Before this time nothing of the group is retained. What is appended from now on is later. */
  async #beforeMs(group: LocalGroup): Promise<number> {
    const nowMs = this.#options.clock.now()
    this.#lookedAtMs.set(group.id, nowMs)
    let beforeMs = nowMs
    const logs: LocalLog[] = []
    group.eachLog((log) => logs.push(log))
    for (const log of logs) {
      if (log.firstKept >= log.reservedNext || beforeMs <= group.trimMs) continue
      if (log.firstKept >= log.next) {
        // What is on its way to the disk may be older than now, but not older than this.
        beforeMs = Math.min(beforeMs, log.lastTimeMs)
        continue
      }
      const first = await firstEntry(log)
      // What its first entry is can't be known for damage: only what is past by time goes.
      if (first === undefined) return group.trimMs
      beforeMs = Math.min(beforeMs, first.batches[0]?.timeMs ?? beforeMs)
      first.release()
    }
    return beforeMs
  }
}

/** Undefined when it is damaged. */
async function firstEntry(log: LocalLog): Promise<ReadResult | undefined> {
  try {
    return await log.read(log.firstKept, { entriesMax: 1, bytesMax: 1 })
  } catch (error) {
    if (error instanceof StorageError && error.code === 'damaged') return undefined
    throw error
  }
}
