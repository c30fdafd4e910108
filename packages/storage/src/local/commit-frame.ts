// A frame while it is gathered, waits and is written: where it lies in a chunk of memory, the
// directory of its blocks, the logs they belong to, and who waits for it. Frames are used again, so
// that a commit makes no objects beside its one promise.
import type { AppendResult } from '../engine.ts'
import type { Chunk } from '../tail.ts'
import {
  DIRECTORY_ENTRY_BYTES,
  FRAME_HEADER_BYTES,
  frameBytes,
  writeDirectoryEntry,
} from './frame.ts'
import type { LocalLog } from './local-log.ts'

const DIRECTORY_BLOCKS = 64
/** A directory larger than this isn't kept for the next frame. */
const DIRECTORY_BYTES_KEPT = 1024 * 1024

export class CommitFrame {
  chunk: Chunk
  /** Where the frame begins in the chunk. */
  at: number
  /** Where the next block goes in the chunk. */
  end: number
  directory = Buffer.allocUnsafeSlow(DIRECTORY_BLOCKS * DIRECTORY_ENTRY_BYTES)
  count = 0
  entries = 0
  readonly logs: LocalLog[] = []
  readonly waiting: ((results: AppendResult[]) => void)[] = []
  readonly results: AppendResult[][] = []
  /** Where the journal put it. */
  position = 0
  firstBlock = 0

  constructor(chunk: Chunk, at: number) {
    this.chunk = chunk
    this.at = at
    this.end = at + FRAME_HEADER_BYTES
  }

  get bodyBytes(): number {
    return this.end - this.at - FRAME_HEADER_BYTES
  }

  /** Bytes of the whole frame as it stands. */
  get bytes(): number {
    return frameBytes(this.bodyBytes, this.count)
  }

  /** Bytes of the whole frame with this much more in it. */
  bytesWith(bodyBytes: number, blockCount: number): number {
    return frameBytes(this.bodyBytes + bodyBytes, this.count + blockCount)
  }

  begin(chunk: Chunk, at: number): void {
    this.chunk = chunk
    this.at = at
    this.end = at + FRAME_HEADER_BYTES
  }

  add(
    log: LocalLog,
    firstOffset: number,
    timeMs: number,
    entryCount: number,
    end: number,
    crc: number,
  ): void {
    const index = this.count++
    if (this.count * DIRECTORY_ENTRY_BYTES > this.directory.length) this.#growDirectory()
    writeDirectoryEntry(
      this.directory,
      index,
      log.groupId,
      log.id,
      firstOffset,
      timeMs,
      entryCount,
      this.end - this.at,
      end - this.end,
      crc,
    )
    this.logs.push(log)
    this.entries += entryCount
    this.end = end
  }

  firstOffset(index: number): number {
    return this.directory.readDoubleLE(index * DIRECTORY_ENTRY_BYTES + 8)
  }

  timeMs(index: number): number {
    return this.directory.readDoubleLE(index * DIRECTORY_ENTRY_BYTES + 16)
  }

  entryCount(index: number): number {
    return this.directory.readUInt32LE(index * DIRECTORY_ENTRY_BYTES + 24)
  }

  /** Where the block begins in the chunk. */
  blockAt(index: number): number {
    return this.at + this.directory.readUInt32LE(index * DIRECTORY_ENTRY_BYTES + 28)
  }

  /** Takes the last blocks away again, down to this state; their logs' reservations with them. */
  rollBack(count: number, end: number): void {
    while (this.count > count) {
      const index = --this.count
      const log = this.logs.pop()
      if (log !== undefined) log.reservedNext = this.firstOffset(index)
      this.entries -= this.entryCount(index)
    }
    this.end = end
  }

  /** Empties it for its next use. */
  clear(): void {
    this.count = 0
    this.entries = 0
    this.logs.length = 0
    this.waiting.length = 0
    this.results.length = 0
    if (this.directory.length > DIRECTORY_BYTES_KEPT) {
      this.directory = Buffer.allocUnsafeSlow(DIRECTORY_BLOCKS * DIRECTORY_ENTRY_BYTES)
    }
  }

  #growDirectory(): void {
    const grown = Buffer.allocUnsafeSlow(this.directory.length * 2)
    this.directory.copy(grown)
    this.directory = grown
  }
}
