// Hands rolled journal files to the sealer, one after the other, oldest first. While a file is being
// sealed it is read as before; when its segments are durable the logs forget its blocks in one step
// and the file is used again. What fails is tried again after the next roll: until then nothing is
// lost, the file just stays. So it is while the disk has no room for a file's segments. A file in
// which nothing may be read any more goes as it is. A damaged file costs the blocks that are damaged:
// the rest is sealed, and the file is set aside for who wants to try to save more.
import { assert } from '@millrace/base/assert'
import type { Logger } from '@millrace/base/logger'
import { StorageError } from '../engine.ts'
import type { ControlRecord } from './checkpoint.ts'
import type { GroupTable } from './group-table.ts'
import type { Journal } from './journal.ts'
import { DAMAGED_SUFFIX, type JournalFile } from './journal-file.ts'
import type { KnownDamage } from './known-damage.ts'
import { type Live, liveIn, segmentBytesOf } from './live-blocks.ts'
import type { SealedReads } from './log-reader.ts'
import type { SealPace } from './seal-pace.ts'
import type { KnownBlocks, SealedSegment } from './sealer.ts'

/** What the engine asks of the store of sealed files. */
export interface Segments extends SealedReads {
  /** Resolves when every group in the file has a durable, readable segment; may be repeated. */
  seal(input: {
    sequence: number
    path: string
    usedBytes: number
    skipGroups: number[]
    known?: KnownBlocks
    pace: SharedArrayBuffer
  }): Promise<readonly SealedSegment[]>
  /**
   * Removes files in which everything is older, once `record` has written down that those before a
   * sequence are let go; gives the bytes freed.
   */
  trim(
    groupId: number,
    beforeMs: number,
    record: (beforeSequence: number) => Promise<void>,
  ): Promise<number>
  deleteGroup(groupId: number): Promise<void>
  /** How long ago, before `trimMs`, the newest entry of the oldest file was; 0 when it is later. */
  lagMs(groupId: number, trimMs: number): number
  metrics(): { segments: number; bytesOnDisk: number; bytesCached: number; reads: number }
  close(): Promise<void>
}

export interface SealingOptions {
  readonly journal: Journal
  readonly groups: GroupTable
  readonly sealer: Segments
  readonly logger: Logger
  /** Resolves when all frames written so far are durable. */
  readonly flush: () => Promise<void>
  readonly pace: SealPace
  readonly damage: KnownDamage
  /** Resolves when the record is durable and applied. */
  readonly record: (record: ControlRecord) => Promise<void>
  /** Bytes free on the disk. */
  readonly freeBytes: () => Promise<number>
  /** Told after each file. */
  readonly onSealed: () => void
}

export class Sealing {
  readonly #options: SealingOptions
  #running: Promise<void> | undefined
  #isStopped = false
  /** A record that the journal can only take after the roll that waits. */
  #isRecording = false
  /** Settled and made anew after each file, and when sealing ends. */
  #progress = Promise.withResolvers<void>()

  constructor(options: SealingOptions) {
    this.#options = options
  }

  /** Seals whatever is rolled, in the background. */
  kick(): void {
    this.#options.pace.filesWaiting(this.#options.journal.rolled.length)
    if (this.#running !== undefined || this.#isStopped) return
    this.#running = this.#run().finally(() => {
      this.#running = undefined
      this.#progressed()
    })
  }

  /** Waits as long as this many files or more are rolled and sealing goes on. */
  async below(filesMax: number): Promise<void> {
    const { journal } = this.#options
    while (journal.rolled.length >= filesMax && this.#running !== undefined && !this.#isRecording) {
      await this.#progress.promise
    }
  }

  /** Resolves when nothing is being sealed. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  /** Begins no other file. The one under way ends when the segments are closed. */
  stop(): void {
    this.#isStopped = true
  }

  #progressed(): void {
    this.#progress.resolve()
    this.#progress = Promise.withResolvers()
  }

  async #run(): Promise<void> {
    const { journal, logger } = this.#options
    for (let file = journal.rolled[0]; file !== undefined; file = journal.rolled[0]) {
      if (this.#isStopped) return
      try {
        if (!(await this.#seal(file))) return
      } catch (error) {
        if (!this.#isStopped)
          logger.error('a journal file could not be sealed; it stays readable as it is', {
            file: file.path,
            error,
          })
        return
      }
    }
  }

  /** False when the disk has no room for the file's segments. */
  async #seal(file: JournalFile): Promise<boolean> {
    const { journal, groups, pace, flush, onSealed } = this.#options
    await flush()
    await file.closeWriter()
    const live = liveIn(file, groups)
    if (live.groups.size > 0 && !(await this.#hasRoom(file, live))) return false
    const { made, isWhole } =
      live.groups.size > 0 ? await this.#makeSegments(file, live) : { made: [], isWhole: true }
    await this.#recordSealed(file, made)
    forget(file, groups)
    if (isWhole) await journal.drop(file)
    else await journal.setAside(file)
    pace.filesWaiting(journal.rolled.length)
    this.#progressed()
    onSealed()
    return true
  }

  async #hasRoom(file: JournalFile, live: Live): Promise<boolean> {
    const neededBytes = segmentBytesOf(live)
    const freeBytes = await this.#options.freeBytes()
    if (freeBytes >= neededBytes) return true
    this.#options.logger.warn('a journal file waits to be sealed until the disk has room', {
      file: file.path,
      neededBytes,
      freeBytes,
    })
    return false
  }

  /** Writes down which segments there have to be, before the file that they were made of goes. */
  async #recordSealed({ sequence }: JournalFile, made: readonly SealedSegment[]): Promise<void> {
    const { groups, record } = this.#options
    const segments = made
      .filter(({ groupId }) => groups.group(groupId) !== undefined)
      .map(({ groupId, bytes, newestMs }) => [groupId, bytes, newestMs] as const)
    this.#isRecording = true
    this.#progressed()
    try {
      await record({ kind: 'sealed', sequence, segments })
    } finally {
      this.#isRecording = false
    }
  }

  /** Also gives whether the file was whole. */
  async #makeSegments(
    file: JournalFile,
    live: Live,
  ): Promise<{ made: readonly SealedSegment[]; isWhole: boolean }> {
    const { groups, sealer, pace, damage, logger } = this.#options
    const { sequence, path, usedBytes, generation, index } = file
    const skipGroups = [...groupsIn(file)].filter((id) => !live.groups.has(id))
    const input = { sequence, path, usedBytes, skipGroups, pace: pace.shared }
    let isWhole = true
    let made: readonly SealedSegment[]
    try {
      made = await sealer.seal(input)
    } catch (error) {
      if (!(error instanceof StorageError) || error.code !== 'damaged') throw error
      // Its frames don't chain any more, but where its blocks are is known from when it was written.
      logger.error('a journal file is damaged between its blocks', { what: error.message })
      isWhole = false
      made = await sealer.seal({ ...input, known: { generation, entries: index.entries() } })
    }
    for (const { groupId, logId, firstOffset, entryCount, position } of made.flatMap(
      ({ damaged }) => damaged,
    )) {
      isWhole = false
      const what = `offsets ${firstOffset} to ${firstOffset + entryCount - 1} of log ${logId} in group ${groupId} can't be read`
      const message = `The file ${path} is damaged at byte ${position}: ${what}. The file is kept as ${path}${DAMAGED_SUFFIX}.`
      damage.block(groupId, logId, firstOffset, message)
    }
    for (const id of live.groups) if (groups.group(id) === undefined) await sealer.deleteGroup(id)
    return { made, isWhole }
  }
}

function groupsIn({ index }: JournalFile): Set<number> {
  const ids = new Set<number>([0])
  for (let block = index.firstBlock; block < index.endBlock; block++) ids.add(index.groupId(block))
  return ids
}

/** Takes the file's blocks off the lists of their logs. */
function forget({ index }: JournalFile, groups: GroupTable): void {
  for (const group of groups.groups()) {
    group.eachLog((log) => {
      const { blocks } = log
      if (blocks.length === 0 || blocks[0]! >= index.endBlock) return
      let kept = 0
      while (kept < blocks.length && blocks[kept]! < index.endBlock) kept++
      assert(blocks[0]! >= index.firstBlock, 'files are sealed oldest first')
      log.blocks = blocks.slice(kept)
    })
  }
}
