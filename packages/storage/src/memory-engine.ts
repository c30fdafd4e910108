// The engine that keeps everything in memory and forgets it with the process: for tests, and for who
// wants no files. It keeps the whole contract of engine.ts but durability: appends are acknowledged
// in the call itself, reads are synchronous, and what is trimmed or deleted gives its memory back.
// Past `bytesMax` it answers as a full disk does, so that the process outlives a forgotten retention.
import { assert } from '@millrace/base/assert'
import type { Clock } from '@millrace/base/clock'
import {
  type AppendOptions,
  type AppendResult,
  type Block,
  type Engine,
  type EngineMetrics,
  type EngineStatus,
  type Group,
  type Log,
  StorageError,
} from './engine.ts'
import { blockBytes } from './local/block.ts'
import { type LogOwner, MemoryLog } from './memory-log.ts'

const BYTES_MAX_DEFAULT = 4 * 1024 ** 3
const UINT32_MAX = 0xffff_ffff

export interface MemoryEngineOptions {
  readonly clock: Clock
  /** Bytes of blocks held before appends fail with `disk-full`; 4 GiB unless told. */
  readonly bytesMax?: number
}

export class MemoryEngine implements Engine {
  readonly kind = 'memory'
  readonly isPressed = false
  readonly #clock: Clock
  readonly #bytesMax: number
  readonly #groups = new Map<number, MemoryGroup>()
  /** What groups may ask of this engine; also tells its own logs from another's. */
  readonly #keeper: GroupKeeper = {
    refusal: (groupId) => {
      if (this.#isClosed) return closed()
      return this.#groups.has(groupId) ? undefined : groupMissing(groupId)
    },
    freed: (bytes) => {
      this.#bytesHeld -= bytes
    },
  }
  readonly #usedGroupIds = new Set<number>()
  #groupIdMax = 0
  #bytesHeld = 0
  #commits = 0
  #bytesCommitted = 0
  #isClosed = false

  constructor(options: MemoryEngineOptions) {
    this.#clock = options.clock
    this.#bytesMax = options.bytesMax ?? BYTES_MAX_DEFAULT
  }

  get groupIdMax(): number {
    return this.#groupIdMax
  }

  groupIds(): number[] {
    return [...this.#groups.keys()].sort((a, b) => a - b)
  }

  async createGroup(groupId: number, logIds: Iterable<number>): Promise<Group> {
    this.#assertOpen()
    assert(isUint32(groupId) && groupId > 0, 'a group is named by a number from 1 to 2^32 − 1')
    if (this.#usedGroupIds.has(groupId)) {
      throw new StorageError(
        'group-exists',
        `Group ${groupId} can't be made: its number was used before. Take a new one.`,
      )
    }
    const group = new MemoryGroup(groupId, logIds, this.#keeper)
    this.#groups.set(groupId, group)
    this.#usedGroupIds.add(groupId)
    this.#groupIdMax = Math.max(this.#groupIdMax, groupId)
    return group
  }

  openGroup(groupId: number): Group {
    this.#assertOpen()
    const group = this.#groups.get(groupId)
    if (group === undefined) throw groupMissing(groupId)
    return group
  }

  async deleteGroup(groupId: number): Promise<void> {
    this.#assertOpen()
    const group = this.#groups.get(groupId)
    if (group === undefined) throw groupMissing(groupId)
    this.#groups.delete(groupId)
    group.clear()
  }

  async append(blocks: readonly Block[], options: AppendOptions = {}): Promise<AppendResult[]> {
    const nowMs = this.#clock.now()
    const undos: (() => void)[] = []
    const results: AppendResult[] = []
    const stored: MemoryLog[] = []
    let bytes = 0
    try {
      for (const block of blocks) {
        assert(block.count > 0, 'a block holds at least one entry')
        const log = block.log
        assert(
          log instanceof MemoryLog && log.owner.keeper === this.#keeper,
          'a block names a log of this engine',
        )
        const length = blockBytes(block.count, block.byteLength)
        const error = this.#appendRefusal(log, bytes + length, options.isUrgent ?? false)
        if (error !== undefined) {
          results.push({ kind: 'failed', error })
          continue
        }
        const { undo, firstOffset, timeMs } = log.push(block, nowMs)
        undos.push(undo)
        stored.push(log)
        bytes += length
        results.push({ kind: 'appended', firstOffset, timeMs })
      }
    } catch (error) {
      while (undos.length > 0) undos.pop()?.()
      throw error
    }
    this.#bytesHeld += bytes
    this.#bytesCommitted += bytes
    if (stored.length > 0) this.#commits++
    for (const log of stored) log.wake()
    return results
  }

  status(): EngineStatus {
    if (!this.#isClosed) return { state: 'ready' }
    return { state: 'closed', reason: 'The storage engine was closed.' }
  }

  metrics(): EngineMetrics {
    return {
      commits: this.#commits,
      bytesCommitted: this.#bytesCommitted,
      commitMs: [],
      bytesOnDisk: 0,
      bytesUnacknowledged: 0,
      bytesCached: this.#bytesHeld,
      filesUnsealed: 0,
      segments: 0,
      readsFromDisk: 0,
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const group of this.#groups.values()) group.clear()
  }

  #assertOpen(): void {
    if (this.#isClosed) throw closed()
  }

  #appendRefusal(log: MemoryLog, bytes: number, isUrgent: boolean): StorageError | undefined {
    const refusal = log.owner.refusal()
    if (refusal !== undefined) return refusal
    if (log.isGated) {
      return new StorageError(
        'gated',
        `Log ${log.id} of group ${log.groupId} takes no appends while it is gated.`,
      )
    }
    if (this.#bytesHeld + bytes <= this.#bytesMax || isUrgent) return undefined
    return new StorageError(
      'disk-full',
      `The memory engine holds its ${this.#bytesMax} bytes. Shorten the retention, delete streams, or use --engine local.`,
    )
  }
}

interface GroupKeeper {
  refusal(groupId: number): StorageError | undefined
  freed(bytes: number): void
}

class MemoryGroup implements Group, LogOwner {
  readonly id: number
  readonly keeper: GroupKeeper
  readonly #logs = new Map<number, MemoryLog>()

  constructor(id: number, logIds: Iterable<number>, keeper: GroupKeeper) {
    this.id = id
    this.keeper = keeper
    this.#add([...logIds])
  }

  refusal(): StorageError | undefined {
    return this.keeper.refusal(this.id)
  }

  freed(bytes: number): void {
    this.keeper.freed(bytes)
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
    this.#add([...logIds])
  }

  trim(beforeMs: number): void {
    for (const log of this.#logs.values()) log.trimTime(beforeMs)
  }

  clear(): void {
    for (const log of this.#logs.values()) log.clear()
  }

  #add(ids: readonly number[]): void {
    assert(ids.every(isUint32), 'log ids are unsigned 32-bit integers')
    assert(
      new Set([...ids, ...this.#logs.keys()]).size === ids.length + this.#logs.size,
      'log ids are distinct and new',
    )
    for (const id of ids) this.#logs.set(id, new MemoryLog(this, id))
  }
}

function isUint32(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= UINT32_MAX
}

function groupMissing(groupId: number): StorageError {
  return new StorageError('group-missing', `There is no group ${groupId}.`)
}

function closed(): StorageError {
  return new StorageError('closed', 'The storage engine was closed and takes no more calls.')
}
