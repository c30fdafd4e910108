// Where the blocks of one journal file are: its frames' directories one after the other, in the same
// 48 bytes per block, with two things changed: `at` counts from the file's first byte, and the last
// eight bytes say where in memory the block still is (chunk id, position in the chunk; 0 when not).
// Blocks are numbered through the life of an engine, so that a log can keep plain rising numbers.
import { assert } from '@millrace/base/assert'
import { CONTROL_GROUP } from './checkpoint.ts'
import { DIRECTORY_ENTRY_BYTES } from './frame.ts'

const FIRST_BLOCKS = 64
const AT = 28
const CHUNK_ID = 40
const CHUNK_AT = 44

export class BlockIndex {
  /** Number of the first block of this file. */
  readonly firstBlock: number
  #entries = Buffer.allocUnsafeSlow(FIRST_BLOCKS * DIRECTORY_ENTRY_BYTES)
  #count = 0
  #hasEntries = false

  constructor(firstBlock: number) {
    this.firstBlock = firstBlock
  }

  get count(): number {
    return this.#count
  }

  /** Whether there are blocks of other groups than the engine's own. */
  get hasEntries(): boolean {
    return this.#hasEntries
  }

  /** Number after the last block of this file. */
  get endBlock(): number {
    return this.firstBlock + this.#count
  }

  /**
   * Adds a frame's directory and gives the number of its first block. `chunkAt` is where the frame
   * begins in the chunk; a `chunkId` of 0 means that it is on disk only.
   */
  add(
    directory: Buffer,
    directoryAt: number,
    blockCount: number,
    framePosition: number,
    chunkId: number,
    chunkAt: number,
  ): number {
    const start = this.#count * DIRECTORY_ENTRY_BYTES
    const end = start + blockCount * DIRECTORY_ENTRY_BYTES
    if (end > this.#entries.length) this.#grow(end)
    const entries = this.#entries
    directory.copy(entries, start, directoryAt, directoryAt + (end - start))
    for (let to = start; to < end; to += DIRECTORY_ENTRY_BYTES) {
      if (entries.readUInt32LE(to) !== CONTROL_GROUP) this.#hasEntries = true
      const at = entries.readUInt32LE(to + AT)
      entries.writeUInt32LE(framePosition + at, to + AT)
      entries.writeUInt32LE(chunkId, to + CHUNK_ID)
      entries.writeUInt32LE(chunkId === 0 ? 0 : chunkAt + at, to + CHUNK_AT)
    }
    const first = this.endBlock
    this.#count += blockCount
    return first
  }

  groupId(block: number): number {
    return this.#entries.readUInt32LE(this.#at(block))
  }

  logId(block: number): number {
    return this.#entries.readUInt32LE(this.#at(block) + 4)
  }

  firstOffset(block: number): number {
    return this.#entries.readDoubleLE(this.#at(block) + 8)
  }

  timeMs(block: number): number {
    return this.#entries.readDoubleLE(this.#at(block) + 16)
  }

  /** Count of entries in the block. */
  entryCount(block: number): number {
    return this.#entries.readUInt32LE(this.#at(block) + 24)
  }

  /** The offset after the block's last entry. */
  endOffset(block: number): number {
    const at = this.#at(block)
    return this.#entries.readDoubleLE(at + 8) + this.#entries.readUInt32LE(at + 24)
  }

  /** Where the block begins in the file. */
  position(block: number): number {
    return this.#entries.readUInt32LE(this.#at(block) + AT)
  }

  bytes(block: number): number {
    return this.#entries.readUInt32LE(this.#at(block) + 32)
  }

  crc(block: number): number {
    return this.#entries.readUInt32LE(this.#at(block) + 36)
  }

  chunkId(block: number): number {
    return this.#entries.readUInt32LE(this.#at(block) + CHUNK_ID)
  }

  chunkAt(block: number): number {
    return this.#entries.readUInt32LE(this.#at(block) + CHUNK_AT)
  }

  /** A copy of all entries, 48 bytes each. */
  entries(): Buffer {
    return Buffer.from(this.#entries.subarray(0, this.#count * DIRECTORY_ENTRY_BYTES))
  }

  #at(block: number): number {
    const index = block - this.firstBlock
    assert(index >= 0 && index < this.#count, 'a block is looked up in the file that holds it')
    return index * DIRECTORY_ENTRY_BYTES
  }

  #grow(bytesMin: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(bytesMin, this.#entries.length * 2))
    this.#entries.copy(grown, 0, 0, this.#count * DIRECTORY_ENTRY_BYTES)
    this.#entries = grown
  }
}
