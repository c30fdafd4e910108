// All segments of a data folder: which there are, reading a log through them, sealing journal files
// into new ones, and letting whole files go. A group's segments stand in the order of their journal
// files; the offsets of each log rise through them. In memory a segment is its name and its head;
// indexes are read by page through a bounded cache.
import type { Logger } from '@millrace/base/logger'
import type { Disk } from '../disk.ts'
import { type Batch, type ReadBounds, StorageError } from '../engine.ts'
import type { KnownSegment } from './checkpoint.ts'
import { isMissing } from './journal-file.ts'
import { KnownDamage } from './known-damage.ts'
import { OpenFiles } from './open-files.ts'
import { PageCache } from './page-cache.ts'
import { ReadBuffers } from './read-buffers.ts'
import { type SealedSegment, type SealInput, type SealJournal, sealHere } from './sealer.ts'
import { groupPath } from './segment.ts'
import { SegmentFolder } from './segment-folder.ts'
import type { LogPlace } from './segment-index.ts'
import { Segment, type SegmentShelf, type Sweep } from './segment-reader.ts'

const OPEN_FILES_MAX = 64
const FREE_BUFFER_BYTES_MAX = 16 * 1024 * 1024

export interface SegmentStoreOptions {
  readonly disk: Disk
  /** `DATA/segments`; made when it isn't there. */
  readonly directory: string
  /** `DATA/orphans`; made when something has to go there. */
  readonly orphans: string
  readonly logger: Logger
  /** Bytes of index pages kept in memory. */
  readonly cacheBytesMax: number
  readonly isLive: (groupId: number) => boolean
  /** Whether a group that isn't live was deleted; one that never was is orphaned. Taken as yes unless told. */
  readonly wasDeleted?: (groupId: number) => boolean
  /** Which segments of a group there have to be; undefined when whatever is there is taken. */
  readonly expected?: (groupId: number) => readonly KnownSegment[] | undefined
  /** Groups that `expected` is asked of. */
  readonly liveGroups?: () => Iterable<number>
  /** Whether the journal file of this sequence is still there, to be sealed again. */
  readonly isInJournal?: (sequence: number) => boolean
  /** Told of damage that reads meet. */
  readonly damage?: KnownDamage
  /** How journal files are sealed; in this thread unless told. */
  readonly seal?: SealJournal
}

export interface SegmentRead {
  readonly batches: Batch[]
  readonly next: number
  release(): void
}

export interface SegmentMetrics {
  readonly segments: number
  /** Grows for a moment after a start, while the sizes of older segments are being looked up. */
  readonly bytesOnDisk: number
  readonly bytesCached: number
  /** Reads of blocks from disk since the start. */
  readonly reads: number
}

export class SegmentStore {
  readonly #options: SegmentStoreOptions
  readonly #shelf: SegmentShelf
  readonly #folder: SegmentFolder
  readonly #seal: SealJournal
  /** Lists are replaced, never changed, so that a reader keeps the one it began with. */
  readonly #groups = new Map<number, readonly Segment[]>()
  readonly #sealed = new Set<number>()
  readonly #closing = new AbortController()
  /** Groups deleted while a journal file is being sealed. */
  #deleted: Set<number> | undefined
  #sealing: Promise<unknown> = Promise.resolve()
  #measuring: Promise<void> | undefined
  #reads = 0

  private constructor(options: SegmentStoreOptions) {
    this.#options = options
    this.#seal = options.seal ?? sealHere(options.disk)
    this.#shelf = {
      disk: options.disk,
      directory: options.directory,
      logger: options.logger,
      files: new OpenFiles(options.disk, OPEN_FILES_MAX),
      pages: new PageCache(options.cacheBytesMax),
      buffers: new ReadBuffers(FREE_BUFFER_BYTES_MAX),
      damage: options.damage ?? new KnownDamage(options.logger),
    }
    this.#folder = new SegmentFolder({
      ...options,
      forget: (path) => this.#shelf.files.forget(path),
    })
  }

  /** Lists the folder; reads no file of it. */
  static async open(options: SegmentStoreOptions): Promise<SegmentStore> {
    const store = new SegmentStore(options)
    const found = await store.#folder.list()
    for (const groupId of new Set([...found.keys(), ...(options.liveGroups?.() ?? [])])) {
      const segments = store.#adopt(groupId, found.get(groupId) ?? [])
      if (segments.length > 0) store.#groups.set(groupId, segments)
    }
    return store
  }

  /** The files there are of a group and those that should be. */
  #adopt(groupId: number, sequences: readonly number[]): Segment[] {
    const { expected, isInJournal, logger } = this.#options
    const segments = new Map<number, Segment>()
    for (const sequence of sequences) {
      segments.set(sequence, new Segment(this.#shelf, groupId, sequence))
    }
    for (const { sequence, bytes, newestMs } of expected?.(groupId) ?? []) {
      let segment = segments.get(sequence)
      if (segment === undefined) {
        if (isInJournal?.(sequence)) continue
        segment = new Segment(this.#shelf, groupId, sequence, true)
        segments.set(sequence, segment)
        const what = `The file ${segment.path} is missing: entries of group ${groupId} are lost with it. Restore it from a backup.`
        this.#shelf.damage.note(segment.path, what)
        logger.error('a segment is missing', { group: groupId, file: segment.path })
      } else segment.bytes = bytes
      segment.newestMs = newestMs
    }
    return [...segments.values()].sort((a, b) => a.sequence - b.sequence)
  }

  /** The files there are of a group, with what their heads say; one that can't be read says nothing. */
  async known(groupId: number): Promise<KnownSegment[]> {
    const known: KnownSegment[] = []
    for (const segment of this.#groups.get(groupId) ?? []) {
      await segment.facts()
      const { sequence, bytes = 0, newestMs = Number.MAX_SAFE_INTEGER } = segment
      known.push({ sequence, bytes, newestMs })
    }
    return known
  }

  /** Whether this store sealed the journal file of this number since it was opened. */
  hasSealed(journalSequence: number): boolean {
    return this.#sealed.has(journalSequence)
  }

  /**
   * Makes segments of a rolled journal file; resolves when they are durable and readable, with what was
   * made and the damage found on the way. Again for the same file it keeps what is there. Rejects with
   * `damaged`, `closed` or the disk's error, and can then be called again.
   */
  seal(input: SealInput): Promise<readonly SealedSegment[]> {
    const sealing = this.#sealing.then(() => this.#sealNow(input))
    this.#sealing = sealing.catch(() => {})
    return sealing
  }

  /**
   * Entries of a log at or after `from` and below `before`, from as many segments as the bounds let
   * in. Undefined when no segment holds such an entry. With no batches, `next` says how far entries
   * were passed over. Rejects with `damaged` when what comes next can't be read.
   */
  async read(
    groupId: number,
    logId: number,
    from: number,
    before: number,
    bounds: ReadBounds,
  ): Promise<SegmentRead | undefined> {
    for (;;) {
      const segments = this.#groups.get(groupId)
      if (segments === undefined || from >= before) return undefined
      try {
        return await this.#read(segments, logId, from, before, bounds)
      } catch (error) {
        // Files that were let go while they were read are no longer listed; what is left is read.
        if (!isMissing(error) || this.#groups.get(groupId) === segments) throw error
      }
    }
  }

  /** The lowest offset still held; undefined when no segment holds an entry of the log. */
  async firstOffset(groupId: number, logId: number): Promise<number | undefined> {
    for (const segment of this.#groups.get(groupId) ?? []) {
      const log = await this.#unlessGone(segment, segment.log(logId))
      if (log !== undefined) return log.firstOffset
    }
    return undefined
  }

  /**
   * The first offset held whose entry has this time or a later one; undefined when there is none.
   * Rejects with `damaged` when such an entry may be in a file that can't be read, unless it is told to
   * pass over those.
   */
  async offsetAt(
    groupId: number,
    logId: number,
    timeMs: number,
    passesDamage = false,
  ): Promise<number | undefined> {
    for (const segment of this.#groups.get(groupId) ?? []) {
      if (segment.newestMs !== undefined && segment.newestMs < timeMs) continue
      const facts = await this.#unlessGone(segment, segment.facts())
      if (!passesDamage && (await this.#unlessGone(segment, segment.hides(logId)))) {
        throw this.#hidden(segment, `entries of log ${logId}`)
      }
      if (facts === undefined || facts.newestMs < timeMs) continue
      const log = await this.#unlessGone(segment, segment.log(logId))
      if (log === undefined || log.lastTimeMs < timeMs) continue
      if (log.firstTimeMs >= timeMs) return log.firstOffset
      return this.#unlessGone(segment, segment.offsetAt(logId, timeMs))
    }
    return undefined
  }

  /** Removes the oldest files of a group as long as all in them is older; gives the bytes freed. */
  async trim(
    groupId: number,
    beforeMs: number,
    record: (beforeSequence: number) => Promise<void> = async () => {},
  ): Promise<number> {
    const gone: Segment[] = []
    let unreadable: Segment[] = []
    for (const segment of this.#groups.get(groupId) ?? []) {
      if (segment.newestMs === undefined) await segment.facts()
      const { newestMs } = segment
      if (newestMs === undefined) unreadable.push(segment)
      else if (newestMs < beforeMs) {
        gone.push(...unreadable, segment)
        unreadable = []
      } else break
    }
    const last = gone.at(-1)
    if (last === undefined) return 0
    // Before they go: whoever misses them later has to know that they were let go.
    await record(last.sequence + 1)
    const listed = this.#groups.get(groupId) ?? []
    const removed = gone.filter((segment) => listed.includes(segment))
    if (removed.length === 0) return 0
    this.#groups.set(
      groupId,
      listed.filter((segment) => !removed.includes(segment)),
    )
    let bytes = 0
    for (const segment of removed) {
      await this.#folder.remove(segment.path)
      bytes += segment.bytes ?? 0
    }
    await this.#options.disk.syncDirectory(groupPath(this.#options.directory, groupId))
    return bytes
  }

  /**
   * Removes all files of a group. They are out of sight at once; what the disk doesn't remove now is
   * removed at the next start, since the group isn't live then.
   */
  async deleteGroup(groupId: number): Promise<void> {
    this.#deleted?.add(groupId)
    const segments = this.#groups.get(groupId)
    if (segments === undefined) return
    this.#groups.delete(groupId)
    try {
      for (const segment of segments) await this.#folder.remove(segment.path)
      if (this.#deleted === undefined) await this.#folder.removeGroup(groupId)
    } catch (error) {
      this.#options.logger.warn('files of a deleted group could not be removed', {
        group: groupId,
        error,
      })
    }
  }

  lagMs(groupId: number, trimMs: number): number {
    const newestMs = this.#groups.get(groupId)?.[0]?.newestMs
    return newestMs === undefined ? 0 : Math.max(0, trimMs - newestMs)
  }

  metrics(): SegmentMetrics {
    this.#measuring ??= this.#measure().catch((error) => {
      this.#options.logger.warn("couldn't look up the sizes of all segments", { error })
    })
    let segments = 0
    let bytesOnDisk = 0
    for (const list of this.#groups.values()) {
      for (const { isLost, bytes } of list) {
        if (isLost) continue
        segments++
        bytesOnDisk += bytes ?? 0
      }
    }
    const { pages, buffers } = this.#shelf
    return {
      segments,
      bytesOnDisk,
      bytesCached: pages.bytes + buffers.freeBytes,
      reads: this.#reads,
    }
  }

  /** Stops a sealing under way (it is done again at the next start) and closes all files. */
  async close(): Promise<void> {
    this.#closing.abort(new StorageError('closed', 'The storage engine was closed.'))
    await Promise.all([this.#sealing, this.#measuring])
    await this.#shelf.files.close()
  }

  async #read(
    segments: readonly Segment[],
    logId: number,
    from: number,
    before: number,
    bounds: ReadBounds,
  ): Promise<SegmentRead | undefined> {
    const { notBeforeMs = 0 } = bounds
    const start = await this.#find(segments, logId, from, before, notBeforeMs)
    if (start === undefined) return undefined
    const sweeps: Sweep[] = []
    const batches: Batch[] = []
    let entriesLeft = bounds.entriesMax
    let bytesLeft = bounds.bytesMax
    let next = from
    let index = start.index
    let log: LogPlace | undefined = start.log
    try {
      while (log !== undefined && entriesLeft > 0 && next < before) {
        const left = { ...bounds, entriesMax: entriesLeft, bytesMax: bytesLeft }
        const segment: Segment = segments[index]!
        const sweep: Sweep = await segment.sweep(logId, next, before, left, batches.length === 0)
        next = sweep.next
        if (sweep.buffer !== undefined) this.#reads++
        sweeps.push(sweep)
        batches.push(...sweep.batches)
        entriesLeft -= sweep.entries
        bytesLeft -= sweep.bytes
        if (next < Math.min(log.endOffset, before)) {
          if (sweep.entries === 0) break
          continue
        }
        const since = index + 1
        const found: Found | undefined = await this.#find(
          segments,
          logId,
          next,
          before,
          notBeforeMs,
          since,
        )
        if (found === undefined) break
        index = found.index
        log = found.log
      }
    } catch (error) {
      // What was read before the damage is served; the next read starts at it and says so.
      if (batches.length === 0) {
        this.#release(sweeps)
        throw error
      }
    }
    return { batches, next, release: () => this.#release(sweeps) }
  }

  #release(sweeps: readonly Sweep[]): void {
    for (const { buffer } of sweeps) if (buffer !== undefined) this.#shelf.buffers.giveBack(buffer)
  }

  /** The first segment from `since` on that holds an entry of the log at or after `from`, below `before`. */
  async #find(
    segments: readonly Segment[],
    logId: number,
    from: number,
    before: number,
    notBeforeMs: number,
    since = 0,
  ): Promise<Found | undefined> {
    let low = since
    let high = segments.length
    let found: Found | undefined
    while (low < high) {
      // A log may be in few of the segments: from the middle on, the first one that has it decides.
      const middle = (low + high) >>> 1
      let index = middle
      let log = await segments[index]!.log(logId)
      while (log === undefined && ++index < high) log = await segments[index]!.log(logId)
      if (log !== undefined && log.endOffset <= from) low = index + 1
      else {
        if (log !== undefined) found = { index, log }
        high = middle
      }
    }
    if (found !== undefined && found.log.firstOffset >= before) found = undefined
    const reached = found?.log.firstOffset ?? before
    if (from < reached) {
      const until = found?.index ?? segments.length - 1
      const between = segments.slice(Math.max(0, low - 1), until + 1)
      await this.#assertNothingHidden(between, logId, from, reached, notBeforeMs)
    }
    return found
  }

  /** Entries that should come next may be in a segment that can't show them; then the read fails. */
  async #assertNothingHidden(
    segments: readonly Segment[],
    logId: number,
    from: number,
    before: number,
    notBeforeMs: number,
  ): Promise<void> {
    for (const segment of segments) {
      const { newestMs = notBeforeMs } = segment
      if (newestMs < notBeforeMs || !(await segment.hides(logId))) continue
      throw this.#hidden(segment, `offsets ${from} to ${before - 1} of log ${logId}`, before)
    }
  }

  #hidden({ path, groupId, isLost }: Segment, what: string, goOnAt?: number): StorageError {
    const state = isLost ? 'missing' : 'damaged'
    const goOn = goOnAt === undefined ? '' : `, or read on from offset ${goOnAt}`
    const message = `The file ${path} is ${state}: ${what} in group ${groupId} may have been in it and can't be read. Restore it from a backup${goOn}.`
    this.#shelf.damage.note(path, message)
    return new StorageError('damaged', message)
  }

  /** What a segment gives, or undefined if it was let go meanwhile. */
  async #unlessGone<T>(segment: Segment, value: Promise<T>): Promise<T | undefined> {
    try {
      return await value
    } catch (error) {
      if (!isMissing(error) || this.#groups.get(segment.groupId)?.includes(segment)) throw error
      return undefined
    }
  }

  async #sealNow(input: SealInput): Promise<readonly SealedSegment[]> {
    const { signal } = this.#closing
    signal.throwIfAborted()
    this.#deleted = new Set()
    try {
      const made = await this.#seal(this.#options.directory, input, signal)
      const deleted = this.#deleted
      this.#deleted = undefined
      for (const { groupId, bytes, newestMs } of made) {
        if (deleted.has(groupId)) continue
        const listed = (this.#groups.get(groupId) ?? []).filter(
          ({ sequence, isLost }) => sequence !== input.sequence || !isLost,
        )
        if (listed.some(({ sequence }) => sequence === input.sequence)) continue
        const segment = new Segment(this.#shelf, groupId, input.sequence)
        segment.bytes = bytes
        segment.newestMs = newestMs
        this.#groups.set(
          groupId,
          [...listed, segment].sort((a, b) => a.sequence - b.sequence),
        )
      }
      this.#sealed.add(input.sequence)
      for (const groupId of deleted) await this.#folder.removeGroup(groupId)
      return made
    } finally {
      this.#deleted = undefined
    }
  }

  /** Looks up sizes that aren't known yet, one file after the other. */
  async #measure(): Promise<void> {
    for (const segments of [...this.#groups.values()]) {
      for (const segment of segments) {
        if (this.#closing.signal.aborted) return
        if (segment.bytes === undefined) await this.#unlessGone(segment, segment.facts())
      }
    }
  }
}

interface Found {
  readonly index: number
  readonly log: LogPlace
}
