// With durability `os` commits aren't synced, and a power cut may lose what was acknowledged last. So
// that no offset is ever handed out twice, recovery then skips 2^20 offsets in every log; this file
// keeps that promise honest: fewer entries than that are ever waiting to be synced. A sync is started
// in the background long before, and only if it doesn't end does a commit wait.
import { assert } from '@millrace/base/assert'
import type { JournalFile } from './journal-file.ts'

/** Offsets that every log skips after a crash with durability `os`. */
export const SKIPPED_OFFSETS = 2 ** 20

const ENTRIES_SOON = SKIPPED_OFFSETS / 4
const BYTES_SOON = 32 * 1024 * 1024

export class BackgroundSync {
  readonly #onError: (error: unknown) => void
  #files = new Set<JournalFile>()
  #entries = 0
  #bytes = 0
  #running: Promise<void> | undefined

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** Called before a frame is written; a promise when it has to wait. */
  admit(entries: number): Promise<void> | undefined {
    if (this.#entries + entries < SKIPPED_OFFSETS) return undefined
    return this.#room(entries)
  }

  /** A frame was written and not synced. */
  written(file: JournalFile, entries: number, bytes: number): void {
    this.#files.add(file)
    this.#entries += entries
    this.#bytes += bytes
    if (this.#entries >= ENTRIES_SOON || this.#bytes >= BYTES_SOON)
      this.#start().catch(this.#onError)
  }

  /** Resolves when all that was written so far is durable. */
  async flush(): Promise<void> {
    await this.#running
    if (this.#files.size > 0) await this.#start()
  }

  async #room(entries: number): Promise<void> {
    while (this.#entries > 0 && this.#entries + entries >= SKIPPED_OFFSETS) await this.#start()
  }

  #start(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #run(): Promise<void> {
    const files = this.#files
    const entries = this.#entries
    const bytes = this.#bytes
    this.#files = new Set()
    for (const file of files) await file.plain.sync()
    this.#entries -= entries
    this.#bytes -= bytes
    assert(this.#entries >= 0, 'only what was written is synced')
  }
}
