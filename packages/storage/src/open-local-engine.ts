// Puts a local engine together: takes the folder, recovers what is there, and starts.
import { assert } from '@millrace/base/assert'
import type { Clock } from '@millrace/base/clock'
import type { Logger } from '@millrace/base/logger'
import type { Random } from '@millrace/base/random'
import type { Disk } from './disk.ts'
import { StorageError } from './engine.ts'
import { ACCEPTED_LOSSES, AcceptedLosses, readAcceptedLosses } from './local/accepted-losses.ts'
import { BackgroundSync } from './local/background-sync.ts'
import { BlockIndex } from './local/block-index.ts'
import { CONTROL_GROUP, decodeControl } from './local/checkpoint.ts'
import {
  type DataFolder,
  openDataFolder,
  unusableFolder,
  writeFormat,
} from './local/data-folder.ts'
import { DiskSpace } from './local/disk-space.ts'
import {
  DIRECTORY_ENTRY_BYTES,
  FRAME_COMMIT,
  isBlockWhole,
  readDirectoryEntry,
} from './local/frame.ts'
import { Freeing } from './local/freeing.ts'
import { GroupCommit } from './local/group-commit.ts'
import { GroupTable } from './local/group-table.ts'
import { beginFile, Journal, type JournalOptions } from './local/journal.ts'
import { isDiskFull, JournalFile, journalPath, readFully } from './local/journal-file.ts'
import { KnownDamage } from './local/known-damage.ts'
import { LogReader } from './local/log-reader.ts'
import { NextFile, type SpareFile } from './local/next-file.ts'
import { type FoundFile, type FoundJournal, recoverJournal } from './local/recovery.ts'
import { SealPace } from './local/seal-pace.ts'
import type { SealJournal } from './local/sealer.ts'
import { Sealing, type Segments } from './local/sealing.ts'
import { SegmentStore } from './local/segment-store.ts'
import { LocalEngine } from './local-engine.ts'
import { Tail } from './tail.ts'

export interface LocalEngineOptions {
  /** The data folder; made if it isn't there. */
  readonly directory: string
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** `sync`: acknowledged means it survives a power cut. `os`: it survives the process. */
  readonly durability: 'sync' | 'os'
  /** Bytes of recent commits kept in memory; 64 MiB. */
  readonly cacheBytesMax?: number
  /** Bytes of segments' pages kept in memory; 32 MiB. */
  readonly segmentCacheBytesMax?: number
  /** A journal file rolls at this size; 128 MiB. */
  readonly fileBytesMax?: number
  /** A journal file rolls at this many blocks; 65 536. */
  readonly blocksMax?: number
  /** A journal file that has entries rolls after this much service time; 1 hour. */
  readonly rollAgeMs?: number
  /** A frame grows beyond this only for a single append; 8 MiB. */
  readonly frameBytesMax?: number
  /** Zeros are written at most this far ahead; 32 MiB. */
  readonly aheadBytesMax?: number
  /** Bytes not yet on disk before appends are refused as `overloaded`; 64 MiB. */
  readonly unacknowledgedBytesMax?: number
  /** Allocated space kept for deletes on a full disk; 1 MiB. */
  readonly reserveBytes?: number
  /** Below this many free bytes appends are refused as `disk-full`; 64 MiB. */
  readonly lowWaterBytes?: number
  /** Sealed files kept to be used again; 1. */
  readonly sparesMax?: number
  /**
   * Rolled files waiting to be sealed before a roll waits for the sealer; 24. At twice as many (sealing
   * fails) appends are refused as `overloaded`.
   */
  readonly filesUnsealedMax?: number
  /**
   * Seals a rolled journal file; in this thread, piece by piece and without rest, unless `sealInWorker`
   * (real disks only) is given: on two cores that costs more than it spares (docs/performance-notes.md).
   */
  readonly seal?: SealJournal
}

const MIB = 1024 * 1024

export async function openLocalEngine(options: LocalEngineOptions): Promise<LocalEngine> {
  const folder = await openDataFolder(options.disk, options.directory)
  try {
    return await new Opening(options, folder).run()
  } catch (error) {
    await folder.release()
    throw error instanceof StorageError ? error : unusableFolder(options.directory, error)
  }
}

/** The steps of one opening, in order. */
class Opening {
  readonly #options: LocalEngineOptions
  readonly #folder: DataFolder
  readonly #engine = new LocalEngine()
  readonly #groups: GroupTable
  readonly #damage: KnownDamage
  #accepted = new AcceptedLosses([])
  readonly #fileBytesMax: number
  readonly #isSynced: boolean

  constructor(options: LocalEngineOptions, folder: DataFolder) {
    this.#options = options
    this.#folder = folder
    this.#groups = new GroupTable(this.#engine)
    this.#damage = new KnownDamage(options.logger)
    this.#fileBytesMax = options.fileBytesMax ?? 128 * MIB
    this.#isSynced = options.durability === 'sync'
  }

  async run(): Promise<LocalEngine> {
    const { disk, clock, logger, durability, directory } = this.#options
    const folder = this.#folder
    const startedMs = clock.monotonicMs()
    if (folder.durability === undefined) {
      await writeFormat(disk, directory, durability, clock.wallMs())
    }
    const found = await recoverJournal({
      disk,
      directory: folder.journal,
      orphans: folder.orphans,
      logger,
      durability: folder.durability ?? durability,
    })
    if (found.newest === undefined) await this.#assertNew()
    else await this.#restore(found.newest, found.skippedOffsets)
    if (folder.durability !== undefined && folder.durability !== durability) {
      await writeFormat(disk, directory, durability, clock.wallMs())
    }
    this.#accepted = await readAcceptedLosses(disk, directory)
    if (this.#accepted.count > 0) {
      logger.warn('losses are accepted', { losses: this.#accepted.count, file: ACCEPTED_LOSSES })
    }
    const segments = await this.#openSegments(found)
    try {
      await this.#start(found, segments)
    } catch (error) {
      await segments.close()
      throw error
    }
    logger.info('the data folder is open', {
      directory,
      groups: this.#groups.groupIds().length,
      ms: Math.round(clock.monotonicMs() - startedMs),
    })
    return this.#engine
  }

  /** Segments without a journal are no fresh start: the journal knows which groups there are. */
  async #assertNew(): Promise<void> {
    const { directory, disk } = this.#options
    if ((await disk.list(this.#folder.segments)).length === 0) return
    throw new StorageError(
      'damaged',
      `The data folder ${directory} has segments but its journal is missing. Restore the data folder from a copy, or move it away to start empty.`,
    )
  }

  /** Folds the newest checkpoint and the frames after it. */
  async #restore(newest: FoundFile, skippedOffsets: number): Promise<void> {
    const groups = this.#groups
    groups.restore(newest.checkpoint)
    const file = await this.#options.disk.open(newest.path, { mode: 'read' })
    try {
      for (const { header, directory } of newest.frames) {
        if (header.kind !== FRAME_COMMIT) continue
        for (let i = 0; i < header.blockCount; i++) {
          const entry = readDirectoryEntry(directory, i * DIRECTORY_ENTRY_BYTES)
          const log = groups.log(entry.groupId, entry.logId)
          if (log === undefined || entry.firstOffset < log.next) {
            throw new StorageError(
              'damaged',
              `${newest.path} does not fit together: a block at ${header.position + entry.at} can't belong to log ${entry.logId} of group ${entry.groupId}.`,
            )
          }
          log.restoreEnd(entry.firstOffset + entry.count, entry.timeMs)
          if (entry.groupId !== CONTROL_GROUP) continue
          const block = Buffer.alloc(entry.bytes)
          await readFully(file, block, 0, entry.bytes, header.position + entry.at)
          // After a clean stop nobody has looked at it yet.
          const { bytes, crc, groupId, logId, firstOffset, count } = entry
          if (!isBlockWhole(block, 0, bytes, crc, groupId, logId, firstOffset, count)) {
            throw new StorageError(
              'damaged',
              `The journal ${newest.path} is damaged at byte ${header.position + entry.at}: the engine's own records there can't be read. Nothing was changed. Restore the data folder from a copy, or move it away to start empty.`,
            )
          }
          let start = 32 + entry.count * 4
          for (let k = 0; k < entry.count; k++) {
            const end = start + block.readUInt32LE(32 + k * 4)
            groups.apply(decodeControl(block, start, end))
            start = end
          }
        }
      }
    } finally {
      await file.close()
    }
    if (skippedOffsets > 0) this.#skip(skippedOffsets)
  }

  /** So that no offset of a lost entry is handed out again. */
  #skip(offsets: number): void {
    const { control } = this.#groups
    control.restoreEnd(control.next + offsets, control.lastTimeMs)
    for (const group of this.#groups.groups()) {
      group.eachLog((log) => log.restoreEnd(log.next + offsets, log.lastTimeMs))
    }
  }

  async #openSegments(found: FoundJournal): Promise<Segments> {
    const { disk, logger, segmentCacheBytesMax, seal } = this.#options
    const groups = this.#groups
    const inJournal = new Set(found.rolled.map(({ sequence }) => sequence))
    // After losses with durability `os`, and in a folder of a version that didn't write down what there
    // has to be, whatever is there is taken.
    const isKnown = groups.sealedThrough !== undefined && found.skippedOffsets === 0
    if (isKnown) this.#missJournalFiles(found)
    const store = await SegmentStore.open({
      disk,
      directory: this.#folder.segments,
      orphans: this.#folder.orphans,
      logger,
      cacheBytesMax: segmentCacheBytesMax ?? 32 * MIB,
      isLive: (groupId) => this.#groups.group(groupId) !== undefined,
      wasDeleted: (groupId) => this.#groups.isUsed(groupId),
      expected: (groupId) => (isKnown ? groups.group(groupId)?.segments : undefined),
      liveGroups: () => groups.groupIds(),
      isInJournal: (sequence) => inJournal.has(sequence),
      damage: this.#damage,
      ...(seal === undefined ? {} : { seal }),
    })
    if (!isKnown) {
      groups.sealedThrough = oldestSequence(found) - 1
      for (const group of groups.groups()) group.segments = await store.known(group.id)
    }
    return store
  }

  /** Journal files that were neither sealed nor are there: any group may have lost entries in them. */
  #missJournalFiles(found: FoundJournal): void {
    const groups = this.#groups
    const oldest = oldestSequence(found)
    for (let sequence = (groups.sealedThrough ?? 0) + 1; sequence < oldest; sequence++) {
      this.#options.logger.error('a journal file is missing', {
        file: journalPath(this.#folder.journal, sequence),
      })
      for (const group of groups.groups()) {
        let newestMs = 0
        group.eachLog((log) => {
          newestMs = Math.max(newestMs, log.lastTimeMs)
        })
        group.keepSegment({ sequence, bytes: 0, newestMs })
      }
      groups.sealedThrough = sequence
    }
  }

  async #start(found: FoundJournal, segments: Segments): Promise<void> {
    const { disk, clock, logger, random, directory } = this.#options
    const engine = this.#engine
    const groups = this.#groups
    const reserveBytes = (): number =>
      (this.#options.reserveBytes ?? MIB) + 2 * groups.checkpointBytes()
    const next = new NextFile({
      disk,
      directory: this.#folder.journal,
      random,
      logger,
      isSynced: this.#isSynced,
      fileBytesMax: this.#fileBytesMax,
      sparesMax: this.#options.sparesMax ?? 1,
      reserveBytes,
      spares: await this.#measured(found.spares),
      isFull: () => space.isFull,
    })
    const backgroundSync = this.#isSynced
      ? undefined
      : new BackgroundSync((error) => engine.onFailure(error))
    const space: DiskSpace = new DiskSpace({
      disk,
      directory,
      logger,
      lowWaterBytes: this.#options.lowWaterBytes ?? 64 * MIB,
      release: (freeBytes) => engine.release(freeBytes, reserveBytes()),
      regain: async () => {
        await journal.tryPrepareNext()
        sealing.kick()
      },
    })
    const journalOptions: JournalOptions = {
      disk,
      directory: this.#folder.journal,
      logger,
      isSynced: this.#isSynced,
      fileBytesMax: this.#fileBytesMax,
      blocksMax: this.#options.blocksMax ?? 65_536,
      aheadBytesMax: this.#options.aheadBytesMax ?? 32 * MIB,
      next,
      backgroundSync,
      checkpoint: (file) => groups.encode(file),
      isFull: () => space.isFull,
      onZeroError: (error) => {
        if (isDiskFull(error)) space.noteFull(error)
        else engine.onFailure(error)
      },
      onPrepareError: (error) => {
        if (isDiskFull(error)) space.noteFull(error)
        else logger.warn('the next journal file could not be made ready yet', { error })
      },
      onRolled: () => engine.onRolled(),
    }
    const files = await this.#openFiles(found, next, journalOptions)
    const journal: Journal = new Journal(journalOptions, files.current, files.rolled)
    const flush = async (): Promise<void> => {
      await backgroundSync?.flush()
    }
    const freeing = new Freeing({
      clock,
      logger,
      groups,
      segments,
      record: (record) => engine.recordFreed(record),
      onFreed: () => engine.onFreed(),
    })
    const pace = new SealPace()
    const sealing: Sealing = new Sealing({
      journal,
      groups,
      sealer: segments,
      logger,
      flush,
      pace,
      damage: this.#damage,
      record: (record) => engine.recordFreed(record),
      freeBytes: () => disk.freeBytes(directory),
      onSealed: () => {
        freeing.sealed()
        engine.onFreed()
      },
    })
    const cacheBytesMax = this.#options.cacheBytesMax ?? 64 * MIB
    const tail = new Tail({
      bytesMax: cacheBytesMax,
      chunkBytes: Math.max(64 * 1024, Math.min(8 * MIB, Math.floor(cacheBytesMax / 8))),
    })
    const filesUnsealedMax = this.#options.filesUnsealedMax ?? 24
    const unacknowledgedBytesMax = this.#options.unacknowledgedBytesMax ?? 64 * MIB
    const commit = new GroupCommit({
      clock,
      logger,
      journal,
      tail,
      space,
      owner: engine,
      unacknowledgedBytesMax,
      frameBytesMax: this.#options.frameBytesMax ?? 8 * MIB,
      refusal: () => engine.appendRefusal(),
      backlogRefusal: () => engine.backlogRefusal(),
      beforeRoll: () => sealing.below(filesUnsealedMax),
      onControl: (record) => engine.onControl(record),
      onCommitted: (bytes) => {
        pace.committed()
        engine.onCommitted(bytes)
      },
      onFailure: (error) => engine.onFailure(error),
    })
    const reader = new LogReader({
      journal,
      tail,
      sealed: segments,
      damage: this.#damage,
      accepted: this.#accepted,
    })
    engine.start({
      clock,
      logger,
      directory,
      groups,
      journal,
      commit,
      reader,
      tail,
      space,
      sealing,
      segments,
      freeing,
      damage: this.#damage,
      rollAgeMs: this.#options.rollAgeMs ?? 3_600_000,
      unacknowledgedBytesMax,
      filesUnsealedMax,
      release: this.#folder.release,
    })
    if (found.skippedOffsets > 0) {
      // The skip has to be durable before a number behind it is handed out.
      await journal.roll()
      await flush()
    }
  }

  async #measured(paths: readonly string[]): Promise<SpareFile[]> {
    const spares: SpareFile[] = []
    for (const path of paths) {
      const file = await this.#options.disk.open(path, { mode: 'read' })
      try {
        spares.push({ path, sizeBytes: await file.size() })
      } finally {
        await file.close()
      }
    }
    return spares
  }

  /** The journal's files with their blocks listed, and the one that takes frames now. */
  async #openFiles(
    found: FoundJournal,
    next: NextFile,
    options: JournalOptions,
  ): Promise<{ current: JournalFile; rolled: JournalFile[] }> {
    if (found.newest === undefined) {
      const prepared = await next.take(1)
      const current = new JournalFile(prepared, new BlockIndex(0))
      await beginFile(current, prepared, undefined, options)
      if (!this.#isSynced) await current.plain.sync()
      return { current, rolled: [] }
    }
    const files: JournalFile[] = []
    for (const file of [...found.rolled, found.newest]) {
      files.push(
        await this.#openFile(file, files.at(-1)?.index.endBlock ?? 0, file === found.newest),
      )
    }
    const current = files.pop()
    assert(current !== undefined, 'there is a newest file')
    return { current, rolled: files }
  }

  async #openFile(found: FoundFile, firstBlock: number, isCurrent: boolean): Promise<JournalFile> {
    const { disk } = this.#options
    const index = new BlockIndex(firstBlock)
    const { sequence, path, generation, sizeBytes, checkpoint } = found
    const mode = isCurrent ? 'write' : 'read'
    const plain = await disk.open(path, { mode })
    const writer = isCurrent ? await disk.open(path, { mode, isSynced: this.#isSynced }) : undefined
    const { isReused } = checkpoint
    const file = new JournalFile(
      { sequence, path, generation, isReused, sizeBytes, writer, plain },
      index,
    )
    const last = found.frames.at(-1)
    file.written(last?.header.position ?? 0, found.usedBytes, found.chain)
    file.isEnded = !isCurrent
    for (const { header, directory } of found.frames) {
      if (header.kind !== FRAME_COMMIT) continue
      const first = index.add(directory, 0, header.blockCount, header.position, 0, 0)
      for (let block = first; block < index.endBlock; block++) this.#list(block, index)
    }
    return file
  }

  /** Lists a block with its log, if anything of it may still be read. */
  #list(block: number, index: BlockIndex): void {
    const groupId = index.groupId(block)
    if (groupId === CONTROL_GROUP) return
    const log = this.#groups.log(groupId, index.logId(block))
    if (log === undefined || index.endOffset(block) <= log.firstKept) return
    log.blocks.push(block)
  }
}

/** Of the journal files there are; 1 in a new folder. */
function oldestSequence({ rolled, newest }: FoundJournal): number {
  return (rolled[0] ?? newest)?.sequence ?? 1
}
