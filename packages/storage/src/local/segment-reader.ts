// One segment as it is read: its head is read when it is first asked for, its index by page through
// the shared cache, its blocks in sweeps of up to some megabytes, each block proven before it is
// served. A damaged page of the index is mended by making the index again from the blocks; a damaged
// block fails the reads that need it, and only those.
import type { Logger } from '@millrace/base/logger'
import type { Disk, DiskFile } from '../disk.ts'
import { type Batch, type ReadBounds, StorageError } from '../engine.ts'
import { BLOCK_HEADER_BYTES, sliceBlock } from './block.ts'
import { isBlockWhole } from './frame.ts'
import { readFully } from './journal-file.ts'
import type { KnownDamage } from './known-damage.ts'
import type { OpenFiles } from './open-files.ts'
import type { PageCache } from './page-cache.ts'
import type { ReadBuffers } from './read-buffers.ts'
import {
  type BlockPlace,
  identityOf,
  readFoot,
  readHead,
  SEGMENT_HEAD_BYTES,
  type SegmentFacts,
  segmentPath,
  writeHead,
} from './segment.ts'
import { isPageWhole, type LogPlace, layoutOf, pagePlace, SegmentIndex } from './segment-index.ts'
import { type RebuiltIndex, rebuildIndex } from './segment-rebuild.ts'

/** The most that one sweep reads, unless a single block is larger. */
export const SWEEP_BYTES_MAX = 4 * 1024 * 1024

/** What all segments of a store share. */
export interface SegmentShelf {
  readonly disk: Disk
  readonly directory: string
  readonly files: OpenFiles
  readonly pages: PageCache
  readonly buffers: ReadBuffers
  readonly logger: Logger
  readonly damage: KnownDamage
}

/** One sweep's entries; `buffer` is undefined when nothing had to be read. */
export interface Sweep {
  readonly batches: readonly Batch[]
  readonly next: number
  readonly entries: number
  readonly bytes: number
  readonly buffer: Buffer | undefined
}

interface Opened {
  readonly facts: SegmentFacts
  readonly index: SegmentIndex
  /** Numbers of blocks before which others are missing. */
  readonly holes: ReadonlySet<number>
}

/** Thrown inside this file when a page of the index doesn't prove itself. */
class PageDamage extends Error {}

const NO_HOLES: ReadonlySet<number> = new Set()
let segments = 0

export class Segment {
  readonly groupId: number
  readonly sequence: number
  readonly path: string
  /** Bytes of the file; undefined while nobody knows. */
  bytes: number | undefined
  /** Newest time of an entry, ms; undefined while nobody knows. */
  newestMs: number | undefined
  /** The file isn't there, and should be. */
  readonly isLost: boolean
  readonly #shelf: SegmentShelf
  /** Names this segment's pages in the cache. */
  readonly #key = segments++
  #opening: Promise<Opened | undefined> | undefined
  #rebuilding: Promise<Opened> | undefined

  constructor(shelf: SegmentShelf, groupId: number, sequence: number, isLost = false) {
    this.#shelf = shelf
    this.isLost = isLost
    this.groupId = groupId
    this.sequence = sequence
    this.path = segmentPath(shelf.directory, groupId, sequence)
  }

  /** What its head says; undefined when neither head nor foot can be read, or the file is lost. */
  async facts(): Promise<SegmentFacts | undefined> {
    return (await this.#open())?.facts
  }

  /** Where this log is in the segment; undefined when it isn't, or can't be found for damage. */
  log(logId: number): Promise<LogPlace | undefined> {
    return this.#with(({ index }) => index.log(logId))
  }

  /** Whether entries of this log may be in the segment that its index doesn't show, for damage. */
  async hides(logId: number): Promise<boolean> {
    if ((await this.#open()) === undefined) return true
    return (
      (await this.#with(async ({ index, holes }) => {
        if (holes.size === 0) return false
        const first = await index.firstBlockFrom(logId)
        const end = first + ((await index.log(logId))?.blockCount ?? 0)
        return [...holes].some((hole) => hole >= first && hole <= end)
      })) ?? true
    )
  }

  /** The first offset of this log here whose entry has this time or a later one. */
  offsetAt(logId: number, timeMs: number): Promise<number | undefined> {
    return this.#with(async ({ index }) => {
      const log = await index.log(logId)
      if (log === undefined) return undefined
      const number = await index.blockAtTime(log, timeMs)
      if (number === log.firstBlock + log.blockCount) return undefined
      return (await index.block(number)).firstOffset
    })
  }

  /**
   * Entries of a log of this segment at or after `from` and below `before`, in one read from disk.
   * Gives none only when there is none left here that the bounds don't pass over. With `isFirst` one
   * entry is let through even if it alone is over `bytesMax`. Rejects with `damaged`.
   */
  async sweep(
    logId: number,
    from: number,
    before: number,
    bounds: ReadBounds,
    isFirst: boolean,
  ): Promise<Sweep> {
    const chosen = await this.#with((opened) => this.#choose(opened, logId, from, before, bounds))
    if (chosen === undefined) throw this.#damage(logId, from, before)
    const { places, endOffset } = chosen
    const [first] = places
    const last = places.at(-1)
    if (first === undefined || last === undefined) {
      const next = Math.min(endOffset, before)
      return { batches: [], next, entries: 0, bytes: 0, buffer: undefined }
    }
    const length = last.position + last.bytes - first.position
    const buffer = this.#shelf.buffers.take(length)
    let whole: number
    try {
      whole = await this.#use((file) => readFully(file, buffer, 0, length, first.position))
    } catch (error) {
      this.#shelf.buffers.giveBack(buffer)
      throw error
    }
    const sweep = this.#slice(buffer, whole, places, logId, from, before, bounds, isFirst)
    if (sweep.batches.length > 0) return sweep
    this.#shelf.buffers.giveBack(buffer)
    if (!sweep.isDamaged) return { ...sweep, buffer: undefined }
    throw this.#damage(logId, first.firstOffset, first.firstOffset + first.count, first.position)
  }

  /** The blocks that one sweep is to read. */
  async #choose(
    { index, holes }: Opened,
    logId: number,
    from: number,
    before: number,
    bounds: ReadBounds,
  ): Promise<{ places: BlockPlace[]; endOffset: number } | undefined> {
    // Looked up here and not handed in: numbers of blocks change when the index is made again.
    const log = await index.log(logId)
    if (log === undefined) return undefined
    const end = log.firstBlock + log.blockCount
    let number = from <= log.firstOffset ? log.firstBlock : await index.blockAtOffset(log, from)
    const { notBeforeMs } = bounds
    if (notBeforeMs !== undefined && number < end) {
      const block = await index.block(number)
      if (block.timeMs < notBeforeMs) number = await index.blockAtTime(log, notBeforeMs)
    }
    const places: BlockPlace[] = []
    let entries = 0
    let bytes = 0
    let start = 0
    await index.eachBlock(number, end, (place, at) => {
      if (place.firstOffset >= before) return false
      if (places.length === 0) {
        start = place.position
        if (holes.has(at) && from < place.firstOffset) {
          throw this.#damage(logId, from, place.firstOffset)
        }
      } else if (place.position + place.bytes - start > SWEEP_BYTES_MAX || holes.has(at)) {
        return false
      }
      places.push(place)
      entries += place.count
      bytes += place.bytes - BLOCK_HEADER_BYTES - place.count * 4
      return entries < bounds.entriesMax && bytes < bounds.bytesMax
    })
    return { places, endOffset: log.endOffset }
  }

  #slice(
    buffer: Buffer,
    length: number,
    places: readonly BlockPlace[],
    logId: number,
    from: number,
    before: number,
    bounds: ReadBounds,
    isFirst: boolean,
  ): Sweep & { isDamaged: boolean } {
    const batches: Batch[] = []
    let entries = 0
    let bytes = 0
    let next = from
    let isDamaged = false
    for (const place of places) {
      const at = place.position - places[0]!.position
      const { firstOffset, count } = place
      isDamaged =
        at + place.bytes > length ||
        !isBlockWhole(buffer, at, place.bytes, place.crc, this.groupId, logId, firstOffset, count)
      if (isDamaged) break
      const start = Math.max(next, firstOffset)
      const slice = sliceBlock(
        buffer,
        at,
        start,
        Math.min(bounds.entriesMax - entries, before - start),
        bounds.bytesMax - bytes,
        isFirst && entries === 0,
      )
      if (slice.batch === undefined) {
        if (entries === 0) next = start
        break
      }
      batches.push(slice.batch)
      entries += slice.entries
      bytes += slice.bytes
      next = start + slice.entries
      if (next < firstOffset + count) break
    }
    return { batches, next, entries, bytes, buffer, isDamaged }
  }

  #damage(logId: number, from: number, goOnAt: number, position?: number): StorageError {
    const at = position === undefined ? '' : ` at byte ${position}`
    const what = `offsets ${from} to ${goOnAt - 1} of log ${logId} in group ${this.groupId} can't be read`
    const message = `The file ${this.path} is damaged${at}: ${what}. What else it holds is served; restore the file from a backup, or read on from offset ${goOnAt}.`
    if (position === undefined) this.#shelf.damage.note(this.path, message)
    else this.#shelf.damage.block(this.groupId, logId, from, message)
    return new StorageError('damaged', message)
  }

  /** Runs `body` over the index, and once more over the one made again when it met a damaged page. */
  async #with<T>(body: (opened: Opened) => Promise<T>): Promise<T | undefined> {
    const opened = await this.#open()
    if (opened === undefined) return undefined
    try {
      return await body(opened)
    } catch (error) {
      if (!(error instanceof PageDamage)) throw error
      // Another read may have met the damage first.
      const current = await this.#open()
      return body(current && current !== opened ? current : await this.#rebuild(opened.facts))
    }
  }

  #open(): Promise<Opened | undefined> {
    if (this.isLost) return Promise.resolve(undefined)
    this.#opening ??= this.#openNow().catch((error) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  async #openNow(): Promise<Opened | undefined> {
    const head = Buffer.alloc(SEGMENT_HEAD_BYTES)
    const foot = Buffer.alloc(SEGMENT_HEAD_BYTES)
    const fileBytes = await this.#use(async (file) => {
      await readFully(file, head, 0, head.length, 0)
      return file.size()
    })
    this.bytes = fileBytes
    const facts = this.#own(readHead(head, 0))
    if (facts !== undefined) this.newestMs = facts.newestMs
    if (facts !== undefined && layoutOf(facts).fileBytes === fileBytes) return this.#opened(facts)
    if (facts !== undefined) return this.#rebuild(facts)
    const footAt = Math.max(0, fileBytes - foot.length)
    await this.#use((file) => readFully(file, foot, 0, foot.length, footAt))
    const factsOfFoot = this.#own(readFoot(foot, 0))
    if (factsOfFoot !== undefined) return this.#rebuild(factsOfFoot)
    this.#shelf.logger.error('a segment is unreadable: its head and its foot are damaged', {
      file: this.path,
    })
    return undefined
  }

  #own(facts: SegmentFacts | undefined): SegmentFacts | undefined {
    return facts?.groupId === this.groupId && facts.sequence === this.sequence ? facts : undefined
  }

  #opened(facts: SegmentFacts): Opened {
    const layout = layoutOf(facts)
    const identity = identityOf(facts)
    const { pages } = this.#shelf
    const read = async (key: string, page: number): Promise<Buffer> => {
      const { position, bytes } = pagePlace(facts, layout, page)
      const buffer = Buffer.allocUnsafeSlow(bytes)
      const length = await this.#use((file) => readFully(file, buffer, 0, bytes, position))
      if (length < bytes || !isPageWhole(buffer, identity, page)) throw new PageDamage()
      pages.put(key, buffer)
      return buffer
    }
    const index = new SegmentIndex(facts, (page) => {
      const key = `${this.#key}/${page}`
      return pages.get(key) ?? read(key, page)
    })
    return { facts, index, holes: NO_HOLES }
  }

  /** Makes the index again; it then stays in memory, and on disk too if nothing is missing. */
  #rebuild(facts: SegmentFacts): Promise<Opened> {
    this.#rebuilding ??= this.#rebuildNow(facts)
      .then((opened) => {
        this.#opening = Promise.resolve(opened)
        return opened
      })
      .finally(() => {
        this.#rebuilding = undefined
      })
    return this.#rebuilding
  }

  async #rebuildNow(facts: SegmentFacts): Promise<Opened> {
    const rebuilt = await this.#use((file) => rebuildIndex(file, facts))
    const { logger } = this.#shelf
    if (rebuilt.holes.size === 0) {
      await this.#mend(rebuilt)
      logger.warn('mended the index of a segment from its blocks', { file: this.path })
    } else {
      const missing = facts.blockCount - rebuilt.facts.blockCount
      logger.error('a segment has lost blocks', { file: this.path, missing, of: facts.blockCount })
    }
    const layout = layoutOf(rebuilt.facts)
    const index = new SegmentIndex(rebuilt.facts, (page) => {
      const { position, bytes } = pagePlace(rebuilt.facts, layout, page)
      const at = position - rebuilt.facts.blocksEnd
      return rebuilt.bytes.subarray(at, at + bytes)
    })
    return { facts, index, holes: rebuilt.holes }
  }

  /** Writes head and index again where they stood, byte for byte. The blocks aren't touched. */
  async #mend({ facts, bytes }: RebuiltIndex): Promise<void> {
    const head = Buffer.alloc(SEGMENT_HEAD_BYTES)
    writeHead(head, 0, facts)
    try {
      const file = await this.#shelf.disk.open(this.path, { mode: 'write' })
      try {
        await file.write(bytes, 0, bytes.length, facts.blocksEnd)
        await file.truncate(facts.blocksEnd + bytes.length)
        await file.write(head, 0, head.length, 0)
        await file.sync()
      } finally {
        await file.close()
      }
    } catch (error) {
      this.#shelf.logger.warn("couldn't write the mended index of a segment", {
        file: this.path,
        error,
      })
    }
  }

  /** Reads of the file; the disk's own failure to read is damage, its other errors stay as they are. */
  async #use<T>(body: (file: DiskFile) => Promise<T>): Promise<T> {
    try {
      return await this.#shelf.files.use(this.path, body)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error
      throw new StorageError('damaged', `The disk can't read ${this.path}: check the disk.`, {
        cause: error,
      })
    }
  }
}
