// The index of a segment: which logs are in it, and where each of their blocks lies. Three tables of
// pages, read a page at a time, so that nothing of a closed file stays in memory but what a bounded
// cache holds:
//
//   blocks  up to 127 a page, 32 bytes each, in the order of the file
//             0   f64  first offset      16  u32  count of entries     24  u32  bytes
//             8   f64  time, ms          20  u32  position             28  u32  CRC
//   logs    up to 85 a page, 48 bytes each, by rising log
//             0   u32  log               8   f64  first offset         24  f64  first time
//             4   u32  count of blocks   16  f64  offset after the     32  f64  last time
//                                                 last entry           40  u32  number of its first
//                                                                               block; u32 zero
//   fences  one page: u32 first log of each page of logs
//
// A page begins with u32 CRC of what follows and u32 count of its entries. The CRC starts from a
// number made of the segment's head and the page's number, so that a page of another place or file
// never passes. The index follows from the blocks alone, byte for byte.
import { crc32 } from 'node:zlib'
import { assert } from '@millrace/base/assert'
import {
  type BlockPlace,
  identityOf,
  SEGMENT_HEAD_BYTES,
  type SegmentFacts,
  writeFoot,
} from './segment.ts'

const PAGE_HEAD_BYTES = 8
const BLOCK_BYTES = 32
const LOG_BYTES = 48
const FENCE_BYTES = 4
export const BLOCKS_PER_PAGE = 127
export const LOGS_PER_PAGE = 85

/** What the index says of one log. */
export interface LogPlace {
  readonly logId: number
  readonly blockCount: number
  readonly firstOffset: number
  /** The offset after its last entry here. */
  readonly endOffset: number
  readonly firstTimeMs: number
  readonly lastTimeMs: number
  /** Number of its first block in the segment. */
  readonly firstBlock: number
}

/** Where each table of a segment lies. */
export interface IndexLayout {
  readonly blocksAt: number
  readonly blockPages: number
  readonly logsAt: number
  readonly logPages: number
  readonly fencesAt: number
  readonly footAt: number
  readonly fileBytes: number
}

export function layoutOf(facts: SegmentFacts): IndexLayout {
  const { blockCount, logCount, blocksEnd } = facts
  const blockPages = Math.ceil(blockCount / BLOCKS_PER_PAGE)
  const logPages = Math.ceil(logCount / LOGS_PER_PAGE)
  const logsAt = blocksEnd + blockPages * PAGE_HEAD_BYTES + blockCount * BLOCK_BYTES
  const fencesAt = logsAt + logPages * PAGE_HEAD_BYTES + logCount * LOG_BYTES
  const footAt = fencesAt + PAGE_HEAD_BYTES + logPages * FENCE_BYTES
  return {
    blocksAt: blocksEnd,
    blockPages,
    logsAt,
    logPages,
    fencesAt,
    footAt,
    fileBytes: footAt + SEGMENT_HEAD_BYTES,
  }
}

/** A page's place: pages are numbered through the tables, blocks first, then logs, then fences. */
export function pagePlace(
  facts: SegmentFacts,
  layout: IndexLayout,
  page: number,
): { position: number; bytes: number } {
  const { blockPages, logPages } = layout
  if (page < blockPages) {
    return tablePage(layout.blocksAt, page, facts.blockCount, BLOCKS_PER_PAGE, BLOCK_BYTES)
  }
  if (page < blockPages + logPages) {
    return tablePage(layout.logsAt, page - blockPages, facts.logCount, LOGS_PER_PAGE, LOG_BYTES)
  }
  return { position: layout.fencesAt, bytes: PAGE_HEAD_BYTES + logPages * FENCE_BYTES }
}

function tablePage(
  at: number,
  index: number,
  entryCount: number,
  perPage: number,
  entryBytes: number,
): { position: number; bytes: number } {
  const count = Math.min(perPage, entryCount - index * perPage)
  return {
    position: at + index * (PAGE_HEAD_BYTES + perPage * entryBytes),
    bytes: PAGE_HEAD_BYTES + count * entryBytes,
  }
}

export function isPageWhole(bytes: Buffer, identity: number, page: number): boolean {
  return pageCrc(bytes, identity, page) === bytes.readUInt32LE(0)
}

function pageCrc(bytes: Buffer, identity: number, page: number): number {
  return crc32(bytes.subarray(4), (identity + page) >>> 0)
}

/** Gathers blocks in the order of the file, and makes of them all that stands behind the blocks. */
export class IndexBuilder {
  readonly #blocks: Buffer
  #blockCount = 0
  #logs = Buffer.allocUnsafe(LOG_BYTES * 16)
  #logCount = 0
  #lastLogId = -1
  #newestMs = 0

  constructor(blockCountMax: number) {
    this.#blocks = Buffer.allocUnsafe(blockCountMax * BLOCK_BYTES)
  }

  get blockCount(): number {
    return this.#blockCount
  }

  get logCount(): number {
    return this.#logCount
  }

  get newestMs(): number {
    return this.#newestMs
  }

  add(logId: number, block: BlockPlace): void {
    assert(logId >= this.#lastLogId, 'blocks come by rising log')
    const at = this.#blockCount * BLOCK_BYTES
    const blocks = this.#blocks
    blocks.writeDoubleLE(block.firstOffset, at)
    blocks.writeDoubleLE(block.timeMs, at + 8)
    blocks.writeUInt32LE(block.count, at + 16)
    blocks.writeUInt32LE(block.position, at + 20)
    blocks.writeUInt32LE(block.bytes, at + 24)
    blocks.writeUInt32LE(block.crc, at + 28)
    const endOffset = block.firstOffset + block.count
    if (logId === this.#lastLogId) {
      const log = (this.#logCount - 1) * LOG_BYTES
      const logs = this.#logs
      assert(block.firstOffset >= logs.readDoubleLE(log + 16), 'offsets of a log rise')
      logs.writeUInt32LE(logs.readUInt32LE(log + 4) + 1, log + 4)
      logs.writeDoubleLE(endOffset, log + 16)
      logs.writeDoubleLE(block.timeMs, log + 32)
    } else {
      this.#addLog(logId, block, endOffset)
    }
    this.#blockCount++
    if (block.timeMs > this.#newestMs) this.#newestMs = block.timeMs
  }

  /** All that stands behind the blocks: the three tables and the foot. */
  finish(facts: SegmentFacts): Buffer {
    assert(facts.blockCount === this.#blockCount, 'the facts count the blocks')
    assert(facts.logCount === this.#logCount, 'the facts count the logs')
    const layout = layoutOf(facts)
    const identity = identityOf(facts)
    const target = Buffer.alloc(layout.fileBytes - facts.blocksEnd)
    const base = facts.blocksEnd
    const pages = layout.blockPages + layout.logPages
    for (let page = 0; page <= pages; page++) {
      const { position, bytes } = pagePlace(facts, layout, page)
      const slice = target.subarray(position - base, position - base + bytes)
      this.#fillPage(slice, page, layout)
      slice.writeUInt32LE(pageCrc(slice, identity, page), 0)
    }
    writeFoot(target, layout.footAt - base, facts)
    return target
  }

  #fillPage(slice: Buffer, page: number, { blockPages, logPages }: IndexLayout): void {
    const isBlocks = page < blockPages
    const isLogs = !isBlocks && page < blockPages + logPages
    if (isBlocks || isLogs) {
      const entryBytes = isBlocks ? BLOCK_BYTES : LOG_BYTES
      const perPage = isBlocks ? BLOCKS_PER_PAGE : LOGS_PER_PAGE
      const from = (isBlocks ? page : page - blockPages) * perPage * entryBytes
      const entries = slice.length - PAGE_HEAD_BYTES
      slice.writeUInt32LE(entries / entryBytes, 4)
      ;(isBlocks ? this.#blocks : this.#logs).copy(slice, PAGE_HEAD_BYTES, from, from + entries)
      return
    }
    slice.writeUInt32LE(logPages, 4)
    for (let i = 0; i < logPages; i++) {
      const logId = this.#logs.readUInt32LE(i * LOGS_PER_PAGE * LOG_BYTES)
      slice.writeUInt32LE(logId, PAGE_HEAD_BYTES + i * FENCE_BYTES)
    }
  }

  #addLog(logId: number, block: BlockPlace, endOffset: number): void {
    const at = this.#logCount * LOG_BYTES
    if (at === this.#logs.length) this.#logs = Buffer.concat([this.#logs, Buffer.alloc(at)])
    const logs = this.#logs
    logs.writeUInt32LE(logId, at)
    logs.writeUInt32LE(1, at + 4)
    logs.writeDoubleLE(block.firstOffset, at + 8)
    logs.writeDoubleLE(endOffset, at + 16)
    logs.writeDoubleLE(block.timeMs, at + 24)
    logs.writeDoubleLE(block.timeMs, at + 32)
    logs.writeUInt32LE(this.#blockCount, at + 40)
    logs.writeUInt32LE(0, at + 44)
    this.#logCount++
    this.#lastLogId = logId
  }
}

/** Looks things up in an index whose checked pages `page` gives. */
export class SegmentIndex {
  readonly #facts: SegmentFacts
  readonly #layout: IndexLayout
  readonly #page: (page: number) => Buffer | Promise<Buffer>

  constructor(facts: SegmentFacts, page: (page: number) => Buffer | Promise<Buffer>) {
    this.#facts = facts
    this.#layout = layoutOf(facts)
    this.#page = page
  }

  async log(logId: number): Promise<LogPlace | undefined> {
    const found = await this.#logAtOrAfter(logId)
    return found?.logId === logId ? found : undefined
  }

  /** Number of the first block of this log or of the first one after it. */
  async firstBlockFrom(logId: number): Promise<number> {
    return (await this.#logAtOrAfter(logId))?.firstBlock ?? this.#facts.blockCount
  }

  async block(number: number): Promise<BlockPlace> {
    const held = this.#page(Math.floor(number / BLOCKS_PER_PAGE))
    const page = held instanceof Promise ? await held : held
    return readBlockPlace(page, entryAt(number % BLOCKS_PER_PAGE, BLOCK_BYTES))
  }

  /** Visits blocks from `number` to before `end` until `visit` says no; waits once a page at most. */
  async eachBlock(
    number: number,
    end: number,
    visit: (place: BlockPlace, number: number) => boolean,
  ): Promise<void> {
    for (let at = number; at < end; ) {
      const index = Math.floor(at / BLOCKS_PER_PAGE)
      const held = this.#page(index)
      const page = held instanceof Promise ? await held : held
      const pageEnd = Math.min(end, (index + 1) * BLOCKS_PER_PAGE)
      for (; at < pageEnd; at++) {
        const place = readBlockPlace(page, entryAt(at % BLOCKS_PER_PAGE, BLOCK_BYTES))
        if (!visit(place, at)) return
      }
    }
  }

  /** Number of the log's first block with an entry at or after an offset; the end when there is none. */
  blockAtOffset(log: LogPlace, offset: number): Promise<number> {
    return this.#firstBlock(log, (block) => block.firstOffset + block.count > offset)
  }

  /** Number of the log's first block of this time or later; the end when there is none. */
  blockAtTime(log: LogPlace, timeMs: number): Promise<number> {
    return this.#firstBlock(log, (block) => block.timeMs >= timeMs)
  }

  async #logAtOrAfter(logId: number): Promise<LogPlace | undefined> {
    const { blockPages, logPages } = this.#layout
    const fences = await this.#page(blockPages + logPages)
    const after = firstWhere(logPages, (i) => fences.readUInt32LE(entryAt(i, FENCE_BYTES)) > logId)
    // The log itself would be on the page before that fence; the next log may be the fence's.
    for (let number = Math.max(0, after - 1); number < Math.min(after + 1, logPages); number++) {
      const page = await this.#page(blockPages + number)
      const count = page.readUInt32LE(4)
      const index = firstWhere(count, (i) => page.readUInt32LE(entryAt(i, LOG_BYTES)) >= logId)
      if (index < count) return readLogPlace(page, entryAt(index, LOG_BYTES))
    }
    return undefined
  }

  async #firstBlock(log: LogPlace, holds: (block: BlockPlace) => boolean): Promise<number> {
    let low = log.firstBlock
    let high = log.firstBlock + log.blockCount
    while (low < high) {
      const middle = (low + high) >>> 1
      const held = this.#page(Math.floor(middle / BLOCKS_PER_PAGE))
      const page = held instanceof Promise ? await held : held
      const place = readBlockPlace(page, entryAt(middle % BLOCKS_PER_PAGE, BLOCK_BYTES))
      if (holds(place)) high = middle
      else low = middle + 1
    }
    return low
  }
}

function readLogPlace(page: Buffer, at: number): LogPlace {
  return {
    logId: page.readUInt32LE(at),
    blockCount: page.readUInt32LE(at + 4),
    firstOffset: page.readDoubleLE(at + 8),
    endOffset: page.readDoubleLE(at + 16),
    firstTimeMs: page.readDoubleLE(at + 24),
    lastTimeMs: page.readDoubleLE(at + 32),
    firstBlock: page.readUInt32LE(at + 40),
  }
}

function readBlockPlace(page: Buffer, at: number): BlockPlace {
  return {
    firstOffset: page.readDoubleLE(at),
    timeMs: page.readDoubleLE(at + 8),
    count: page.readUInt32LE(at + 16),
    position: page.readUInt32LE(at + 20),
    bytes: page.readUInt32LE(at + 24),
    crc: page.readUInt32LE(at + 28),
  }
}

function entryAt(index: number, entryBytes: number): number {
  return PAGE_HEAD_BYTES + index * entryBytes
}

function firstWhere(count: number, holds: (index: number) => boolean): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}
