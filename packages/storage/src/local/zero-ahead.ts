// Writes zeros ahead of the journal's writer, so that a frame overwrites bytes that are already
// allocated: its sync then has no file size or block map to write. It runs beside the commits, never
// before them: at most one step of 1 MiB is under way, on a descriptor of its own and followed by one
// fdatasync, and about as many bytes are kept ahead as the file has used.
//
// A writer that catches up simply writes behind the zeros; only a frame that would touch the step
// under way waits for that step, since a zero that lands later would wipe the frame. The opposite, to
// give back what is ahead, is a step of the same kind: a frame never races with the cut.
import type { JournalFile } from './journal-file.ts'
import { ZEROS } from './journal-file.ts'

export interface ZeroAheadOptions {
  readonly fileBytesMax: number
  /** At most this far ahead. */
  readonly aheadBytesMax: number
  /** The file that takes frames now. */
  readonly current: () => JournalFile
  readonly onError: (error: unknown) => void
  /** Whether the disk has no room: nothing is taken ahead then. */
  readonly isFull: () => boolean
}

const AHEAD_BYTES_MIN = 64 * 1024
const ALIGNMENT_BYTES = 4096

export class ZeroAhead {
  readonly #options: ZeroAheadOptions
  #step: { readonly file: JournalFile; readonly from: number; done: Promise<void> } | undefined
  #running: Promise<void> | undefined
  #isStopped = false

  constructor(options: ZeroAheadOptions) {
    this.#options = options
  }

  /** Called after each commit; starts working when less than half of what should be ahead is. */
  kick(): void {
    if (this.#running !== undefined || this.#isStopped || this.#options.isFull()) return
    const file = this.#options.current()
    if (file.sizeBytes - file.reservedBytes >= this.#aheadBytes(file) / 2) return
    if (this.#target(file) <= file.sizeBytes) return
    this.#running = this.#run().finally(() => {
      this.#running = undefined
    })
  }

  /** What a frame of this file that ends here has to wait for, if anything. */
  clash(file: JournalFile, end: number): Promise<void> | undefined {
    const step = this.#step
    return step !== undefined && step.file === file && end > step.from ? step.done : undefined
  }

  /** Cuts off what is allocated further than `keptBytes` behind the frames. */
  async giveBack(keptBytes: number): Promise<void> {
    await this.#running
    const file = this.#options.current()
    if (this.#isStopped || this.#running !== undefined || file.isEnded) return
    const from = align(file.reservedBytes + keptBytes)
    if (file.sizeBytes <= from) return
    file.sizeBytes = from
    const done = cutAndSync(file, from)
    this.#step = { file, from, done: done.catch(() => {}) }
    this.#running = done.catch(this.#options.onError).finally(() => {
      this.#step = undefined
      this.#running = undefined
    })
    await this.#running
  }

  /** Resolves when no step is under way and none will be. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  /** Resolves when no step touches this file. */
  async leave(file: JournalFile): Promise<void> {
    if (this.#step?.file === file) await this.#step.done
  }

  async #run(): Promise<void> {
    try {
      while (!this.#isStopped && !this.#options.isFull()) {
        const file = this.#options.current()
        const from = Math.max(file.sizeBytes, file.reservedBytes)
        const to = Math.min(this.#target(file), from + ZEROS.length)
        if (to <= from || file.isEnded) return
        const done = zeroAndSync(file, from, to)
        // Who waits for the step only wants it over; its failure is handled here.
        this.#step = { file, from, done: done.catch(() => {}) }
        await done
        if (to > file.sizeBytes) file.sizeBytes = to
      }
    } catch (error) {
      this.#options.onError(error)
    } finally {
      this.#step = undefined
    }
  }

  #aheadBytes(file: JournalFile): number {
    const ahead = Math.max(file.reservedBytes, AHEAD_BYTES_MIN)
    return Math.min(ahead, Math.max(this.#options.aheadBytesMax, AHEAD_BYTES_MIN))
  }

  #target(file: JournalFile): number {
    const target = file.reservedBytes + this.#aheadBytes(file)
    return Math.min(align(target), this.#options.fileBytesMax)
  }
}

function align(position: number): number {
  return Math.ceil(position / ALIGNMENT_BYTES) * ALIGNMENT_BYTES
}

async function cutAndSync(file: JournalFile, size: number): Promise<void> {
  await file.plain.truncate(size)
  await file.plain.sync()
}

async function zeroAndSync(file: JournalFile, from: number, to: number): Promise<void> {
  await file.plain.write(ZEROS, 0, to - from, from)
  await file.plain.sync()
}
