// What a start finds in the journal's folder, and what it makes of it.
//
// The newest file that has begun (its checkpoint is whole) is the one that counts; its checkpoint and
// the frames that chain to it are the state. After a clean stop the chain ends in an end mark, and
// the next frame takes the mark's place. Otherwise the chain may end in a torn frame:
//
//   1. everything in the newest file is read and checked;
//   2. if a whole frame of this file lies behind the end of the chain, this is damage and not a torn
//      tail (one write is under way at a time): the start is refused with the place named;
//   3. bytes behind the end are copied to `<file>.<position>.cut` and overwritten with zeros;
//   4. the last whole frame is written again and synced before anything of it is served, because after
//      a failed sync the page cache may show what the disk does not have.
//
// With durability `os` frames were not synced, so any of them may be missing after a crash: every
// file is checked from the oldest, the first hole is the end, and what lies behind is kept as `*.cut`.
// docs/log-format.md has the table of faults.
import { basename, join } from 'node:path'
import { assert } from '@millrace/base/assert'
import type { Logger } from '@millrace/base/logger'
import type { Disk, DiskFile } from '../disk.ts'
import { StorageError } from '../engine.ts'
import { SKIPPED_OFFSETS } from './background-sync.ts'
import { type Checkpoint, decodeCheckpoint } from './checkpoint.ts'
import {
  FRAME_ALIGNMENT_BYTES,
  FRAME_END,
  FRAME_HEADER_BYTES,
  readFrameHeader,
  resemblesFrame,
} from './frame.ts'
import { type FoundFrame, firstBrokenFrame, lookBehind, readChain } from './frame-scan.ts'
import {
  DAMAGED_SUFFIX,
  isDiskFull,
  isMissing,
  journalPath,
  readFully,
  SPARE_SUFFIX,
  sequenceOf,
  writeZeros,
} from './journal-file.ts'
import { soloEntry } from './solo-frame.ts'

export interface RecoveryOptions {
  readonly disk: Disk
  readonly directory: string
  /** Where unknown files are moved. */
  readonly orphans: string
  readonly logger: Logger
  /** What the folder was last written with. */
  readonly durability: 'sync' | 'os'
}

/** A journal file as it was found, with the frames that count. */
export interface FoundFile {
  readonly sequence: number
  readonly path: string
  readonly sizeBytes: number
  readonly checkpoint: Checkpoint
  readonly generation: bigint
  /** Checkpoint first; an end mark is not listed. */
  readonly frames: readonly FoundFrame[]
  readonly usedBytes: number
  readonly chain: number
  readonly isEndMarked: boolean
}

export interface FoundJournal {
  /** Undefined when nothing was ever written. */
  readonly newest: FoundFile | undefined
  /** Rolled files that are still there, oldest first. */
  readonly rolled: readonly FoundFile[]
  /** Files that may be used again. */
  readonly spares: readonly string[]
  /** Offsets that every log has to skip before the next append. */
  readonly skippedOffsets: number
}

/** How far behind a clean end, or a checkpoint that isn't there, a next frame is looked for. */
const BEHIND_END_BYTES = 16 * 1024 * 1024
/** Files whose chains are read at the same time. */
const FILES_AT_ONCE = 6
/** At most this much is taken for a torn frame when its length can't be read. */
const TORN_BYTES_MAX = 16 * 1024 * 1024

export async function recoverJournal(options: RecoveryOptions): Promise<FoundJournal> {
  return await new Recovery(options).run()
}

class Recovery {
  readonly #options: RecoveryOptions
  readonly #spares: string[] = []

  constructor(options: RecoveryOptions) {
    this.#options = options
  }

  async run(): Promise<FoundJournal> {
    const sequences = await this.#list()
    const begun: FoundFile[] = []
    let isLossless = true
    const files = await this.#findAll(sequences)
    for (const sequence of sequences.toReversed()) {
      const found = files.get(sequence)
      if (found !== undefined) {
        begun.unshift(found)
        continue
      }
      if (begun.length > 0) {
        await this.#loseBehind(sequence, begun.splice(0))
        isLossless = false
      }
      isLossless = (await this.#setAside(sequence)) && isLossless
    }
    const newest = begun.at(-1)
    if (newest === undefined) {
      if (sequences.some((sequence) => sequence > 1)) {
        throw this.#damaged(sequences.at(-1) ?? 0, 0, 'no journal file before it is there')
      }
      return { newest, rolled: [], spares: this.#spares, skippedOffsets: 0 }
    }
    if (this.#options.durability === 'os' && !(newest.isEndMarked && isLossless)) {
      return await this.#recoverHoles(begun)
    }
    const rolled = begun.slice(0, -1)
    for (const [index, file] of rolled.entries()) this.#assertWhole(file, begun[index + 1])
    const proven = await this.#proveTail(newest)
    return { newest: proven, rolled, spares: this.#spares, skippedOffsets: 0 }
  }

  /** Sequences of the journal files, rising; everything else is put where it belongs. */
  async #list(): Promise<number[]> {
    const { disk, directory, orphans, logger } = this.#options
    const sequences: number[] = []
    for (const name of await disk.list(directory)) {
      const sequence = sequenceOf(name)
      if (sequence !== undefined) sequences.push(sequence)
      else if (sequenceOf(name, SPARE_SUFFIX) !== undefined)
        this.#spares.push(join(directory, name))
      else if (!name.endsWith('.cut') && !name.endsWith(DAMAGED_SUFFIX)) {
        logger.warn('an unknown file was moved out of the journal', { name, to: orphans })
        await disk.rename(join(directory, name), join(orphans, name))
      }
    }
    return sequences.sort((a, b) => a - b)
  }

  /** A file whose checkpoint is whole; undefined when it has not begun. */
  /** Several files at a time: a start waits for the calls more than for the bytes. */
  async #findAll(sequences: readonly number[]): Promise<Map<number, FoundFile | undefined>> {
    const files = new Map<number, FoundFile | undefined>()
    for (let at = 0; at < sequences.length; at += FILES_AT_ONCE) {
      const some = sequences.slice(at, at + FILES_AT_ONCE)
      const found = await Promise.all(some.map((sequence) => this.#find(sequence)))
      for (const [index, sequence] of some.entries()) files.set(sequence, found[index])
    }
    return files
  }

  async #find(sequence: number): Promise<FoundFile | undefined> {
    const path = journalPath(this.#options.directory, sequence)
    const file = await this.#options.disk.open(path, { mode: 'read' })
    try {
      const sizeBytes = await file.size()
      const { frames, end } = await readChain(file, sequence, sizeBytes)
      const first = frames[0]
      if (first === undefined || (await firstBrokenFrame(file, [first])) !== undefined) {
        return undefined
      }
      const frame = Buffer.allocUnsafe(first.header.frameBytes)
      await readFully(file, frame, 0, frame.length, 0)
      const checkpoint = decodeCheckpoint(soloEntry(frame))
      if (checkpoint?.sequence !== sequence) {
        throw this.#damaged(
          sequence,
          0,
          'its checkpoint has a layout that this program does not know',
        )
      }
      const { generation } = first.header
      const found = { sequence, path, sizeBytes, checkpoint, generation }
      const last = frames.at(-1)
      assert(last !== undefined, 'a chain that has a first frame has a last one')
      if (last.header.kind === FRAME_END) {
        const { position, previousChain } = last.header
        const counted = frames.slice(0, -1)
        return {
          ...found,
          frames: counted,
          usedBytes: position,
          chain: previousChain,
          isEndMarked: true,
        }
      }
      return { ...found, frames, usedBytes: end, chain: last.header.chain, isEndMarked: false }
    } finally {
      await file.close()
    }
  }

  /**
   * A newest file without a whole checkpoint was made ready and never begun, or its checkpoint was
   * torn. Unless frames of it are there: then its checkpoint is damaged. False when it held data.
   */
  async #setAside(sequence: number): Promise<boolean> {
    const { disk, directory, logger } = this.#options
    const path = journalPath(directory, sequence)
    const file = await disk.open(path, { mode: 'read' })
    let frameAt: number | undefined
    try {
      const to = Math.min(await file.size(), BEHIND_END_BYTES)
      const behind = await lookBehind(file, sequence, undefined, FRAME_ALIGNMENT_BYTES, to)
      frameAt = behind.frameAt
    } finally {
      await file.close()
    }
    if (frameAt === undefined) {
      this.#spares.push(path)
      return true
    }
    if (this.#options.durability === 'sync') {
      throw this.#damaged(
        sequence,
        0,
        `its checkpoint is damaged and a frame follows at ${frameAt}`,
      )
    }
    logger.error('a journal file was lost in a crash with durability os', { path })
    await disk.rename(path, `${path}.0.cut`)
    return false
  }

  /** Files behind one whose checkpoint is missing: lost with durability `os`, damage otherwise. */
  async #loseBehind(sequence: number, files: readonly FoundFile[]): Promise<void> {
    if (this.#options.durability === 'sync' || files.at(-1)?.isEndMarked === true) {
      throw this.#damaged(sequence, 0, 'its checkpoint is damaged')
    }
    for (const { path } of files) {
      this.#options.logger.error('a journal file was lost in a crash with durability os', { path })
      await this.#options.disk.rename(path, `${path}.0.cut`)
    }
  }

  /** A rolled file has to end where the checkpoint of the next one says. */
  #assertWhole(file: FoundFile, next: FoundFile | undefined): void {
    const previous = next?.checkpoint.previous
    if (previous?.sequence !== file.sequence) {
      throw this.#damaged(file.sequence + 1, 0, 'this file of the journal is missing')
    }
    if (file.usedBytes === previous.usedBytes && file.chain === previous.chain) return
    throw this.#damaged(
      file.sequence,
      file.usedBytes,
      `a frame is damaged; frames up to ${previous.usedBytes} should follow`,
    )
  }

  /** Checks the newest file's end, cuts what is torn behind it, and makes its last frame durable. */
  async #proveTail(found: FoundFile): Promise<FoundFile> {
    const file = await this.#options.disk.open(found.path, { mode: 'write', isSynced: true })
    try {
      const whole = found.isEndMarked ? found : await this.#wholePart(file, found)
      const { sequence, generation, usedBytes, sizeBytes } = whole
      const behindFrom = usedBytes + FRAME_ALIGNMENT_BYTES
      const behindTo = found.isEndMarked ? behindFrom + BEHIND_END_BYTES : sizeBytes
      const { frameAt } = await lookBehind(
        file,
        sequence,
        generation,
        behindFrom,
        Math.min(behindTo, sizeBytes),
      )
      if (frameAt !== undefined) {
        throw this.#damaged(sequence, usedBytes, `a whole frame follows at ${frameAt}`)
      }
      if (!found.isEndMarked) await this.#cut(file, whole)
      await this.#rewriteLast(file, whole)
      return whole
    } finally {
      await file.close()
    }
  }

  /** The frames whose blocks are whole too. A last one that isn't is torn; an earlier one is damage. */
  async #wholePart(file: DiskFile, found: FoundFile): Promise<FoundFile> {
    const broken = await firstBrokenFrame(file, found.frames)
    if (broken === undefined) return found
    const position = found.frames[broken]?.header.position ?? 0
    if (broken < found.frames.length - 1) {
      throw this.#damaged(found.sequence, position, 'a block in this frame is damaged')
    }
    return cutBefore(found, broken)
  }

  /** Keeps the bytes of a torn frame behind the end, and overwrites them. */
  async #cut(file: DiskFile, found: FoundFile): Promise<void> {
    const from = found.usedBytes
    const to = await tornEnd(file, found)
    if (to <= from) return
    const path = `${found.path}.${from}.cut`
    this.#options.logger.warn('a torn tail was cut off the journal', {
      journal: basename(found.path),
      position: from,
      bytes: to - from,
      kept: path,
    })
    await this.#keep(file, from, to, path)
    await writeZeros(file, from, to)
  }

  async #keep(file: DiskFile, from: number, to: number, path: string): Promise<void> {
    const { disk, directory, logger } = this.#options
    try {
      const copy = await this.#openCopy(path)
      try {
        const buffer = Buffer.allocUnsafeSlow(Math.min(1024 * 1024, to - from))
        for (let at = from; at < to; at += buffer.length) {
          const read = await readFully(file, buffer, 0, Math.min(buffer.length, to - at), at)
          await copy.write(buffer, 0, read, at - from)
        }
        await copy.sync()
      } finally {
        await copy.close()
      }
      await disk.syncDirectory(directory)
    } catch (error) {
      // A full disk must not keep the folder shut: nothing in there was acknowledged.
      if (!isDiskFull(error)) throw error
      logger.error('there was no room to keep the torn tail', { path, error })
    }
  }

  async #openCopy(path: string): Promise<DiskFile> {
    const { disk } = this.#options
    try {
      // The start that made it did not get as far as overwriting the tail: copy it again.
      await disk.remove(path)
    } catch (error) {
      if (!isMissing(error)) throw error
    }
    return await disk.open(path, { mode: 'create' })
  }

  async #rewriteLast(file: DiskFile, found: FoundFile): Promise<void> {
    const last = found.frames.at(-1)
    assert(last !== undefined, 'a file that has begun has a frame')
    const { position, frameBytes } = last.header
    const frame = Buffer.allocUnsafeSlow(frameBytes)
    const read = await readFully(file, frame, 0, frameBytes, position)
    if (read < frameBytes) throw this.#damaged(found.sequence, position, 'its last frame vanished')
    await file.write(frame, 0, frameBytes, position)
    // From here on the stop is not a clean one: with durability `os` the frames that come next, and
    // the files after this one, may all be lost, and the mark must not stand for the end then.
    const end = position + frameBytes
    if (found.isEndMarked) await writeZeros(file, end, end + FRAME_ALIGNMENT_BYTES)
    await file.sync()
  }

  /** Durability `os` after a crash: the first hole in any file is the end. */
  async #recoverHoles(begun: readonly FoundFile[]): Promise<FoundJournal> {
    const { disk, directory, logger } = this.#options
    let end = begun.length - 1
    let newest: FoundFile | undefined
    let lostBytes = 0
    for (const [index, found] of begun.entries()) {
      const file = await disk.open(found.path, { mode: 'write' })
      let broken: number | undefined
      try {
        broken = await firstBrokenFrame(file, found.frames)
        // What a killed process left in the page cache: files after it must not outlive it.
        await file.sync()
      } finally {
        await file.close()
      }
      const whole = broken === undefined ? found : cutBefore(found, broken)
      const previous = begun[index + 1]?.checkpoint.previous
      const isWhole = previous?.usedBytes === whole.usedBytes && previous.chain === whole.chain
      if (isWhole && previous.sequence === found.sequence) continue
      newest = whole
      end = index
      break
    }
    assert(newest !== undefined, 'the newest file has no successor and ends the search')
    for (const lost of begun.slice(end + 1)) {
      lostBytes += lost.usedBytes
      await disk.rename(lost.path, `${lost.path}.0.cut`)
    }
    lostBytes += await this.#cutHole(newest)
    await disk.syncDirectory(directory)
    const what = { journal: basename(newest.path), position: newest.usedBytes, lostBytes }
    logger.warn('not closed cleanly with durability os: what the system had not written is lost', {
      ...what,
      offsetsSkipped: SKIPPED_OFFSETS,
    })
    return {
      newest: { ...newest, isEndMarked: false },
      rolled: begun.slice(0, end),
      spares: this.#spares,
      skippedOffsets: SKIPPED_OFFSETS,
    }
  }

  /** Gives how many bytes of frames were found behind the hole. */
  async #cutHole(found: FoundFile): Promise<number> {
    const file = await this.#options.disk.open(found.path, { mode: 'write', isSynced: true })
    try {
      const { sequence, generation, usedBytes, sizeBytes } = found
      const behind = await lookBehind(file, sequence, generation, usedBytes, sizeBytes)
      const to = behind.frameAt === undefined ? await tornEnd(file, found) : behind.dirtyEnd
      if (to > usedBytes) {
        await this.#keep(file, usedBytes, to, `${found.path}.${usedBytes}.cut`)
        await writeZeros(file, usedBytes, to)
      }
      await this.#rewriteLast(file, { ...found, isEndMarked: false })
      return Math.max(to - usedBytes, 0)
    } finally {
      await file.close()
    }
  }

  #damaged(sequence: number, position: number, what: string): StorageError {
    const path = journalPath(this.#options.directory, sequence)
    return new StorageError(
      'damaged',
      `The journal ${path} is damaged at byte ${position}: ${what}. Nothing was changed. Restore the data folder from a copy, or move it away to start empty.`,
    )
  }
}

/** The file as if it ended before this frame. */
function cutBefore(found: FoundFile, index: number): FoundFile {
  const { position, previousChain } = found.frames[index]!.header
  return {
    ...found,
    frames: found.frames.slice(0, index),
    usedBytes: position,
    chain: previousChain,
    isEndMarked: false,
  }
}

/**
 * Where a torn frame behind the end of the chain may reach. In a file that never held anything else
 * that is the last byte that isn't zero; in one used before, what its header says, if that is there.
 */
async function tornEnd(file: DiskFile, found: FoundFile): Promise<number> {
  const { sequence, generation, usedBytes, sizeBytes } = found
  const sector = Buffer.alloc(FRAME_HEADER_BYTES)
  await readFully(file, sector, 0, sector.length, usedBytes)
  if (!found.checkpoint.isReused) {
    const { dirtyEnd } = await lookBehind(file, sequence, generation, usedBytes, sizeBytes)
    return dirtyEnd
  }
  if (!resemblesFrame(sector, 0, generation, sequence, usedBytes)) return usedBytes
  const bytes = readFrameHeader(sector, 0)?.frameBytes ?? TORN_BYTES_MAX
  return Math.min(usedBytes + bytes, sizeBytes)
}
