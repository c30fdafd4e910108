// The local engine: one journal that all groups commit into, segments made from it in the background.
// This file is the facade; it owns the state that parts share (groups, failure, closing) and wires
// them: local/group-commit.ts appends, local/journal.ts holds files, local/log-reader.ts reads,
// local/recovery.ts starts, local/sealing.ts clears away. docs/log-format.md has the bytes and what
// each fault leads to.
import { assert } from '@millrace/base/assert'
import type { Clock } from '@millrace/base/clock'
import type { Logger } from '@millrace/base/logger'
import {
  type AppendOptions,
  type AppendResult,
  type Block,
  blockOf,
  type Engine,
  type EngineMetrics,
  type EngineStatus,
  type Group,
  StorageError,
} from './engine.ts'
import { type ControlRecord, encodeControl, rangesOf } from './local/checkpoint.ts'
import type { DiskSpace } from './local/disk-space.ts'
import type { Freeing } from './local/freeing.ts'
import type { GroupCommit } from './local/group-commit.ts'
import type { GroupTable } from './local/group-table.ts'
import type { Journal } from './local/journal.ts'
import type { KnownDamage } from './local/known-damage.ts'
import { liveIn, segmentBytesOf } from './local/live-blocks.ts'
import {
  assertLogIds,
  type GroupOwner,
  groupMissing,
  type LocalGroup,
} from './local/local-group.ts'
import type { LogReads } from './local/local-log.ts'
import type { LogReader } from './local/log-reader.ts'
import type { Sealing, Segments } from './local/sealing.ts'
import type { Tail } from './tail.ts'

/** What `openLocalEngine` puts together. */
export interface LocalEngineParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly directory: string
  readonly groups: GroupTable
  readonly journal: Journal
  readonly commit: GroupCommit
  readonly reader: LogReader
  readonly tail: Tail
  readonly space: DiskSpace
  readonly sealing: Sealing
  readonly segments: Segments
  readonly freeing: Freeing
  readonly damage: KnownDamage
  readonly rollAgeMs: number
  readonly unacknowledgedBytesMax: number
  readonly filesUnsealedMax: number
  readonly release: () => Promise<void>
}

const UINT32_MAX = 0xffff_ffff

export class LocalEngine implements Engine, GroupOwner {
  readonly kind = 'local'
  /** Set once, by `start`; nothing is asked of the engine before. */
  #parts: LocalEngineParts | undefined
  #closed: StorageError | undefined
  #failure: StorageError | undefined
  #closing: Promise<void> | undefined
  readonly #creating = new Set<number>()
  #cancelRoll: (() => void) | undefined
  #cancelSlim: (() => void) | undefined

  get groupIdMax(): number {
    return this.#on.groups.groupIdMax
  }

  get reads(): LogReads {
    return this.#on.reader
  }

  get isPressed(): boolean {
    const { commit, unacknowledgedBytesMax } = this.#on
    return commit.unacknowledgedBytes > unacknowledgedBytesMax / 2
  }

  /** Takes up its parts; from here on it serves. */
  start(parts: LocalEngineParts): void {
    assert(this.#parts === undefined, 'an engine is started once')
    this.#parts = parts
    parts.journal.prepareNext()
    parts.space.check()
    if (parts.journal.rolled.length > 0) parts.sealing.kick()
    this.#rollByAge()
    this.#slimWhenIdle()
  }

  refusal(): StorageError | undefined {
    return this.#closed
  }

  /** Why nothing can be appended any more. */
  appendRefusal(): StorageError | undefined {
    return this.#closed ?? this.#failure
  }

  /** Why only what frees space can be appended until sealing has caught up. */
  backlogRefusal(): StorageError | undefined {
    const { journal, filesUnsealedMax } = this.#on
    if (journal.rolled.length < 2 * filesUnsealedMax) return undefined
    return new StorageError(
      'overloaded',
      `${journal.rolled.length} journal files wait to be sealed. Try again when the disk has caught up; the log says if sealing fails.`,
    )
  }

  groupIds(): number[] {
    return this.#on.groups.groupIds()
  }

  async createGroup(groupId: number, logIds: Iterable<number>): Promise<Group> {
    this.#assertOpen()
    assert(
      Number.isInteger(groupId) && groupId > 0 && groupId <= UINT32_MAX,
      'a group is named by a number from 1 to 2^32 − 1',
    )
    const ids = [...logIds]
    assertLogIds(ids)
    if (this.#creating.has(groupId) || this.#on.groups.isUsed(groupId)) {
      throw new StorageError(
        'group-exists',
        `Group ${groupId} can't be made: its number was used before. Take a new one.`,
      )
    }
    this.#creating.add(groupId)
    try {
      await this.#record({ kind: 'group-created', group: groupId, logs: rangesOf(ids) }, false)
    } finally {
      this.#creating.delete(groupId)
    }
    return this.openGroup(groupId)
  }

  openGroup(groupId: number): Group {
    this.#assertOpen()
    const group = this.#on.groups.group(groupId)
    if (group === undefined || group.isLeaving) throw groupMissing(groupId)
    return group
  }

  async addLogs(group: LocalGroup, logIds: readonly number[]): Promise<void> {
    await this.#record({ kind: 'logs-added', group: group.id, logs: rangesOf(logIds) }, false)
  }

  async deleteGroup(groupId: number): Promise<void> {
    this.#assertOpen()
    const group = this.#on.groups.group(groupId)
    if (group === undefined || group.isLeaving) throw groupMissing(groupId)
    group.isLeaving = true
    const record: ControlRecord = { kind: 'group-deleted', group: groupId }
    try {
      await this.#recordOnFullDisk(record)
    } catch (error) {
      group.isLeaving = false
      throw error
    }
    await this.#on.segments.deleteGroup(groupId)
    this.#letGo()
  }

  append(blocks: readonly Block[], options?: AppendOptions): Promise<readonly AppendResult[]> {
    return this.#on.commit.append(blocks, options?.isUrgent ?? false)
  }

  trimmed(group: LocalGroup): void {
    this.#on.freeing.trimmed(group)
    this.#on.space.freed()
  }

  /** Writes down what makes space free; works on a full disk. */
  async recordFreed(record: ControlRecord): Promise<void> {
    await this.#recordOnFullDisk(record)
  }

  /** The journal has given a sealed file back, or files of segments were removed. */
  onFreed(): void {
    this.#on.space.freed()
  }

  /**
   * Gives back what is held for frames to come, and the current file too if that gains more than the
   * next one's reserve: it is rolled when nothing is left in it, or when there is room to seal the rest.
   */
  async release(freeBytes: number, reserveBytes: number): Promise<void> {
    const { journal, groups, commit, sealing } = this.#on
    await journal.slim()
    const { current } = journal
    if (journal.isNextReady && current.usedBytes > reserveBytes) {
      const live = liveIn(current, groups)
      const keptBytes = live.groups.size === 0 ? 0 : segmentBytesOf(live)
      const isGain = current.usedBytes - keptBytes > reserveBytes
      if (isGain && keptBytes + reserveBytes <= freeBytes) await commit.roll()
      else if (isGain && keptBytes === 0) await commit.roll()
    }
    sealing.kick()
  }

  status(): EngineStatus {
    if (this.#closed !== undefined) return { state: 'closed', reason: this.#closed.message }
    const { space } = this.#on
    const refusal =
      this.#failure ?? (space.isFull ? space.refusal() : undefined) ?? this.backlogRefusal()
    if (refusal !== undefined) return { state: 'readonly', reason: refusal.message }
    return { state: 'ready' }
  }

  metrics(): EngineMetrics {
    const { clock, commit, groups, journal, tail, reader, segments, damage } = this.#on
    const sealed = segments.metrics()
    let retentionLagMs = 0
    for (const { id, trimMs } of groups.groups()) {
      if (trimMs > 0) retentionLagMs = Math.max(retentionLagMs, segments.lagMs(id, trimMs))
    }
    const unsealed = journal.rolled[0]?.index
    const isWaiting = unsealed !== undefined && unsealed.count > 0
    const rolledMs = isWaiting ? unsealed.timeMs(unsealed.endBlock - 1) : clock.now()
    return {
      commits: commit.commits,
      bytesCommitted: commit.bytesCommitted,
      commitMs: commit.commitMs(),
      bytesOnDisk: journal.bytesOnDisk + sealed.bytesOnDisk,
      bytesUnacknowledged: commit.unacknowledgedBytes,
      bytesCached: tail.bytesCached + sealed.bytesCached,
      filesUnsealed: journal.rolled.length,
      segments: sealed.segments,
      readsFromDisk: reader.readsFromDisk + sealed.reads,
      oldestUnsealedMs: Math.max(0, clock.now() - rolledMs),
      retentionLagMs,
      damagedBlocks: damage.count,
    }
  }

  /** Rolls the journal now; for tests and for who wants everything sealed. */
  async roll(): Promise<void> {
    this.#assertOpen()
    await this.#on.commit.roll()
  }

  /** Resolves when all rolled files are sealed, or can't be for now. */
  async sealed(): Promise<void> {
    await this.#on.sealing.idle()
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  /** A control record is in the journal: called in the order of the journal. */
  onControl(record: ControlRecord): void {
    this.#on.groups.apply(record)
  }

  onCommitted(bytes: number): void {
    this.#on.space.committed(bytes)
    if (this.#cancelRoll === undefined) this.#rollByAge()
  }

  onRolled(): void {
    this.#cancelRoll?.()
    this.#cancelRoll = undefined
    this.#slimWhenIdle()
    this.#on.sealing.kick()
  }

  /** Work beside the commits failed: without room it is tried again, otherwise writing ends. */
  onFailure(error: unknown): void {
    const { logger, commit, journal, directory } = this.#on
    journal.stop()
    if (this.#failure === undefined) {
      const { message } = error as Error
      this.#failure = new StorageError(
        'readonly',
        `The journal in ${directory} can't be written any more (${message}). What was acknowledged can still be read. Check the disk, then start again.`,
        { cause: error },
      )
      logger.error('the journal takes no more appends', { directory, error })
    }
    commit.failAll(this.#failure)
  }

  get #on(): LocalEngineParts {
    assert(this.#parts !== undefined, 'the engine has started')
    return this.#parts
  }

  #assertOpen(): void {
    if (this.#closed !== undefined) throw this.#closed
  }

  /** Appends a control record; it has been applied when this resolves. */
  async #record(record: ControlRecord, isUrgent: boolean): Promise<void> {
    const { commit, groups } = this.#on
    const [result] = await commit.append(
      [blockOf(groups.control, [encodeControl(record)])],
      isUrgent,
    )
    if (result?.kind === 'failed') throw result.error
  }

  /** As `#record`, for what frees space: tried once more where the reserve lies. */
  async #recordOnFullDisk(record: ControlRecord): Promise<void> {
    try {
      await this.#record(record, true)
    } catch (error) {
      if (!(error instanceof StorageError) || error.code !== 'disk-full') throw error
      await this.#record(record, true)
    }
  }

  /** Rolls a file that has entries when it has come of age, so that retention can take effect. */
  #rollByAge(): void {
    const { clock, journal, commit, rollAgeMs } = this.#on
    if (!journal.current.index.hasEntries) return
    this.#cancelRoll = clock.at(clock.now() + rollAgeMs, async () => {
      this.#cancelRoll = undefined
      if ((this.appendRefusal() ?? this.backlogRefusal()) === undefined) await commit.roll()
    })
  }

  /** A group was deleted: rolled files may need no sealing any more. */
  #letGo(): void {
    const { space, sealing, journal } = this.#on
    if (journal.rolled.length > 0) sealing.kick()
    space.freed()
    space.check()
  }

  /** What is held for a busy journal is given back when nothing has rolled for as long as a file lasts. */
  #slimWhenIdle(): void {
    const { clock, journal, rollAgeMs, logger } = this.#on
    this.#cancelSlim?.()
    this.#cancelSlim = clock.at(clock.now() + rollAgeMs, async () => {
      this.#cancelSlim = undefined
      if (this.appendRefusal() !== undefined) return
      try {
        await journal.slim()
      } catch (error) {
        logger.warn('space held for the journal could not be given back', { error })
      }
    })
  }

  async #close(): Promise<void> {
    const { groups, commit, sealing, freeing, space, journal, segments, tail, release } = this.#on
    this.#cancelRoll?.()
    this.#cancelSlim?.()
    const isClean = (): boolean => this.#failure === undefined
    const trims = isClean() ? groups.takeTrims() : undefined
    const saved = trims === undefined ? undefined : this.#record(trims, true)
    saved?.catch((error: unknown) => this.#closeWarning(error))
    this.#closed = new StorageError(
      'closed',
      'The storage engine was closed and takes no more calls.',
    )
    sealing.stop()
    const freed = freeing.stop()
    await commit.idle()
    await space.stop()
    await segments.close()
    await sealing.idle()
    await freed
    try {
      await journal.close(isClean())
    } catch (error) {
      this.#closeWarning(error)
    } finally {
      tail.clear()
      await release()
    }
  }

  #closeWarning(error: unknown): void {
    this.#on.logger.warn('the journal could not be closed cleanly; the next start checks it', {
      error,
    })
  }
}
