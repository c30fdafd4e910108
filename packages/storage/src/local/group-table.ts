// All groups of the local engine, folded from the newest checkpoint and the control records after
// it. The same `apply` runs when a record is acknowledged and when it is replayed, so that memory
// and journal can't disagree.
import { assert } from '@millrace/base/assert'
import {
  type Checkpoint,
  CONTROL_GROUP,
  CONTROL_LOG,
  type ControlRecord,
  checkpointBytes,
  encodeCheckpoint,
  type IdRange,
  idsIn,
  type PreviousFile,
} from './checkpoint.ts'
import { type GroupOwner, LocalGroup } from './local-group.ts'
import type { LocalLog } from './local-log.ts'

export class GroupTable {
  /** The engine's own log of control records. */
  readonly control: LocalLog
  readonly #owner: GroupOwner
  readonly #groups = new Map<number, LocalGroup>()
  /** All journal files up to this one are sealed; undefined when nobody wrote it down. */
  sealedThrough: number | undefined = 0
  /** Group numbers ever used, as rising ranges that don't touch. */
  #used: [number, number][] = []

  constructor(owner: GroupOwner) {
    this.#owner = owner
    const group = new LocalGroup(CONTROL_GROUP, owner)
    group.add([CONTROL_LOG])
    const control = group.find(CONTROL_LOG)
    assert(control !== undefined, 'the control log is there from the start')
    this.control = control
  }

  get groupIdMax(): number {
    return this.#used.at(-1)?.[1] ?? 0
  }

  groupIds(): number[] {
    return [...this.#groups.keys()].sort((a, b) => a - b)
  }

  group(groupId: number): LocalGroup | undefined {
    return this.#groups.get(groupId)
  }

  groups(): IterableIterator<LocalGroup> {
    return this.#groups.values()
  }

  log(groupId: number, logId: number): LocalLog | undefined {
    if (groupId === CONTROL_GROUP) return logId === CONTROL_LOG ? this.control : undefined
    return this.#groups.get(groupId)?.find(logId)
  }

  isUsed(groupId: number): boolean {
    return this.#used.some(([first, last]) => groupId >= first && groupId <= last)
  }

  /** Gives the group that a record deleted, for who cleans up after it. */
  apply(record: ControlRecord): LocalGroup | undefined {
    if (record.kind === 'group-created') {
      assert(!this.isUsed(record.group), 'a group number is used once')
      const group = new LocalGroup(record.group, this.#owner)
      group.add(idsIn(record.logs))
      this.#groups.set(record.group, group)
      this.#use(record.group)
      return undefined
    }
    if (record.kind === 'trimmed') {
      this.#applyTrims(record)
      return undefined
    }
    if (record.kind === 'sealed') {
      this.sealedThrough = Math.max(this.sealedThrough ?? 0, record.sequence)
      for (const [id, bytes, newestMs] of record.segments) {
        this.#groups.get(id)?.keepSegment({ sequence: record.sequence, bytes, newestMs })
      }
      return undefined
    }
    if (record.kind === 'freed') {
      this.#groups.get(record.group)?.letGoBefore(record.before)
      return undefined
    }
    const group = this.#groups.get(record.group)
    assert(group !== undefined, 'a control record names a group that is there')
    if (record.kind === 'logs-added') {
      const ids = idsIn(record.logs)
      group.assertNew(ids)
      group.add(ids)
      return undefined
    }
    group.isLeaving = true
    group.isGone = true
    group.eachLog((log) => {
      log.blocks = []
    })
    this.#groups.delete(group.id)
    return group
  }

  /** What was trimmed since the last checkpoint or such record; undefined when nothing was. */
  takeTrims(): ControlRecord | undefined {
    const groups: [number, number][] = []
    const logs: [number, number, number][] = []
    for (const group of this.#groups.values()) {
      if (group.isTrimDirty) groups.push([group.id, group.trimMs])
      group.eachLog((log) => {
        if (log.isTrimDirty) logs.push([group.id, log.id, log.firstKept])
      })
    }
    this.trimsSaved()
    return groups.length + logs.length === 0 ? undefined : { kind: 'trimmed', groups, logs }
  }

  checkpointBytes(): number {
    let logs = 0
    let segments = 0
    for (const group of this.#groups.values()) {
      logs += group.logCount
      segments += group.segments.length
    }
    return checkpointBytes({
      ranges: this.#used.length,
      groups: this.#groups.size,
      segments,
      logs,
    })
  }

  /** The state as of the last acknowledged frame. */
  encode(file: {
    sequence: number
    isReused: boolean
    previous: PreviousFile | undefined
  }): Buffer {
    const bytes = encodeCheckpoint({
      ...file,
      controlNext: this.control.next,
      controlTimeMs: this.control.lastTimeMs,
      sealedThrough: this.sealedThrough,
      usedGroupIds: this.#used,
      groups: this.#groups.values(),
    })
    // Here and not when it is written: what is trimmed meanwhile isn't in it.
    this.trimsSaved()
    return bytes
  }

  /** Takes up a checkpoint; the table is empty before. */
  restore(checkpoint: Checkpoint): void {
    assert(this.#groups.size === 0, 'a checkpoint is taken up by an empty table')
    this.#used = checkpoint.usedGroupIds.map(([first, last]: IdRange) => [first, last])
    this.control.restoreEnd(checkpoint.controlNext, checkpoint.controlTimeMs)
    this.sealedThrough = checkpoint.sealedThrough
    for (const saved of checkpoint.groups) {
      const group = new LocalGroup(saved.id, this.#owner)
      group.trimMs = saved.trimMs
      group.segments = [...saved.segments]
      this.#groups.set(saved.id, group)
      saved.eachLog((savedLog) => {
        group.add([savedLog.id])
        const log = group.find(savedLog.id)
        assert(log !== undefined, 'a log just added is there')
        log.restoreEnd(savedLog.next, savedLog.lastTimeMs)
        log.firstKept = savedLog.firstKept
        if (log.firstKept > 0) group.isTrimmedByOffset = true
      })
    }
  }

  /** A checkpoint or record that holds all trims is durable. */
  trimsSaved(): void {
    for (const group of this.#groups.values()) {
      group.isTrimDirty = false
      group.eachLog((log) => {
        log.isTrimDirty = false
      })
    }
  }

  #applyTrims(record: ControlRecord & { kind: 'trimmed' }): void {
    for (const [id, trimMs] of record.groups) {
      const group = this.#groups.get(id)
      if (group !== undefined) group.trimMs = Math.max(group.trimMs, trimMs)
    }
    for (const [groupId, logId, first] of record.logs) {
      const group = this.#groups.get(groupId)
      const log = group?.find(logId)
      if (group === undefined || log === undefined) continue
      log.firstKept = Math.max(log.firstKept, first)
      group.isTrimmedByOffset = true
    }
  }

  #use(groupId: number): void {
    const at = this.#used.findIndex(([first]) => first > groupId)
    const index = at < 0 ? this.#used.length : at
    this.#used.splice(index, 0, [groupId, groupId])
    for (const left of [index, index - 1]) {
      const [one, two] = [this.#used[left], this.#used[left + 1]]
      if (one === undefined || two === undefined || one[1] + 1 !== two[0]) continue
      this.#used.splice(left, 2, [one[0], two[1]])
    }
  }
}
