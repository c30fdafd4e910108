// Journal files for tests and benchmarks of what reads them, without an engine: frames of given
// blocks, written as the engine writes them, and what each log should give when it is read.
import { crc32 } from 'node:zlib'
import type { Disk } from '../../disk.ts'
import { type Block, blockOf, type Log } from '../../engine.ts'
import { blockBytes, writeBlock } from '../block.ts'
import {
  chainOf,
  DIRECTORY_ENTRY_BYTES,
  FRAME_COMMIT,
  FRAME_HEADER_BYTES,
  finishFrame,
  firstChain,
  frameBytes,
  writeDirectoryEntry,
} from '../frame.ts'

export interface SampleBlock {
  readonly groupId: number
  readonly logId: number
  readonly firstOffset: number
  readonly timeMs: number
  readonly entries: readonly Uint8Array[]
}

export interface SampleJournal {
  readonly path: string
  readonly sequence: number
  readonly usedBytes: number
}

/** Writes one file of these frames; the caller has made its folder. */
export async function writeSampleJournal(
  disk: Disk,
  path: string,
  sequence: number,
  frames: readonly (readonly SampleBlock[])[],
): Promise<SampleJournal> {
  const generation = (BigInt(sequence) * 0x9e37_79b9_7f4a_7c15n) & 0xffff_ffff_ffff_ffffn
  const file = await disk.open(path, { mode: 'create' })
  let position = 0
  let previousChain = firstChain(generation, sequence)
  for (const blocks of frames) {
    const { frame, bytes } = frameOf(blocks, { generation, sequence, position, previousChain })
    previousChain = chainOf(frame, 0)
    await file.write(frame, 0, bytes, position)
    position += bytes
  }
  await file.sync()
  await file.close()
  return { path, sequence, usedBytes: position }
}

function frameOf(
  blocks: readonly SampleBlock[],
  place: { generation: bigint; sequence: number; position: number; previousChain: number },
): { frame: Buffer; bytes: number } {
  const engineBlocks = blocks.map(engineBlock)
  const bodyBytes = engineBlocks.reduce(
    (sum, one) => sum + blockBytes(one.count, one.byteLength),
    0,
  )
  const frame = Buffer.alloc(frameBytes(bodyBytes, blocks.length))
  const directory = Buffer.alloc(blocks.length * DIRECTORY_ENTRY_BYTES)
  let at = FRAME_HEADER_BYTES
  for (const [index, block] of engineBlocks.entries()) {
    const { groupId, logId, firstOffset, timeMs } = blocks[index]!
    const end = writeBlock(frame, at, block, firstOffset, timeMs)
    const crc = crc32(frame.subarray(at, end))
    const { count } = block
    writeDirectoryEntry(
      directory,
      index,
      groupId,
      logId,
      firstOffset,
      timeMs,
      count,
      at,
      end - at,
      crc,
    )
    at = end
  }
  const kind = FRAME_COMMIT
  const bytes = finishFrame(frame, 0, bodyBytes, directory, blocks.length, { kind, ...place })
  return { frame, bytes }
}

function engineBlock({ groupId, logId, entries }: SampleBlock): Block {
  return blockOf({ groupId, id: logId } as Log, entries)
}
