// Watches the room on the disk, so that appends are refused with a clear error before the disk is
// full, and taken again when there is room. Nothing here waits in a commit's path: the disk is asked
// in the background, after every few MiB committed, whenever an append had to be refused and whenever
// something was let go. When there is too little room, what the engine only holds for later is given
// back first, once each time that something was let go.
import type { Logger } from '@millrace/base/logger'
import type { Disk } from '../disk.ts'
import { StorageError } from '../engine.ts'

export interface DiskSpaceOptions {
  readonly disk: Disk
  readonly directory: string
  readonly logger: Logger
  /** Below this many free bytes only urgent appends are taken. */
  readonly lowWaterBytes: number
  /** Gives back what can be given back, given the bytes that are free; rejects with the disk's error. */
  readonly release: (freeBytes: number) => Promise<void>
  /** Tries whether there is room to grow again; rejects while there isn't. */
  readonly regain: () => Promise<void>
}

const CHECK_EVERY_BYTES = 4 * 1024 * 1024

export class DiskSpace {
  readonly #options: DiskSpaceOptions
  #isFull = false
  /** Something may be given back that couldn't the last time. */
  #mayRelease = true
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
    if (!this.#isFull) {
      this.#options.logger.error('the disk is full', { error })
      this.#mayRelease = true
    }
    this.#isFull = true
  }

  /** Something was let go: a group, what a trim left behind, a sealed file. */
  freed(): void {
    this.#mayRelease = true
    if (this.#isFull) this.check()
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
      // What was let go while the disk was asked.
      if (this.#isFull && this.#mayRelease) this.check()
    })
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#checking
  }

  async #ask(): Promise<void> {
    const { disk, directory, logger, lowWaterBytes, regain, release } = this.#options
    try {
      let freeBytes = await disk.freeBytes(directory)
      if (freeBytes < lowWaterBytes && !this.#isFull) {
        logger.error('the disk is nearly full', { directory, freeBytes })
        this.#isFull = true
        this.#mayRelease = true
      }
      if (!this.#isFull) return
      if (this.#mayRelease) {
        this.#mayRelease = false
        await release(freeBytes)
        freeBytes = await disk.freeBytes(directory)
      }
      if (freeBytes < lowWaterBytes) return
      await regain()
      this.#isFull = false
      logger.info('the disk has room again', { directory, freeBytes })
    } catch (error) {
      logger.warn('the room on the disk is unknown', { directory, error })
    }
  }
}
