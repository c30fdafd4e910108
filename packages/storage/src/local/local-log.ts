// A log of the local engine: where it ends, what is reserved behind that in commit buffers, and which
// blocks of the journal are its own. It holds no bytes; reading is log-reader.ts.
//
// `reservedNext` runs ahead of `next` while a commit is under way; both are equal at rest. A block is
// given its offset when it is put into a commit buffer and becomes visible when that is on disk.
import type { Log, MaybePromise, ReadBounds, ReadResult } from '../engine.ts'
import { StorageError } from '../engine.ts'
import type { LocalGroup } from './local-group.ts'

/** How a log is read; implemented by log-reader.ts. */
export interface LogReads {
  read(log: LocalLog, from: number, bounds: ReadBounds): MaybePromise<ReadResult>
  offsetAt(log: LocalLog, timeMs: number): MaybePromise<number>
  firstOf(log: LocalLog): number
}

export class LocalLog implements Log {
  readonly group: LocalGroup
  readonly groupId: number
  readonly id: number
  next = 0
  lastTimeMs = 0
  reservedNext = 0
  reservedTimeMs = 0
  /** No entry below this may be read; what `trim` by time hides beyond that is found by reading. */
  firstKept = 0
  /** The group's trim time that `firstKept` already reflects. */
  trimSeenMs = 0
  isGated = false
  /** Trimmed by offset since the last checkpoint or record that says so. */
  isTrimDirty = false
  /** Numbers of its blocks in journal files, rising; what is sealed is no longer listed. */
  blocks: number[] = []
  /** The commit that woke its followers last, so that each commit wakes them once. */
  wokenBy = 0
  /** Made when somebody follows; most logs are followed by nobody. */
  followers: Set<() => void> | undefined
  #drained: ((next: number) => void)[] | undefined

  constructor(group: LocalGroup, id: number) {
    this.group = group
    this.groupId = group.id
    this.id = id
  }

  get first(): number {
    return this.group.owner.reads.firstOf(this)
  }

  read(from: number, bounds: ReadBounds): MaybePromise<ReadResult> {
    const refusal = this.group.refusal()
    if (refusal !== undefined) throw refusal
    return this.group.owner.reads.read(this, from, bounds)
  }

  offsetAt(timeMs: number): MaybePromise<number> {
    const refusal = this.group.refusal()
    if (refusal !== undefined) throw refusal
    return this.group.owner.reads.offsetAt(this, timeMs)
  }

  trim(beforeOffset: number): void {
    const first = Math.min(beforeOffset, this.next)
    if (first <= this.firstKept) return
    this.firstKept = first
    this.isTrimDirty = true
    this.group.isTrimmedByOffset = true
    this.group.owner.trimmed(this.group)
  }

  follow(wake: () => void): () => void {
    // A function of our own, so that the same `wake` may follow twice.
    const follower = (): void => wake()
    this.followers ??= new Set()
    this.followers.add(follower)
    return () => {
      this.followers?.delete(follower)
    }
  }

  async gate(): Promise<number> {
    const refusal = this.group.refusal()
    if (refusal !== undefined) throw refusal
    this.isGated = true
    if (this.reservedNext === this.next) return this.next
    return await new Promise((resolve) => {
      this.#drained ??= []
      this.#drained.push(resolve)
    })
  }

  release(): void {
    this.isGated = false
  }

  /** Why it takes no append now. */
  appendRefusal(): StorageError | undefined {
    const refusal = this.group.refusal()
    if (refusal !== undefined) return refusal
    if (!this.isGated) return undefined
    return new StorageError(
      'gated',
      `Log ${this.id} of group ${this.groupId} takes no appends while it is gated.`,
    )
  }

  /** Takes up what a checkpoint or a recovered frame says of the end. */
  restoreEnd(next: number, lastTimeMs: number): void {
    this.next = next
    this.reservedNext = next
    this.lastTimeMs = Math.max(this.lastTimeMs, lastTimeMs)
    this.reservedTimeMs = this.lastTimeMs
  }

  /** Tells who waits at the gate when nothing is reserved any more. */
  settle(): void {
    if (this.#drained === undefined || this.reservedNext !== this.next) return
    const drained = this.#drained
    this.#drained = undefined
    for (const resolve of drained) resolve(this.next)
  }
}
