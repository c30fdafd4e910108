// Reading a journal file's chain of frames from the disk: which frames join, where the chain ends,
// whether the blocks in them are whole, and whether anything of this file lies behind its end. Reads
// go forward in large pieces; bodies of large frames are passed over unless they are to be checked.
import type { DiskFile } from '../disk.ts'
import {
  DIRECTORY_ENTRY_BYTES,
  FRAME_ALIGNMENT_BYTES,
  FRAME_CHECKPOINT,
  FRAME_HEADER_BYTES,
  type FrameHeader,
  firstChain,
  isBlockWhole,
  isDirectoryWhole,
  readDirectoryEntry,
  readFrameHeader,
} from './frame.ts'
import { readFully } from './journal-file.ts'

export interface FoundFrame {
  readonly header: FrameHeader
  readonly directory: Buffer
}

export interface FoundChain {
  readonly frames: FoundFrame[]
  /** Where the chain ends: the end of its last frame. */
  readonly end: number
}

const WINDOW_BYTES = 1024 * 1024
/** Read after a jump over a large body: likely only a header is wanted there. */
const JUMP_BYTES = 4096
const CHECKED_BYTES = 4 * 1024 * 1024

/** A stretch of a file in memory that moves forward: large while it goes on, small after a jump. */
class Window {
  readonly #file: DiskFile
  #buffer = Buffer.allocUnsafeSlow(WINDOW_BYTES)
  #from = 0
  #to = 0

  constructor(file: DiskFile) {
    this.#file = file
  }

  /** The bytes of a range; fewer at the file's end. Valid until the next call. */
  async bytes(position: number, length: number): Promise<Buffer> {
    if (position < this.#from || position + length > this.#to) {
      const isNear = position >= this.#from && position <= this.#to + JUMP_BYTES
      const wanted = Math.max(length, isNear ? WINDOW_BYTES : JUMP_BYTES)
      if (wanted > this.#buffer.length) this.#buffer = Buffer.allocUnsafeSlow(wanted)
      this.#from = position
      const read = await readFully(this.#file, this.#buffer, 0, wanted, position)
      this.#to = position + read
    }
    const at = position - this.#from
    return this.#buffer.subarray(at, Math.min(at + length, this.#to - this.#from))
  }
}

/**
 * The frames that join from byte 0, the first of which has to be a checkpoint of this sequence. It
 * ends where a header or a directory is missing, damaged or another chain's; bodies aren't looked at.
 */
export async function readChain(
  file: DiskFile,
  sequence: number,
  sizeBytes: number,
): Promise<FoundChain> {
  const window = new Window(file)
  const frames: FoundFrame[] = []
  let position = 0
  let chain: number | undefined
  let generation: bigint | undefined
  while (position + FRAME_ALIGNMENT_BYTES <= sizeBytes) {
    const header = readFrameHeader(await window.bytes(position, FRAME_HEADER_BYTES), 0)
    if (header === undefined) break
    generation ??= header.generation
    chain ??= firstChain(generation, sequence)
    const joins =
      header.sequence === sequence &&
      header.generation === generation &&
      header.position === position &&
      header.previousChain === chain &&
      position + header.frameBytes <= sizeBytes &&
      (position > 0 || header.kind === FRAME_CHECKPOINT)
    if (!joins) break
    const directory = await window.bytes(position + header.directoryAt, header.directoryBytes)
    if (!isDirectoryWhole(header, directory, 0)) break
    frames.push({ header, directory: Buffer.from(directory) })
    position += header.frameBytes
    chain = header.chain
  }
  return { frames, end: position }
}

/** Index of the first frame that has a damaged block; undefined when all are whole. */
export async function firstBrokenFrame(
  file: DiskFile,
  frames: readonly FoundFrame[],
): Promise<number | undefined> {
  const window = new Window(file)
  for (const [index, { header, directory }] of frames.entries()) {
    for (let i = 0; i < header.blockCount; i++) {
      const entry = readDirectoryEntry(directory, i * DIRECTORY_ENTRY_BYTES)
      const { at, bytes, crc, groupId, logId, firstOffset, count } = entry
      const block = await window.bytes(header.position + at, bytes)
      if (!isBlockWhole(block, 0, bytes, crc, groupId, logId, firstOffset, count)) return index
    }
  }
  return undefined
}

/** What lies behind the end of a chain. */
export interface Behind {
  /** Position of the first whole header of this file's sequence, if there is one. */
  readonly frameAt: number | undefined
  /** End of the last byte that isn't zero; `from` when all are. */
  readonly dirtyEnd: number
}

/**
 * Looks for frames of this file from `from` up to `to`. Only frames can be in the way of cutting a
 * torn tail: one write is under way at a time, so nothing whole can follow a frame that is torn.
 */
export async function lookBehind(
  file: DiskFile,
  sequence: number,
  generation: bigint | undefined,
  from: number,
  to: number,
): Promise<Behind> {
  const buffer = Buffer.allocUnsafeSlow(CHECKED_BYTES)
  const zeros = Buffer.alloc(CHECKED_BYTES)
  let frameAt: number | undefined
  let dirtyEnd = from
  for (let start = from; start < to; start += CHECKED_BYTES) {
    const read = await readFully(file, buffer, 0, Math.min(CHECKED_BYTES, to - start), start)
    if (buffer.compare(zeros, 0, read, 0, read) === 0) continue
    for (let at = 0; at + FRAME_HEADER_BYTES <= read; at += FRAME_ALIGNMENT_BYTES) {
      const header = readFrameHeader(buffer, at)
      const isOurs =
        header !== undefined &&
        header.sequence === sequence &&
        header.position === start + at &&
        (generation === undefined || header.generation === generation)
      if (isOurs) frameAt ??= start + at
    }
    for (let at = read - 1; at >= 0; at--) {
      if (buffer[at] === 0) continue
      dirtyEnd = start + at + 1
      break
    }
  }
  return { frameAt, dirtyEnd }
}
