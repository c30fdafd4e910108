// Makes the index of a segment again from its blocks, for when a page of it is damaged. Blocks that
// are damaged too are left out, and the places where something is missing are remembered as holes, so
// that a read never passes over them in silence.
import type { DiskFile } from '../disk.ts'
import { BLOCK_HEADER_BYTES, readBlockHeader } from './block.ts'
import { isBlockWhole } from './frame.ts'
import { readFully } from './journal-file.ts'
import {
  alignBlock,
  BLOCK_PREFIX_BYTES,
  identityOf,
  readBlockPrefix,
  SEGMENT_HEAD_BYTES,
  type SegmentFacts,
} from './segment.ts'
import { IndexBuilder } from './segment-index.ts'

const WINDOW_BYTES = 4 * 1024 * 1024

export interface RebuiltIndex {
  /** What the head of a segment of these blocks would say. */
  readonly facts: SegmentFacts
  /** All that would stand behind its blocks. */
  readonly bytes: Buffer
  /** Numbers of the blocks found before which others are missing; the count of blocks for the end. */
  readonly holes: ReadonlySet<number>
}

/** Reads all blocks between head and index; `facts` are the segment's own. */
export async function rebuildIndex(file: DiskFile, facts: SegmentFacts): Promise<RebuiltIndex> {
  const builder = new IndexBuilder(facts.blockCount)
  const holes = new Set<number>()
  const identity = identityOf(facts)
  const end = Math.min(facts.blocksEnd, await file.size())
  const window = new Window(file, end)
  let at = SEGMENT_HEAD_BYTES
  let last = { logId: -1, endOffset: 0 }
  while (at < end && builder.blockCount < facts.blockCount) {
    const block = await blockAt(window, at, identity, facts)
    const isNext =
      block !== undefined &&
      (block.logId > last.logId ||
        (block.logId === last.logId && block.firstOffset >= last.endOffset))
    if (isNext) {
      builder.add(block.logId, block)
      last = { logId: block.logId, endOffset: block.firstOffset + block.count }
      at = alignBlock(block.position + block.bytes)
    } else {
      holes.add(builder.blockCount)
      at += 8
    }
  }
  if (builder.blockCount < facts.blockCount) holes.add(builder.blockCount)
  const { blockCount, logCount } = builder
  const found = { ...facts, blockCount, logCount }
  return { facts: found, bytes: builder.finish(found), holes }
}

async function blockAt(window: Window, at: number, identity: number, facts: SegmentFacts) {
  const prefixAt = await window.reach(at, BLOCK_PREFIX_BYTES + BLOCK_HEADER_BYTES)
  if (prefixAt === undefined) return undefined
  const prefix = readBlockPrefix(window.buffer, prefixAt, identity)
  if (prefix === undefined) return undefined
  const { bytes, crc } = prefix
  const position = at + BLOCK_PREFIX_BYTES
  const blockAt = await window.reach(position, bytes)
  if (blockAt === undefined) return undefined
  const { logId, firstOffset, timeMs, count } = readBlockHeader(window.buffer, blockAt)
  const { buffer } = window
  if (!isBlockWhole(buffer, blockAt, bytes, crc, facts.groupId, logId, firstOffset, count)) {
    return undefined
  }
  return { logId, firstOffset, timeMs, count, position, bytes, crc }
}

/** A part of a file in memory that moves forward as it is asked for. */
class Window {
  buffer: Buffer
  readonly #file: DiskFile
  readonly #end: number
  #from = 0
  #length = 0

  constructor(file: DiskFile, end: number) {
    this.#file = file
    this.#end = end
    this.buffer = Buffer.allocUnsafeSlow(Math.min(WINDOW_BYTES, end))
  }

  /** Where in the buffer the bytes of this range are, or undefined when the file ends before. */
  async reach(position: number, length: number): Promise<number | undefined> {
    if (position + length > this.#end) return undefined
    if (position < this.#from || position + length > this.#from + this.#length) {
      if (length > this.buffer.length) this.buffer = Buffer.allocUnsafeSlow(length)
      const wanted = Math.min(this.buffer.length, this.#end - position)
      this.#from = position
      this.#length = await readFully(this.#file, this.buffer, 0, wanted, position)
      if (this.#length < length) return undefined
    }
    return position - this.#from
  }
}
