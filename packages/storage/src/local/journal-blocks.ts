// All blocks of a journal file that takes no more frames, found by its frames' directories and proven
// by their chain from the first frame to the last. What the sealer starts from.
import type { DiskFile } from '../disk.ts'
import { StorageError } from '../engine.ts'
import { CONTROL_GROUP } from './checkpoint.ts'
import {
  DIRECTORY_ENTRY_BYTES,
  FRAME_HEADER_BYTES,
  firstChain,
  isDirectoryWhole,
  readFrameHeader,
} from './frame.ts'
import { readFully } from './journal-file.ts'

const WINDOW_BYTES = 1024 * 1024

/** Directory entries one after the other, `at` counted from the first byte of the file. */
export class JournalBlocks {
  readonly generation: bigint
  readonly #entries: Buffer

  constructor(generation: bigint, entries: Buffer) {
    this.generation = generation
    this.#entries = entries
  }

  /** Of entries that are known otherwise, without those of the engine's own group and those to skip. */
  static of(
    generation: bigint,
    entries: Uint8Array,
    skipGroups: ReadonlySet<number>,
  ): JournalBlocks {
    const all = Buffer.from(entries.buffer, entries.byteOffset, entries.byteLength)
    return new JournalBlocks(generation, wantedEntries(all, all.length, 0, skipGroups))
  }

  get count(): number {
    return this.#entries.length / DIRECTORY_ENTRY_BYTES
  }

  groupId(block: number): number {
    return this.#entries.readUInt32LE(block * DIRECTORY_ENTRY_BYTES)
  }

  logId(block: number): number {
    return this.#entries.readUInt32LE(block * DIRECTORY_ENTRY_BYTES + 4)
  }

  firstOffset(block: number): number {
    return this.#entries.readDoubleLE(block * DIRECTORY_ENTRY_BYTES + 8)
  }

  timeMs(block: number): number {
    return this.#entries.readDoubleLE(block * DIRECTORY_ENTRY_BYTES + 16)
  }

  entryCount(block: number): number {
    return this.#entries.readUInt32LE(block * DIRECTORY_ENTRY_BYTES + 24)
  }

  position(block: number): number {
    return this.#entries.readUInt32LE(block * DIRECTORY_ENTRY_BYTES + 28)
  }

  bytes(block: number): number {
    return this.#entries.readUInt32LE(block * DIRECTORY_ENTRY_BYTES + 32)
  }

  crc(block: number): number {
    return this.#entries.readUInt32LE(block * DIRECTORY_ENTRY_BYTES + 36)
  }

  /** Numbers of all blocks sorted by group, log and place in the journal. */
  sorted(): Uint32Array {
    const order = Uint32Array.from({ length: this.count }, (_, block) => block)
    return order.sort(
      (a, b) => this.groupId(a) - this.groupId(b) || this.logId(a) - this.logId(b) || a - b,
    )
  }
}

/**
 * Walks the frames from byte 0 to `usedBytes`, leaving out the engine's own group and those to skip.
 * Rejects with `damaged` when the chain breaks before.
 */
export async function readJournalBlocks(
  file: DiskFile,
  sequence: number,
  usedBytes: number,
  skipGroups: ReadonlySet<number>,
): Promise<JournalBlocks> {
  const window = Buffer.allocUnsafeSlow(Math.min(WINDOW_BYTES, usedBytes))
  const found: Buffer[] = []
  let generation = 0n
  let chain = 0
  let windowAt = 0
  let windowBytes = 0
  for (let position = 0; position < usedBytes; ) {
    if (position + FRAME_HEADER_BYTES > windowAt + windowBytes) {
      windowAt = position
      windowBytes = await readable(file, window, position)
    }
    const header = readFrameHeader(window.subarray(0, windowBytes), position - windowAt)
    if (header === undefined) throw broken(file, position)
    if (position === 0) {
      generation = header.generation
      chain = firstChain(generation, sequence)
    }
    const isNext =
      header.generation === generation &&
      header.sequence === sequence &&
      header.position === position &&
      header.previousChain === chain &&
      position + header.frameBytes <= usedBytes
    if (!isNext) throw broken(file, position)
    const directoryAt = position + header.directoryAt
    let directory = window.subarray(directoryAt - windowAt, windowBytes)
    if (directory.length < header.directoryBytes) {
      directory = Buffer.allocUnsafe(header.directoryBytes)
      await readable(file, directory, directoryAt)
    }
    if (!isDirectoryWhole(header, directory, 0)) throw broken(file, position)
    found.push(wantedEntries(directory, header.directoryBytes, position, skipGroups))
    chain = header.chain
    position += header.frameBytes
  }
  return new JournalBlocks(generation, Buffer.concat(found))
}

/** As `readFully` for all of `target`; what the disk can't read is damage. */
async function readable(file: DiskFile, target: Buffer, position: number): Promise<number> {
  try {
    return await readFully(file, target, 0, target.length, position)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error
    throw broken(file, position)
  }
}

function wantedEntries(
  directory: Buffer,
  bytes: number,
  position: number,
  skipGroups: ReadonlySet<number>,
): Buffer {
  const wanted = Buffer.allocUnsafe(bytes)
  let end = 0
  for (let at = 0; at < bytes; at += DIRECTORY_ENTRY_BYTES) {
    const groupId = directory.readUInt32LE(at)
    if (groupId === CONTROL_GROUP || skipGroups.has(groupId)) continue
    directory.copy(wanted, end, at, at + DIRECTORY_ENTRY_BYTES)
    wanted.writeUInt32LE(position + wanted.readUInt32LE(end + 28), end + 28)
    end += DIRECTORY_ENTRY_BYTES
  }
  return wanted.subarray(0, end)
}

function broken(file: DiskFile, position: number): StorageError {
  return new StorageError(
    'damaged',
    `The journal file ${file.path} is damaged: its frames end at byte ${position}, before the last acknowledged one.`,
  )
}
