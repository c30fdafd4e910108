// The journal: one chain of files, one writer. It places frames, rolls to the next file, and keeps
// the rolled files readable until they are sealed.
//
// A roll writes one frame: the checkpoint at the start of the next file, which is ready before it is
// needed. The checkpoint also says where the previous file ends, so that damage there is noticed.
// Worked crash: the checkpoint of file 8 is torn. File 8 holds nothing else, so recovery takes file 7
// as the newest and file 8 as not begun. The checkpoint of file 8 is whole: all frames of file 7 were
// acknowledged before it was written, so file 7 must be whole up to where the checkpoint says.
import type { Logger } from '@millrace/base/logger'
import type { Disk } from '../disk.ts'
import { StorageError } from '../engine.ts'
import type { BackgroundSync } from './background-sync.ts'
import { BLOCK_HEADER_BYTES } from './block.ts'
import { BlockIndex } from './block-index.ts'
import { CHECKPOINT_LOG, CONTROL_GROUP, type PreviousFile } from './checkpoint.ts'
import type { CommitFrame } from './commit-frame.ts'
import {
  chainOf,
  DIRECTORY_ENTRY_BYTES,
  FRAME_CHECKPOINT,
  FRAME_COMMIT,
  FRAME_END,
  type FramePlace,
  finishFrame,
  isBlockWhole,
  isDirectoryWhole,
  readDirectoryEntry,
  readFrameHeader,
} from './frame.ts'
import {
  DAMAGED_SUFFIX,
  isDiskFull,
  isMissing,
  JournalFile,
  type PreparedFile,
  readFully,
} from './journal-file.ts'
import type { NextFile } from './next-file.ts'
import { soloFrame } from './solo-frame.ts'
import { ZeroAhead } from './zero-ahead.ts'

export interface JournalOptions {
  readonly disk: Disk
  readonly directory: string
  readonly logger: Logger
  readonly isSynced: boolean
  readonly fileBytesMax: number
  readonly blocksMax: number
  readonly aheadBytesMax: number
  readonly next: NextFile
  /** With durability `os` only. */
  readonly backgroundSync: BackgroundSync | undefined
  /** The state of all groups as of the last frame written, for the checkpoint of this file. */
  readonly checkpoint: (file: {
    sequence: number
    isReused: boolean
    previous: PreviousFile | undefined
  }) => Buffer
  /** Whether the disk has no room, so that only allocated space may be written. */
  readonly isFull: () => boolean
  /** Zeros could not be written ahead. */
  readonly onZeroError: (error: unknown) => void
  /** The next file could not be made ready; the roll will try again. */
  readonly onPrepareError: (error: unknown) => void
  /** A file was rolled and can be sealed. */
  readonly onRolled: () => void
}

/** What the current file keeps behind its frames when space is given back. */
const KEPT_AHEAD_BYTES = 16 * 1024

export class Journal {
  readonly #options: JournalOptions
  readonly #zeroAhead: ZeroAhead
  #current: JournalFile
  /** Rolled files that aren't sealed yet, oldest first. */
  readonly #rolled: JournalFile[]
  #isRollWanted = false

  constructor(options: JournalOptions, current: JournalFile, rolled: readonly JournalFile[]) {
    this.#options = options
    this.#current = current
    this.#rolled = [...rolled]
    this.#zeroAhead = new ZeroAhead({
      fileBytesMax: options.fileBytesMax,
      aheadBytesMax: options.aheadBytesMax,
      current: () => this.#current,
      onError: options.onZeroError,
      isFull: options.isFull,
    })
  }

  get current(): JournalFile {
    return this.#current
  }

  get rolled(): readonly JournalFile[] {
    return this.#rolled
  }

  /** Of all files, also the one made ready and the spares. */
  get bytesOnDisk(): number {
    const unrolled = this.#current.sizeBytes + this.#options.next.bytesOnDisk
    return this.#rolled.reduce((sum, file) => sum + file.sizeBytes, unrolled)
  }

  /** Whether a roll needs no room on the disk. */
  get isNextReady(): boolean {
    return this.#options.next.isReady
  }

  /** Gives back space that is only held for frames to come, but for the reserve. */
  async slim(): Promise<void> {
    await this.#options.next.slim()
    await this.#zeroAhead.giveBack(KEPT_AHEAD_BYTES)
  }

  /** The file that holds this block. */
  fileOf(block: number): JournalFile {
    if (block >= this.#current.index.firstBlock) return this.#current
    for (let i = this.#rolled.length - 1; i >= 0; i--) {
      const file = this.#rolled[i]!
      if (block >= file.index.firstBlock) return file
    }
    throw new StorageError('damaged', `Block ${block} is in no journal file.`)
  }

  /** Asks for a roll before the next frame; false when the current file is empty and stays. */
  wantRoll(): boolean {
    this.#isRollWanted = this.#current.index.count > 0 && !this.#current.isEnded
    return this.#isRollWanted
  }

  /** Nothing is written any more. */
  stop(): void {
    this.#current.isEnded = true
    this.#isRollWanted = false
  }

  /** Whether a roll has to come before this frame, or before nothing. */
  isRollDue(frame: CommitFrame | undefined): boolean {
    const file = this.#current
    if (file.isEnded) return frame !== undefined
    if (this.#isRollWanted) return true
    if (frame === undefined || file.index.count === 0) return false
    const end = file.usedBytes + frame.bytes
    if (end > this.#options.fileBytesMax) return true
    if (file.index.count + frame.count > this.#options.blocksMax) return true
    return this.#options.isFull() && end > file.sizeBytes && this.#options.next.isReady
  }

  /** Begins to write a frame at the end of the current file. Until `written` nothing counts. */
  write(frame: CommitFrame): Promise<void> {
    const file = this.#current
    frame.position = file.usedBytes
    const { buffer } = frame.chunk
    const bytes = finishFrame(
      buffer,
      frame.at,
      frame.bodyBytes,
      frame.directory,
      frame.count,
      this.#place(FRAME_COMMIT),
    )
    const end = frame.position + bytes
    file.reservedBytes = end
    const wait =
      this.#options.backgroundSync?.admit(frame.entries) ?? this.#zeroAhead.clash(file, end)
    const write = (): Promise<void> => writeFrame(file, buffer, frame.at, bytes, frame.position)
    return wait === undefined ? write() : wait.then(write)
  }

  /** The frame of `write` is on disk: lists its blocks and gives the file it is in. */
  written(frame: CommitFrame): JournalFile {
    const file = this.#current
    const bytes = file.reservedBytes - frame.position
    file.written(frame.position, file.reservedBytes, chainOf(frame.chunk.buffer, frame.at))
    const { chunk, at, count } = frame
    frame.firstBlock = file.index.add(frame.directory, 0, count, frame.position, chunk.id, at)
    this.#options.backgroundSync?.written(file, frame.entries, bytes)
    if (this.#options.isSynced) this.#zeroAhead.kick()
    return file
  }

  /** Goes on in the next file. After an error the current file is still the one that counts. */
  async roll(): Promise<void> {
    this.#isRollWanted = false
    const old = this.#current
    const prepared = await this.#options.next.take(old.sequence + 1)
    const file = new JournalFile(prepared, new BlockIndex(old.index.endBlock))
    const previous = { sequence: old.sequence, usedBytes: old.usedBytes, chain: old.chain }
    await beginFile(file, prepared, previous, this.#options)
    old.isEnded = true
    this.#rolled.push(old)
    this.#current = file
    this.#options.backgroundSync?.written(file, 0, file.usedBytes)
    if (this.#options.isSynced) this.#zeroAhead.kick()
    this.prepareNext()
    this.#options.onRolled()
  }

  /** Makes the file for the next roll ready, in the background. */
  prepareNext(): void {
    this.tryPrepareNext().catch(this.#options.onPrepareError)
  }

  async tryPrepareNext(): Promise<void> {
    await this.#options.next.prepare(this.#current.sequence + 1)
  }

  /**
   * After a frame found no room: its descriptor is never used again, the file is cut behind the last
   * frame, and that frame is read back and rewritten. Frames go on in the next file only.
   */
  async abandon(): Promise<void> {
    const file = this.#current
    if (file.isEnded) return
    file.isEnded = true
    await this.#zeroAhead.leave(file)
    await file.closeWriter()
    file.reservedBytes = file.usedBytes
    const again = await this.#options.disk.open(file.path, { mode: 'write', isSynced: true })
    try {
      const length = file.usedBytes - file.lastFrameAt
      const frame = Buffer.allocUnsafe(length)
      const read = await readFully(again, frame, 0, length, file.lastFrameAt)
      if (read < length || !isFrameWhole(frame, file.chain)) {
        throw new StorageError(
          'damaged',
          `The last frame of ${file.path} at ${file.lastFrameAt} can't be read back.`,
        )
      }
      await again.truncate(file.usedBytes)
      await again.sync()
      await again.write(frame, 0, length, file.lastFrameAt)
      file.sizeBytes = file.usedBytes
    } finally {
      await again.close()
    }
  }

  /**
   * Forgets a rolled file that is sealed, and gives it back once nobody reads it. When that fails the
   * file stays listed: one after it must never be gone while it is there.
   */
  async drop(file: JournalFile): Promise<void> {
    await this.#leave(file, () =>
      this.#options.next.recycle(file.path, file.sequence, file.sizeBytes),
    )
  }

  /** As `drop` for a file that is damaged: it is kept beside the journal under another name. */
  async setAside(file: JournalFile): Promise<void> {
    const { disk, directory } = this.#options
    await this.#leave(file, async () => {
      try {
        await disk.rename(file.path, `${file.path}${DAMAGED_SUFFIX}`)
      } catch (error) {
        // An earlier call got as far as this, and its sync failed.
        if (!isMissing(error)) throw error
      }
      await disk.syncDirectory(directory)
    })
  }

  async #leave(file: JournalFile, goAway: () => Promise<void>): Promise<void> {
    await file.unread()
    await this.#zeroAhead.leave(file)
    await goAway()
    const at = this.#rolled.indexOf(file)
    if (at >= 0) this.#rolled.splice(at, 1)
    await file.close()
  }

  /** Stops work in the background; `isClean` leaves an end mark behind the last frame. */
  async close(isClean: boolean): Promise<void> {
    await this.#zeroAhead.stop()
    await this.#options.next.close()
    try {
      if (isClean && !this.#current.isEnded) await this.#writeEndMark()
    } finally {
      await this.#current.close()
      for (const file of this.#rolled) await file.close()
    }
  }

  async #writeEndMark(): Promise<void> {
    await this.#options.backgroundSync?.flush()
    const mark = soloFrame(this.#place(FRAME_END))
    await writeFrame(this.#current, mark, 0, mark.length, this.#current.usedBytes)
    if (!this.#options.isSynced) await this.#current.plain.sync()
  }

  #place(kind: number): FramePlace {
    const file = this.#current
    return {
      kind,
      generation: file.generation,
      sequence: file.sequence,
      position: file.usedBytes,
      previousChain: file.chain,
    }
  }
}

/**
 * Writes the checkpoint that makes a prepared file the newest of the journal. When there is no room
 * for it the file is gone for good before anything else can be written.
 */
export async function beginFile(
  file: JournalFile,
  prepared: PreparedFile,
  previous: PreviousFile | undefined,
  options: Pick<JournalOptions, 'disk' | 'directory' | 'checkpoint'>,
): Promise<void> {
  const { sequence, generation, isReused } = prepared
  const place = {
    kind: FRAME_CHECKPOINT,
    generation,
    sequence,
    position: 0,
    previousChain: file.chain,
  }
  const entry = options.checkpoint({ sequence, isReused, previous })
  const frame = soloFrame(place, CONTROL_GROUP, CHECKPOINT_LOG, sequence, entry)
  try {
    file.reservedBytes = frame.length
    await writeFrame(file, frame, 0, frame.length, 0)
  } catch (error) {
    await file.close()
    if (isDiskFull(error)) {
      await options.disk.remove(prepared.path)
      await options.disk.syncDirectory(options.directory)
    }
    throw error
  }
  file.written(0, frame.length, chainOf(frame, 0))
}

function writeFrame(
  file: JournalFile,
  buffer: Buffer,
  at: number,
  bytes: number,
  position: number,
): Promise<void> {
  if (file.writer === undefined) {
    return Promise.reject(new StorageError('readonly', `${file.path} takes no more frames.`))
  }
  return file.writer.write(buffer, at, bytes, position)
}

/** Whether a whole frame read from disk is the one with this header, with all its blocks. */
export function isFrameWhole(frame: Buffer, chain: number): boolean {
  const header = readFrameHeader(frame, 0)
  if (header === undefined || header.chain !== chain || header.frameBytes > frame.length) {
    return false
  }
  if (!isDirectoryWhole(header, frame, header.directoryAt)) return false
  return areBlocksWhole(frame, header.directoryAt, header.blockCount)
}

/** Whether the blocks of a frame at byte 0 are those its directory speaks of. */
export function areBlocksWhole(frame: Buffer, directoryAt: number, blockCount: number): boolean {
  for (let i = 0; i < blockCount; i++) {
    const { at, bytes, crc, groupId, logId, firstOffset, count } = readDirectoryEntry(
      frame,
      directoryAt + i * DIRECTORY_ENTRY_BYTES,
    )
    if (bytes < BLOCK_HEADER_BYTES) return false
    if (!isBlockWhole(frame, at, bytes, crc, groupId, logId, firstOffset, count)) return false
  }
  return true
}
