// A frame is what one commit writes into the journal: a header, the blocks' bytes back to back, and
// a directory of them. It starts and ends on a multiple of 512 bytes, the unit a disk writes whole.
//
//   header, 64 bytes
//     0   u32  magic "MLFR"                    36  u32  bytes of the whole frame
//     4   u16  format version                  40  u32  count of blocks
//     6   u16  kind: 1 commit, 2 checkpoint,   44  u32  bytes of the bodies
//              3 end                           48  u32  where the directory begins in the frame
//     8   u64  generation of the file          52  u32  bytes of the directory
//     16  f64  sequence of the file            56  u32  CRC of the directory
//     24  f64  position of the frame in it     60  u32  CRC of the header's first 60 bytes
//     32  u32  chain: previous frame's header CRC
//   bodies, from byte 64: blocks as block.ts lays them out
//   directory, on a multiple of 8: 48 bytes per block
//     0   u32  group                           28  u32  where the block begins in the frame
//     4   u32  log                             32  u32  bytes of the block
//     8   f64  first offset                    36  u32  CRC of the block
//     16  f64  time, ms                        40  8 bytes, zero
//     24  u32  count of entries
//   zeros up to the next multiple of 512
//
// All numbers are little endian. The header's CRC covers the directory's, the directory holds each
// block's, and the next header holds this header's: one pass over the data proves the chain. The
// first frame of a file chains to a value made of its generation and sequence, so nothing left over
// from an earlier use of the file can join. The directory comes last so that blocks are written into
// the commit buffer before anyone knows how many there will be.
//
// Worked example: one block of 43 bytes takes 64 + 43 = 107, directory at 112, 48 bytes, end at 160,
// so a frame of 512 bytes.
import { crc32 } from 'node:zlib'
import { assert } from '@millrace/base/assert'
import { BLOCK_HEADER_BYTES } from './block.ts'

export const FRAME_ALIGNMENT_BYTES = 512
export const FRAME_HEADER_BYTES = 64
export const DIRECTORY_ENTRY_BYTES = 48
export const FRAME_VERSION = 1

/** "MLFR" as a little-endian number. */
const MAGIC = 0x52464c4d

export const FRAME_COMMIT = 1
export const FRAME_CHECKPOINT = 2
export const FRAME_END = 3

export interface FrameHeader {
  readonly kind: number
  readonly generation: bigint
  readonly sequence: number
  readonly position: number
  /** The previous frame's `chain`, or `firstChain` of the file. */
  readonly previousChain: number
  readonly frameBytes: number
  readonly blockCount: number
  readonly bodyBytes: number
  readonly directoryAt: number
  readonly directoryBytes: number
  readonly directoryCrc: number
  /** This header's CRC: what the next frame chains to. */
  readonly chain: number
}

/** What a frame is told about its place when it is finished. */
export interface FramePlace {
  readonly kind: number
  readonly generation: bigint
  readonly sequence: number
  readonly position: number
  readonly previousChain: number
}

export interface DirectoryEntry {
  readonly groupId: number
  readonly logId: number
  readonly firstOffset: number
  readonly timeMs: number
  readonly count: number
  /** Where the block begins, from the frame's first byte. */
  readonly at: number
  readonly bytes: number
  readonly crc: number
}

export function alignFrame(bytes: number): number {
  return Math.ceil(bytes / FRAME_ALIGNMENT_BYTES) * FRAME_ALIGNMENT_BYTES
}

/** Bytes of a whole frame with these bodies. */
export function frameBytes(bodyBytes: number, blockCount: number): number {
  return alignFrame(directoryPosition(bodyBytes) + blockCount * DIRECTORY_ENTRY_BYTES)
}

function directoryPosition(bodyBytes: number): number {
  return (FRAME_HEADER_BYTES + bodyBytes + 7) & ~7
}

/** What the first frame of a file chains to. */
export function firstChain(generation: bigint, sequence: number): number {
  const seed = Buffer.alloc(16)
  seed.writeBigUInt64LE(generation, 0)
  seed.writeDoubleLE(sequence, 8)
  return crc32(seed)
}

/** Puts one entry into a directory being gathered. */
export function writeDirectoryEntry(
  directory: Buffer,
  index: number,
  groupId: number,
  logId: number,
  firstOffset: number,
  timeMs: number,
  count: number,
  at: number,
  bytes: number,
  crc: number,
): void {
  const to = index * DIRECTORY_ENTRY_BYTES
  directory.writeUInt32LE(groupId, to)
  directory.writeUInt32LE(logId, to + 4)
  directory.writeDoubleLE(firstOffset, to + 8)
  directory.writeDoubleLE(timeMs, to + 16)
  directory.writeUInt32LE(count, to + 24)
  directory.writeUInt32LE(at, to + 28)
  directory.writeUInt32LE(bytes, to + 32)
  directory.writeUInt32LE(crc, to + 36)
  directory.writeUInt32LE(0, to + 40)
  directory.writeUInt32LE(0, to + 44)
}

export function readDirectoryEntry(directory: Buffer, at: number): DirectoryEntry {
  return {
    groupId: directory.readUInt32LE(at),
    logId: directory.readUInt32LE(at + 4),
    firstOffset: directory.readDoubleLE(at + 8),
    timeMs: directory.readDoubleLE(at + 16),
    count: directory.readUInt32LE(at + 24),
    at: directory.readUInt32LE(at + 28),
    bytes: directory.readUInt32LE(at + 32),
    crc: directory.readUInt32LE(at + 36),
  }
}

/**
 * Completes the frame whose bodies already lie at `at` + 64: directory, padding, header. Gives its
 * whole length; `chainOf` then reads the value that the next frame chains to.
 */
export function finishFrame(
  target: Buffer,
  at: number,
  bodyBytes: number,
  directory: Buffer,
  blockCount: number,
  place: FramePlace,
): number {
  const directoryAt = directoryPosition(bodyBytes)
  const directoryBytes = blockCount * DIRECTORY_ENTRY_BYTES
  const total = alignFrame(directoryAt + directoryBytes)
  assert(at + total <= target.length, 'a frame fits the buffer it is finished in')
  target.fill(0, at + FRAME_HEADER_BYTES + bodyBytes, at + directoryAt)
  directory.copy(target, at + directoryAt, 0, directoryBytes)
  target.fill(0, at + directoryAt + directoryBytes, at + total)
  target.writeUInt32LE(MAGIC, at)
  target.writeUInt16LE(FRAME_VERSION, at + 4)
  target.writeUInt16LE(place.kind, at + 6)
  target.writeBigUInt64LE(place.generation, at + 8)
  target.writeDoubleLE(place.sequence, at + 16)
  target.writeDoubleLE(place.position, at + 24)
  target.writeUInt32LE(place.previousChain, at + 32)
  target.writeUInt32LE(total, at + 36)
  target.writeUInt32LE(blockCount, at + 40)
  target.writeUInt32LE(bodyBytes, at + 44)
  target.writeUInt32LE(directoryAt, at + 48)
  target.writeUInt32LE(directoryBytes, at + 52)
  target.writeUInt32LE(crc32(directory.subarray(0, directoryBytes)), at + 56)
  target.writeUInt32LE(crc32(target.subarray(at, at + 60)), at + 60)
  return total
}

/** The value that the next frame chains to, of a frame finished or checked at `at`. */
export function chainOf(frame: Buffer, at: number): number {
  return frame.readUInt32LE(at + 60)
}

/**
 * The header at `at`, or undefined when there is none that is whole and makes sense in itself. It
 * says nothing yet of the chain, the directory or the bodies.
 */
export function readFrameHeader(source: Buffer, at: number): FrameHeader | undefined {
  if (at + FRAME_HEADER_BYTES > source.length) return undefined
  if (source.readUInt32LE(at) !== MAGIC) return undefined
  const chain = source.readUInt32LE(at + 60)
  if (crc32(source.subarray(at, at + 60)) !== chain) return undefined
  if (source.readUInt16LE(at + 4) !== FRAME_VERSION) return undefined
  const header: FrameHeader = {
    kind: source.readUInt16LE(at + 6),
    generation: source.readBigUInt64LE(at + 8),
    sequence: source.readDoubleLE(at + 16),
    position: source.readDoubleLE(at + 24),
    previousChain: source.readUInt32LE(at + 32),
    frameBytes: source.readUInt32LE(at + 36),
    blockCount: source.readUInt32LE(at + 40),
    bodyBytes: source.readUInt32LE(at + 44),
    directoryAt: source.readUInt32LE(at + 48),
    directoryBytes: source.readUInt32LE(at + 52),
    directoryCrc: source.readUInt32LE(at + 56),
    chain,
  }
  const isSane =
    header.directoryBytes === header.blockCount * DIRECTORY_ENTRY_BYTES &&
    header.directoryAt >= FRAME_HEADER_BYTES + header.bodyBytes &&
    header.directoryAt + header.directoryBytes <= header.frameBytes &&
    header.frameBytes % FRAME_ALIGNMENT_BYTES === 0
  return isSane ? header : undefined
}

/** Whether these bytes are the directory that the header speaks of, each entry within the frame. */
export function isDirectoryWhole(header: FrameHeader, source: Buffer, at: number): boolean {
  if (at + header.directoryBytes > source.length) return false
  if (crc32(source.subarray(at, at + header.directoryBytes)) !== header.directoryCrc) return false
  for (let i = 0; i < header.blockCount; i++) {
    const entry = at + i * DIRECTORY_ENTRY_BYTES
    const from = source.readUInt32LE(entry + 28)
    const bytes = source.readUInt32LE(entry + 32)
    if (from < FRAME_HEADER_BYTES || from + bytes > header.directoryAt) return false
  }
  return true
}

/**
 * Whether the block at `at` is the one meant: its CRC, and its own group, log, offset, time, count
 * and length. Nothing read from a disk is served before this holds.
 */
export function isBlockWhole(
  source: Buffer,
  at: number,
  bytes: number,
  crc: number,
  groupId: number,
  logId: number,
  firstOffset: number,
  count: number,
): boolean {
  if (bytes < BLOCK_HEADER_BYTES || at + bytes > source.length) return false
  if (crc32(source.subarray(at, at + bytes)) !== crc) return false
  return (
    source.readUInt32LE(at) === groupId &&
    source.readUInt32LE(at + 4) === logId &&
    source.readDoubleLE(at + 8) === firstOffset &&
    source.readUInt32LE(at + 24) === count &&
    BLOCK_HEADER_BYTES + count * 4 + source.readUInt32LE(at + 28) === bytes
  )
}

/**
 * Whether a sector at this position was once the beginning of a frame of this use of the file,
 * damaged or not: its generation or its sequence still stands there, and one more sign beside it.
 */
export function resemblesFrame(
  source: Buffer,
  at: number,
  generation: bigint,
  sequence: number,
  position: number,
): boolean {
  if (at + FRAME_HEADER_BYTES > source.length) return false
  const isGeneration = source.readBigUInt64LE(at + 8) === generation
  const isSequence = source.readDoubleLE(at + 16) === sequence
  if (!isGeneration && !isSequence) return false
  const isMagic = source.readUInt32LE(at) === MAGIC
  const isPosition = position > 0 && source.readDoubleLE(at + 24) === position
  return Number(isGeneration) + Number(isSequence) + Number(isMagic) + Number(isPosition) >= 2
}
