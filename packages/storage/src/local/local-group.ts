// A group of the local engine: its logs and the time before which all of them are let go.
import { assert } from '@millrace/base/assert'
import type { Group, Log } from '../engine.ts'
import { StorageError } from '../engine.ts'
import type { CheckpointGroup, CheckpointLog, KnownSegment } from './checkpoint.ts'
import { LocalLog, type LogReads } from './local-log.ts'

/** What groups and logs ask of the engine they belong to; the same object for all of one engine. */
export interface GroupOwner {
  readonly reads: LogReads
  /** Why nothing can be asked of the engine any more. */
  refusal(): StorageError | undefined
  addLogs(group: LocalGroup, logIds: readonly number[]): Promise<void>
  /** Told after a trim, so that files can go. */
  trimmed(group: LocalGroup): void
}

const UINT32_MAX = 0xffff_ffff

export class LocalGroup implements Group, CheckpointGroup {
  readonly id: number
  readonly owner: GroupOwner
  /** Entries older than this are gone, ms. */
  trimMs = 0
  isTrimDirty = false
  /** Some log was trimmed by offset, so that files may go earlier than their age says. */
  isTrimmedByOffset = false
  /** A delete has been asked for: no more appends, and soon no more group. */
  isLeaving = false
  /** The delete is in the journal. */
  isGone = false
  /** What has to be there of it in segments, by rising sequence. */
  segments: KnownSegment[] = []
  readonly #logs = new Map<number, LocalLog>()

  constructor(id: number, owner: GroupOwner) {
    this.id = id
    this.owner = owner
  }

  get logCount(): number {
    return this.#logs.size
  }

  refusal(): StorageError | undefined {
    return this.owner.refusal() ?? (this.isLeaving ? groupMissing(this.id) : undefined)
  }

  logIds(): number[] {
    return [...this.#logs.keys()].sort((a, b) => a - b)
  }

  log(logId: number): Log {
    const log = this.#logs.get(logId)
    if (log !== undefined) return log
    throw new StorageError('log-missing', `Group ${this.id} has no log ${logId}.`)
  }

  async addLogs(logIds: Iterable<number>): Promise<void> {
    const refusal = this.refusal()
    if (refusal !== undefined) throw refusal
    const ids = [...logIds]
    this.assertNew(ids)
    await this.owner.addLogs(this, ids)
  }

  trim(beforeMs: number): void {
    if (!(beforeMs > this.trimMs)) return
    this.trimMs = beforeMs
    this.isTrimDirty = true
    this.owner.trimmed(this)
  }

  find(logId: number): LocalLog | undefined {
    return this.#logs.get(logId)
  }

  eachLog(visit: (log: CheckpointLog & LocalLog) => void): void {
    for (const log of this.#logs.values()) visit(log)
  }

  /** Log ids that can be added: unsigned 32-bit, distinct, none there yet. */
  assertNew(ids: readonly number[]): void {
    assertLogIds(ids)
    assert(
      ids.every((id) => !this.#logs.has(id)),
      'logs that are added are new to their group',
    )
  }

  /** A segment has been made, perhaps again. */
  keepSegment(segment: KnownSegment): void {
    const others = this.segments.filter(({ sequence }) => sequence !== segment.sequence)
    this.segments = [...others, segment].sort((a, b) => a.sequence - b.sequence)
  }

  /** Segments of journal files before this one have been let go. */
  letGoBefore(sequence: number): void {
    this.segments = this.segments.filter((segment) => segment.sequence >= sequence)
  }

  /** Adds logs that a control record or checkpoint names. */
  add(ids: readonly number[]): void {
    for (const id of ids) this.#logs.set(id, new LocalLog(this, id))
  }
}

export function assertLogIds(ids: readonly number[]): void {
  assert(
    ids.every((id) => Number.isInteger(id) && id >= 0 && id <= UINT32_MAX),
    'log ids are unsigned 32-bit integers',
  )
  assert(new Set(ids).size === ids.length, 'log ids of a call are distinct')
}

export function groupMissing(groupId: number): StorageError {
  return new StorageError('group-missing', `There is no group ${groupId}.`)
}
