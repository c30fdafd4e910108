// Reading a log wherever its entries are: sealed in segments, in journal files, or still in memory.
// What is in memory is answered synchronously. A position only ever moves forward, so that a block
// which is sealed while a read waits for the disk is found where it went.
import type { Batch, MaybePromise, ReadBounds, ReadResult } from '../engine.ts'
import { StorageError } from '../engine.ts'
import type { Chunk, Tail } from '../tail.ts'
import type { AcceptedLosses } from './accepted-losses.ts'
import { sliceBlock } from './block.ts'
import { isBlockWhole } from './frame.ts'
import type { Journal } from './journal.ts'
import type { JournalFile } from './journal-file.ts'
import type { KnownDamage } from './known-damage.ts'
import type { LocalLog, LogReads } from './local-log.ts'

/** What has been sealed; the segments of all groups. */
export interface SealedReads {
  /** Undefined when no entry at or after `from` and below `before` is sealed. */
  read(
    groupId: number,
    logId: number,
    from: number,
    before: number,
    bounds: ReadBounds,
  ): Promise<{ batches: Batch[]; next: number; release(): void } | undefined>
  offsetAt(
    groupId: number,
    logId: number,
    timeMs: number,
    passesDamage?: boolean,
  ): Promise<number | undefined>
}

export interface LogReaderOptions {
  readonly journal: Journal
  readonly tail: Tail
  readonly sealed: SealedReads
  readonly damage: KnownDamage
  readonly accepted: AcceptedLosses
}

/** Blocks of one log closer than this in a file are read with one call. */
const GAP_BYTES_MAX = 64 * 1024
/** A call reads no more than this, but for a single larger block. */
const RUN_BYTES_MAX = 4 * 1024 * 1024

export class LogReader implements LogReads {
  readonly #journal: Journal
  readonly #tail: Tail
  readonly #sealed: SealedReads
  readonly #damage: KnownDamage
  readonly #accepted: AcceptedLosses
  #readsFromDisk = 0

  constructor(options: LogReaderOptions) {
    this.#journal = options.journal
    this.#tail = options.tail
    this.#sealed = options.sealed
    this.#damage = options.damage
    this.#accepted = options.accepted
  }

  /** Calls that read journal files. */
  get readsFromDisk(): number {
    return this.#readsFromDisk
  }

  read(log: LocalLog, from: number, bounds: ReadBounds): MaybePromise<ReadResult> {
    const page = new Page(this.#tail, Math.max(from, log.firstKept), bounds, log.group.trimMs)
    if (this.#readMemory(log, page) || !page.isEmpty) return page
    return this.#readCold(log, page)
  }

  offsetAt(log: LocalLog, timeMs: number): MaybePromise<number> {
    const wantedMs = Math.max(timeMs, log.group.trimMs)
    if (log.lastTimeMs < wantedMs || log.firstKept >= log.next) return log.next
    const index = this.#indexAtTime(log, wantedMs)
    const found = this.#offsetAtIndex(log, index)
    if (index > 0 || !this.#maySealed(log, log.firstKept)) return Math.max(found, log.firstKept)
    const passesDamage = this.#accepted.has(log.groupId, log.id)
    return this.#sealed.offsetAt(log.groupId, log.id, wantedMs, passesDamage).then(
      (offset) => Math.max(Math.min(offset ?? found, found), log.firstKept),
      (error: unknown) => {
        throw log.group.refusal() ?? readFailure(log, error)
      },
    )
  }

  firstOf(log: LocalLog): number {
    const { trimMs } = log.group
    if (trimMs > log.trimSeenMs && log.firstKept < log.next) this.#applyTrim(log, trimMs)
    return log.firstKept
  }

  /** Moves `firstKept` past what was let go by time, as far as memory can tell. */
  #applyTrim(log: LocalLog, trimMs: number): void {
    if (log.lastTimeMs < trimMs) {
      log.firstKept = log.next
      return
    }
    const index = this.#indexAtTime(log, trimMs)
    if (index === 0 && this.#maySealed(log, log.firstKept)) {
      void this.#applySealedTrim(log, trimMs)
      return
    }
    log.firstKept = Math.max(log.firstKept, this.#offsetAtIndex(log, index))
    log.trimSeenMs = trimMs
  }

  /** The first retained entry is in a segment: `first` is exact once that was asked. */
  async #applySealedTrim(log: LocalLog, trimMs: number): Promise<void> {
    log.trimSeenMs = trimMs
    const journalFirst = this.#offsetAtIndex(log, 0)
    try {
      const passesDamage = this.#accepted.has(log.groupId, log.id)
      const offset = await this.#sealed.offsetAt(log.groupId, log.id, trimMs, passesDamage)
      log.firstKept = Math.max(log.firstKept, Math.min(offset ?? journalFirst, log.next))
    } catch {
      // A damaged segment: whoever reads there is told so; until then the lower bound stands.
    }
  }

  /** Whether entries from this offset on could be in segments rather than in the journal. */
  #maySealed(log: LocalLog, from: number): boolean {
    return from < this.#offsetAtIndex(log, 0)
  }

  /** Reads as far as memory goes; false when the disk is needed to go on. */
  #readMemory(log: LocalLog, page: Page): boolean {
    if (page.isFull || page.next >= log.next) return true
    let index = this.#indexAtOffset(log, page.next)
    if (index === 0 && this.#maySealed(log, page.next)) return false
    index = this.#passOld(log, page, index)
    for (; index < log.blocks.length && !page.isFull; index++) {
      const block = log.blocks[index]!
      const { index: entries } = this.#journal.fileOf(block)
      const chunk = this.#tail.chunk(entries.chunkId(block))
      if (chunk === undefined) return false
      page.moveTo(entries.firstOffset(block))
      if (page.addFrom(chunk.buffer, entries.chunkAt(block))) page.pin(chunk)
    }
    if (!page.isFull && index === log.blocks.length) page.moveTo(log.next)
    return true
  }

  /** Past the blocks that are too old; times of a log never fall, so this is one search. */
  #passOld(log: LocalLog, page: Page, index: number): number {
    if (page.notBeforeMs <= 0) return index
    const young = this.#indexAtTime(log, page.notBeforeMs)
    if (young <= index) return index
    page.moveTo(this.#offsetAtIndex(log, young))
    return young
  }

  async #readCold(log: LocalLog, page: Page): Promise<ReadResult> {
    const { trimMs } = log.group
    const isFromFirst = page.next <= log.firstKept && page.notBeforeMs <= trimMs
    try {
      while (!this.#readMemory(log, page)) {
        await this.#readDisk(log, page)
        const refusal = log.group.refusal()
        if (refusal !== undefined) throw refusal
      }
      if (isFromFirst && trimMs > log.trimSeenMs) {
        log.firstKept = Math.max(log.firstKept, page.batches[0]?.firstOffset ?? page.next)
        log.trimSeenMs = trimMs
      }
      return page
    } catch (error) {
      const failure = log.group.refusal() ?? readFailure(log, error)
      // What was read before the damage is good; the next read meets the damage first.
      if (failure.code === 'damaged' && !page.isEmpty) return page
      page.release()
      throw failure
    }
  }

  /** Reads on from disk; past what can't be read if that loss was accepted. */
  async #readDisk(log: LocalLog, page: Page): Promise<void> {
    try {
      if (this.#maySealed(log, page.next)) await this.#readSealed(log, page)
      else await this.#readJournal(log, page)
    } catch (error) {
      const goOnAt = this.#accepted.goOnAt(log.groupId, log.id, page.next)
      const isDamage = readFailure(log, error).code === 'damaged'
      if (!isDamage || goOnAt === undefined) throw error
      page.moveTo(Math.min(goOnAt, log.next))
    }
  }

  async #readSealed(log: LocalLog, page: Page): Promise<void> {
    const before = this.#offsetAtIndex(log, 0)
    const { groupId, id } = log
    const read = await this.#sealed.read(groupId, id, page.next, before, page.bounds())
    if (read !== undefined && (read.batches.length > 0 || read.next > page.next)) {
      page.addRead(read, before)
      return
    }
    read?.release()
    // Nothing is sealed here: a gap, or trimmed files. Unless a file was sealed just now.
    if (this.#offsetAtIndex(log, 0) === before) page.moveTo(before)
  }

  /** Reads the next blocks from their journal file, adjacent ones together, and checks each. */
  async #readJournal(log: LocalLog, page: Page): Promise<void> {
    const first = this.#passOld(log, page, this.#indexAtOffset(log, page.next))
    const run = this.#run(log, page, first)
    if (run === undefined) {
      page.moveTo(log.next)
      return
    }
    const { file, blocks, from, bytes } = run
    const buffer = Buffer.allocUnsafeSlow(bytes)
    this.#readsFromDisk++
    const read = await file.read(buffer, 0, bytes, from)
    const entries = file.index
    for (const block of blocks) {
      if (page.isFull) return
      const at = entries.position(block) - from
      const firstOffset = entries.firstOffset(block)
      const isWhole =
        at + entries.bytes(block) <= read &&
        isBlockWhole(
          buffer,
          at,
          entries.bytes(block),
          entries.crc(block),
          log.groupId,
          log.id,
          firstOffset,
          entries.entryCount(block),
        )
      if (!isWhole) {
        const next = entries.endOffset(block)
        const what = `offsets ${firstOffset} to ${next - 1} of log ${log.id} in group ${log.groupId} can't be read`
        const message = `The file ${file.path} is damaged at byte ${from + at}: ${what}. What else it holds is served; restore the data folder from a backup, or read on from offset ${next}.`
        this.#damage.block(log.groupId, log.id, firstOffset, message)
        throw new StorageError('damaged', message)
      }
      page.moveTo(firstOffset)
      page.addFrom(buffer, at)
    }
  }

  /** Blocks of one file that lie close together and fit the page, from this index on. */
  #run(
    log: LocalLog,
    page: Page,
    index: number,
  ): { file: JournalFile; blocks: number[]; from: number; bytes: number } | undefined {
    const firstBlock = log.blocks[index]
    if (firstBlock === undefined) return undefined
    const file = this.#journal.fileOf(firstBlock)
    const from = file.index.position(firstBlock)
    const blocks: number[] = []
    let end = from
    let entryCount = 0
    let bytes = 0
    for (let i = index; i < log.blocks.length; i++) {
      const block = log.blocks[i]!
      if (block >= file.index.endBlock) break
      const at = file.index.position(block)
      const blockEnd = at + file.index.bytes(block)
      if (blocks.length > 0) {
        if (at - end > GAP_BYTES_MAX || blockEnd - from > RUN_BYTES_MAX) break
        if (entryCount >= page.entriesLeft || bytes >= page.bytesLeft) break
        if (this.#tail.chunk(file.index.chunkId(block)) !== undefined) break
      }
      blocks.push(block)
      end = blockEnd
      entryCount += file.index.entryCount(block)
      bytes += file.index.bytes(block)
    }
    return { file, blocks, from, bytes: end - from }
  }

  /** Index in `log.blocks` of the first block that ends behind this offset. */
  #indexAtOffset(log: LocalLog, offset: number): number {
    const { blocks } = log
    let low = 0
    let high = blocks.length
    // At the tail, where most reads are, the last block is the one.
    if (
      high > 1 &&
      this.#journal.fileOf(blocks[high - 2]!).index.endOffset(blocks[high - 2]!) <= offset
    ) {
      low = high - 1
    }
    while (low < high) {
      const middle = (low + high) >>> 1
      const block = blocks[middle]!
      if (this.#journal.fileOf(block).index.endOffset(block) > offset) high = middle
      else low = middle + 1
    }
    return low
  }

  /** Index in `log.blocks` of the first block of this time or later. */
  #indexAtTime(log: LocalLog, timeMs: number): number {
    const { blocks } = log
    let low = 0
    let high = blocks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const block = blocks[middle]!
      if (this.#journal.fileOf(block).index.timeMs(block) >= timeMs) high = middle
      else low = middle + 1
    }
    return low
  }

  /** First offset of the block at this index; the end of the log behind the last. */
  #offsetAtIndex(log: LocalLog, index: number): number {
    const block = log.blocks[index]
    return block === undefined ? log.next : this.#journal.fileOf(block).index.firstOffset(block)
  }
}

function readFailure(log: LocalLog, error: unknown): StorageError {
  if (error instanceof StorageError) return error
  const { message } = error as Error
  return new StorageError(
    'damaged',
    `Log ${log.id} of group ${log.groupId} can't be read from disk: ${message}`,
    { cause: error },
  )
}

/** The result of a read while it is filled. */
class Page implements ReadResult {
  readonly batches: Batch[] = []
  next: number
  entriesLeft: number
  bytesLeft: number
  isFull = false
  readonly notBeforeMs: number
  readonly #tail: Tail
  #chunks: Chunk[] | undefined
  #reads: { release(): void }[] | undefined

  constructor(tail: Tail, from: number, bounds: ReadBounds, trimMs: number) {
    this.#tail = tail
    this.next = from
    this.entriesLeft = bounds.entriesMax
    this.bytesLeft = bounds.bytesMax
    this.notBeforeMs = Math.max(bounds.notBeforeMs ?? 0, trimMs)
  }

  get isEmpty(): boolean {
    return this.batches.length === 0
  }

  /** What is still wanted. */
  bounds(): ReadBounds {
    const { entriesLeft, bytesLeft, notBeforeMs } = this
    return { entriesMax: entriesLeft, bytesMax: bytesLeft, notBeforeMs }
  }

  moveTo(offset: number): void {
    if (offset > this.next) this.next = offset
  }

  /** Adds the entries of a block from `next` on, as many as are wanted; false when none fitted. */
  addFrom(buffer: Buffer, at: number): boolean {
    const { batch, entries, bytes } = sliceBlock(
      buffer,
      at,
      this.next,
      this.entriesLeft,
      this.bytesLeft,
      this.isEmpty,
    )
    if (batch === undefined) {
      this.isFull = true
      return false
    }
    this.batches.push(batch)
    this.next += entries
    this.entriesLeft -= entries
    this.bytesLeft -= bytes
    const isCut = this.next < buffer.readDoubleLE(at + 8) + buffer.readUInt32LE(at + 24)
    if (isCut || this.entriesLeft <= 0) this.isFull = true
    return true
  }

  /**
   * Adds what segments gave of the entries below `before`. They stop there or at the page's bounds;
   * but they give at least one entry, which is one too many when the page has others and no room.
   */
  addRead(read: { batches: Batch[]; next: number; release(): void }, before: number): void {
    let bytes = 0
    let entries = 0
    for (const { count, buffer, lengthsAt } of read.batches) {
      entries += count
      for (let i = 0; i < count; i++) bytes += buffer.readUInt32LE(lengthsAt + i * 4)
    }
    if (bytes > this.bytesLeft && !this.isEmpty) {
      this.isFull = true
      read.release()
      return
    }
    this.#reads ??= []
    this.#reads.push(read)
    this.batches.push(...read.batches)
    this.entriesLeft -= entries
    this.bytesLeft -= bytes
    this.moveTo(read.next)
    if (!this.isEmpty && (this.next < before || this.entriesLeft <= 0)) this.isFull = true
  }

  pin(chunk: Chunk): void {
    this.#chunks ??= []
    if (this.#chunks.at(-1) === chunk) return
    this.#tail.pin(chunk)
    this.#chunks.push(chunk)
  }

  release(): void {
    for (const chunk of this.#chunks?.splice(0) ?? []) this.#tail.unpin(chunk)
    for (const read of this.#reads?.splice(0) ?? []) read.release()
  }
}
