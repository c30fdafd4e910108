// One block as it lies in memory, in the journal and in segments: the same bytes everywhere, so that
// sealing copies and reading never translates. The CRC of these bytes is kept beside them, in the
// frame's directory or the segment's index.
//
//   0   u32  group
//   4   u32  log
//   8   f64  offset of the first entry (a safe integer)
//   16  f64  time of all entries, ms since 1970
//   24  u32  count of entries
//   28  u32  bytes of all entries
//   32  u32  length of each entry, `count` times
//   …   the entries, back to back
//
// All numbers are little endian. Worked example: two entries "ab" and "c" at offset 7 of log 1 in
// group 3 take 32 + 2 × 4 + 3 = 43 bytes.
import { assert } from '@millrace/base/assert'
import type { Batch, Block } from '../engine.ts'

export const BLOCK_HEADER_BYTES = 32

export function blockBytes(count: number, entryBytes: number): number {
  return BLOCK_HEADER_BYTES + count * 4 + entryBytes
}

/** Writes the whole block at `at` and gives the position after it. */
export function writeBlock(
  target: Buffer,
  at: number,
  block: Block,
  firstOffset: number,
  timeMs: number,
): number {
  target.writeUInt32LE(block.log.groupId, at)
  target.writeUInt32LE(block.log.id, at + 4)
  target.writeDoubleLE(firstOffset, at + 8)
  target.writeDoubleLE(timeMs, at + 16)
  target.writeUInt32LE(block.count, at + 24)
  target.writeUInt32LE(block.byteLength, at + 28)
  let position = at + BLOCK_HEADER_BYTES
  const { lengths, count } = block
  for (let i = 0; i < count; i++) {
    const length = lengths[i]!
    target[position] = length
    target[position + 1] = length >>> 8
    target[position + 2] = length >>> 16
    target[position + 3] = length >>> 24
    position += 4
  }
  block.write(target, position)
  return position + block.byteLength
}

export interface BlockHeader {
  readonly groupId: number
  readonly logId: number
  readonly firstOffset: number
  readonly timeMs: number
  readonly count: number
  readonly entryBytes: number
}

export function readBlockHeader(buffer: Buffer, at: number): BlockHeader {
  return {
    groupId: buffer.readUInt32LE(at),
    logId: buffer.readUInt32LE(at + 4),
    firstOffset: buffer.readDoubleLE(at + 8),
    timeMs: buffer.readDoubleLE(at + 16),
    count: buffer.readUInt32LE(at + 24),
    entryBytes: buffer.readUInt32LE(at + 28),
  }
}

/** Where reading a block ended, and the run of its entries that fitted. */
export interface BlockSlice {
  readonly batch: Batch | undefined
  readonly entries: number
  readonly bytes: number
}

/**
 * The run of entries of the block at `at` that starts at `from` (or the block's first) and stays
 * within the bounds; `isFirst` lets one entry through even if it alone is over `bytesMax`.
 */
export function sliceBlock(
  buffer: Buffer,
  at: number,
  from: number,
  entriesMax: number,
  bytesMax: number,
  isFirst: boolean,
): BlockSlice {
  const firstOffset = buffer.readDoubleLE(at + 8)
  const count = buffer.readUInt32LE(at + 24)
  const lengthsAt = at + BLOCK_HEADER_BYTES
  const skip = Math.max(0, from - firstOffset)
  assert(skip < count, 'a block is read at an offset it holds')
  let entriesAt = lengthsAt + count * 4
  for (let i = 0; i < skip; i++) entriesAt += buffer.readUInt32LE(lengthsAt + i * 4)
  let bytes = 0
  let taken = 0
  const wanted = Math.min(count - skip, entriesMax)
  if (skip === 0 && wanted === count && buffer.readUInt32LE(at + 28) <= bytesMax) {
    taken = count
    bytes = buffer.readUInt32LE(at + 28)
  } else {
    while (taken < wanted) {
      const length = buffer.readUInt32LE(lengthsAt + (skip + taken) * 4)
      if (bytes + length > bytesMax && !(isFirst && taken === 0)) break
      bytes += length
      taken++
    }
  }
  if (taken === 0) return { batch: undefined, entries: 0, bytes: 0 }
  return {
    batch: {
      firstOffset: firstOffset + skip,
      timeMs: buffer.readDoubleLE(at + 16),
      count: taken,
      buffer,
      lengthsAt: lengthsAt + skip * 4,
      entriesAt,
    },
    entries: taken,
    bytes,
  }
}
