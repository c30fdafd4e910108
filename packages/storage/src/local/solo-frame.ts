// Frames that the engine makes by itself, in a buffer of their own: a checkpoint with one block of
// one entry, or an end mark with none.
import { crc32 } from 'node:zlib'
import { BLOCK_HEADER_BYTES, blockBytes } from './block.ts'
import {
  DIRECTORY_ENTRY_BYTES,
  FRAME_HEADER_BYTES,
  type FramePlace,
  finishFrame,
  frameBytes,
  writeDirectoryEntry,
} from './frame.ts'

export function soloFrame(
  place: FramePlace,
  groupId = 0,
  logId = 0,
  firstOffset = 0,
  entry?: Buffer,
): Buffer {
  if (entry === undefined) {
    const mark = Buffer.alloc(frameBytes(0, 0))
    finishFrame(mark, 0, 0, Buffer.alloc(0), 0, place)
    return mark
  }
  const bytes = blockBytes(1, entry.length)
  const frame = Buffer.alloc(frameBytes(bytes, 1))
  const at = FRAME_HEADER_BYTES
  frame.writeUInt32LE(groupId, at)
  frame.writeUInt32LE(logId, at + 4)
  frame.writeDoubleLE(firstOffset, at + 8)
  frame.writeDoubleLE(0, at + 16)
  frame.writeUInt32LE(1, at + 24)
  frame.writeUInt32LE(entry.length, at + 28)
  frame.writeUInt32LE(entry.length, at + BLOCK_HEADER_BYTES)
  entry.copy(frame, at + BLOCK_HEADER_BYTES + 4)
  const crc = crc32(frame.subarray(at, at + bytes))
  const directory = Buffer.alloc(DIRECTORY_ENTRY_BYTES)
  writeDirectoryEntry(directory, 0, groupId, logId, firstOffset, 0, 1, at, bytes, crc)
  finishFrame(frame, 0, bytes, directory, 1, place)
  return frame
}

/** The entry of a checkpoint's frame that was found whole. */
export function soloEntry(frame: Buffer): Buffer {
  const at = FRAME_HEADER_BYTES + BLOCK_HEADER_BYTES
  const bytes = frame.readUInt32LE(at)
  return frame.subarray(at + 4, at + 4 + bytes)
}
