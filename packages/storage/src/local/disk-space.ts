// Watches the room on the disk, so that appends are refused with a clear error before the disk is
// full, and taken again when there is room. Nothing here waits in a commit's path: the disk is asked
// in the background, after every few MiB committed and whenever an append had to be refused.
import type { Logger } from '@millrace/base/logger'
import type { Disk } from '../disk.ts'
import { StorageError } from '../engine.ts'

export interface DiskSpaceOptions {
  readonly disk: Disk
  readonly directory: string
  readonly logger: Logger
  /** Below this many free bytes only urgent appends are taken. */
  readonly lowWaterBytes: number
  /** Tries whether there is room to grow again; rejects while there isn't. */
  readonly regain: () => Promise<void>
}

const CHECK_EVERY_BYTES = 4 * 1024 * 1024

export class DiskSpace {
  readonly #options: DiskSpaceOptions
  #isFull = false
  #sinceCheckBytes = CHECK_EVERY_BYTES
  #checking: Promise<void> | undefined
  #isStopped = false

  constructor(options: DiskSpaceOptions) {
    this.#options = options
  }

  /** Whether only what frees space may be written. */
  get isFull(): boolean {
    return this.#isFull
  }

  committed(bytes: number): void {
    this.#sinceCheckBytes += bytes
    if (this.#sinceCheckBytes >= CHECK_EVERY_BYTES) this.check()
  }

  /** The disk itself said that there is no room. */
  noteFull(error: unknown): void {
    if (!this.#isFull) this.#options.logger.error('the disk is full', { error })
    this.#isFull = true
  }

  /** What a refused append is told; also looks whether there is room again. */
  refusal(): StorageError {
    this.check()
    return new StorageError(
      'disk-full',
      `The disk that holds ${this.#options.directory} has too little room left. Free some space or delete streams; appends go on by themselves then.`,
    )
  }

  /** Asks the disk in the background, once at a time. */
  check(): void {
    if (this.#isStopped || this.#checking !== undefined) return
    this.#sinceCheckBytes = 0
    this.#checking = this.#ask().finally(() => {
      this.#checking = undefined
    })
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#checking
  }

  async #ask(): Promise<void> {
    const { disk, directory, logger, lowWaterBytes, regain } = this.#options
    try {
      const freeBytes = await disk.freeBytes(directory)
      if (freeBytes < lowWaterBytes) {
        if (!this.#isFull) logger.error('the disk is nearly full', { directory, freeBytes })
        this.#isFull = true
      } else if (this.#isFull) {
        await regain()
        this.#isFull = false
        logger.info('the disk has room again', { directory, freeBytes })
      }
    } catch (error) {
      logger.warn('the room on the disk is unknown', { directory, error })
    }
  }
}
