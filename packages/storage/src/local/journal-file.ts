// One file of the journal, `<sequence in 20 digits>.journal`: frames back to back from byte 0, the
// first a checkpoint, behind them zeros or what an earlier use of the file left. What counts is the
// chain of frames from the start; `usedBytes` says where it ends.
import { join } from 'node:path'
import type { DiskFile } from '../disk.ts'
import type { BlockIndex } from './block-index.ts'
import { firstChain } from './frame.ts'

export const JOURNAL_SUFFIX = '.journal'
export const SPARE_SUFFIX = '.spare'
/** Behind the name of a file that was damaged when it was sealed: kept, never read. */
export const DAMAGED_SUFFIX = '.damaged'

export function journalPath(directory: string, sequence: number, suffix = JOURNAL_SUFFIX): string {
  return join(directory, `${String(sequence).padStart(20, '0')}${suffix}`)
}

/** The sequence in a journal file's name, or undefined when the name is another. */
export function sequenceOf(name: string, suffix = JOURNAL_SUFFIX): number | undefined {
  if (name.length !== 20 + suffix.length || !name.endsWith(suffix)) return undefined
  const digits = name.slice(0, 20)
  const sequence = Number(digits)
  return /^\d+$/.test(digits) && Number.isSafeInteger(sequence) && sequence > 0
    ? sequence
    : undefined
}

/** A file that may become the next of the journal: its descriptors and how far it is allocated. */
export interface PreparedFile {
  readonly sequence: number
  readonly path: string
  readonly generation: bigint
  readonly isReused: boolean
  /** Bytes that exist on disk; up to here a write needs no new space. */
  readonly sizeBytes: number
  /** For frames; synced when the engine is. Not there in a rolled file. */
  readonly writer: DiskFile | undefined
  /** For reads, and for zeros ahead of the writer. */
  readonly plain: DiskFile
}

export class JournalFile {
  readonly sequence: number
  readonly path: string
  readonly generation: bigint
  readonly isReused: boolean
  readonly index: BlockIndex
  readonly plain: DiskFile
  /** Gone once the file takes no more frames. */
  writer: DiskFile | undefined
  /** End of the last frame that is on disk. */
  usedBytes = 0
  /** End of the frame being written; equal to `usedBytes` at rest. */
  reservedBytes = 0
  sizeBytes: number
  /** What the next frame chains to. */
  chain: number
  lastFrameAt = 0
  /** Takes no more frames: something went wrong while one was written. */
  isEnded = false
  #readers = 0
  #unread: (() => void) | undefined

  constructor(prepared: PreparedFile, index: BlockIndex) {
    this.sequence = prepared.sequence
    this.path = prepared.path
    this.generation = prepared.generation
    this.isReused = prepared.isReused
    this.sizeBytes = prepared.sizeBytes
    this.writer = prepared.writer
    this.plain = prepared.plain
    this.index = index
    this.chain = firstChain(prepared.generation, prepared.sequence)
  }

  /** A frame from `at` to `end` is on disk. */
  written(at: number, end: number, chain: number): void {
    this.lastFrameAt = at
    this.usedBytes = end
    this.reservedBytes = end
    this.chain = chain
    if (end > this.sizeBytes) this.sizeBytes = end
  }

  /** Reads exactly `length` bytes; while it runs the file isn't used for anything else. */
  async read(target: Buffer, at: number, length: number, position: number): Promise<number> {
    this.#readers++
    try {
      return await readFully(this.plain, target, at, length, position)
    } finally {
      this.#readers--
      if (this.#readers === 0) this.#unread?.()
    }
  }

  /** Resolves when nobody reads the file; nobody may begin to meanwhile. */
  async unread(): Promise<void> {
    if (this.#readers === 0) return
    await new Promise<void>((resolve) => {
      this.#unread = resolve
    })
  }

  async closeWriter(): Promise<void> {
    const { writer } = this
    this.writer = undefined
    await writer?.close()
  }

  async close(): Promise<void> {
    await this.closeWriter()
    await this.plain.close()
  }
}

/** Reads until `length` bytes are there or the file ends; gives how many. */
export async function readFully(
  file: DiskFile,
  target: Buffer,
  at: number,
  length: number,
  position: number,
): Promise<number> {
  let done = 0
  while (done < length) {
    const count = await file.read(target, at + done, length - done, position + done)
    if (count === 0) break
    done += count
  }
  return done
}

export const ZEROS = Buffer.alloc(1024 * 1024)

/** Writes zeros over a range, at most 1 MiB at a time. */
export async function writeZeros(file: DiskFile, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += ZEROS.length) {
    await file.write(ZEROS, 0, Math.min(ZEROS.length, to - at), at)
  }
}

/** Whether an error says that there is no room, rather than that the disk is broken. */
export function isDiskFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return code === 'ENOSPC' || code === 'EDQUOT'
}

export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT'
}
