// One log of the memory engine: its blocks in order, in the byte format of local/block.ts, so that
// readers meet the same batches as over a journal. Everything here is synchronous: what `push` has
// stored is acknowledged, and reads never wait.
import { assert } from '@millrace/base/assert'
import type { Batch, Block, Log, ReadBounds, ReadResult, StorageError } from './engine.ts'
import { blockBytes, sliceBlock, writeBlock } from './local/block.ts'

interface StoredBlock {
  readonly firstOffset: number
  /** The offset after its last entry. */
  readonly end: number
  readonly timeMs: number
  readonly buffer: Buffer
}

/** What a log asks of the group it lives in. */
export interface LogOwner {
  readonly id: number
  /** The same for all logs of one engine. */
  readonly keeper: unknown
  /** Why the group can't be read now: it was deleted, or the engine is closed. */
  refusal(): StorageError | undefined
  /** Told when bytes are let go. */
  freed(bytes: number): void
}

const nothing = (): void => {}

export class MemoryLog implements Log {
  readonly groupId: number
  readonly id: number
  isGated = false
  readonly #owner: LogOwner
  readonly #followers = new Set<() => void>()
  #blocks: StoredBlock[] = []
  #first = 0
  #next = 0
  #lastTimeMs = 0

  constructor(owner: LogOwner, id: number) {
    this.groupId = owner.id
    this.id = id
    this.#owner = owner
  }

  get first(): number {
    return this.#first
  }

  get next(): number {
    return this.#next
  }

  get lastTimeMs(): number {
    return this.#lastTimeMs
  }

  get owner(): LogOwner {
    return this.#owner
  }

  /** Stores a block; `undo` takes it away again as if it had never been. Throws what `write` throws. */
  push(block: Block, nowMs: number): { undo: () => void; firstOffset: number; timeMs: number } {
    const firstOffset = this.#next
    const lastTimeMs = this.#lastTimeMs
    const timeMs = Math.max(nowMs, lastTimeMs)
    const buffer = Buffer.allocUnsafe(blockBytes(block.count, block.byteLength))
    writeBlock(buffer, 0, block, firstOffset, timeMs)
    const end = firstOffset + block.count
    assert(Number.isSafeInteger(end), 'offsets are safe integers')
    this.#blocks.push({ firstOffset, end, timeMs, buffer })
    this.#next = end
    this.#lastTimeMs = timeMs
    const undo = (): void => {
      this.#blocks.pop()
      this.#next = firstOffset
      this.#lastTimeMs = lastTimeMs
    }
    return { undo, firstOffset, timeMs }
  }

  wake(): void {
    for (const follower of this.#followers) follower()
  }

  read(from: number, bounds: ReadBounds): ReadResult {
    this.#assertReadable()
    const batches: Batch[] = []
    let next = Math.max(from, this.#first)
    let index = this.#indexWhere((block) => block.end > next)
    const { notBeforeMs } = bounds
    if (notBeforeMs !== undefined && (this.#blocks[index]?.timeMs ?? notBeforeMs) < notBeforeMs) {
      index = this.#indexWhere((block) => block.timeMs >= notBeforeMs)
      next = this.#blocks[index]?.firstOffset ?? this.#next
    }
    let entriesLeft = bounds.entriesMax
    let bytesLeft = bounds.bytesMax
    for (; index < this.#blocks.length && entriesLeft > 0; index++) {
      const { buffer, end } = this.#blocks[index]!
      const isFirst = batches.length === 0
      const slice = sliceBlock(buffer, 0, next, entriesLeft, bytesLeft, isFirst)
      if (slice.batch === undefined) break
      batches.push(slice.batch)
      next += slice.entries
      entriesLeft -= slice.entries
      bytesLeft -= slice.bytes
      if (next < end) break
    }
    return { batches, next, release: nothing }
  }

  offsetAt(timeMs: number): number {
    this.#assertReadable()
    const block = this.#blocks[this.#indexWhere((candidate) => candidate.timeMs >= timeMs)]
    return block === undefined ? this.#next : Math.max(block.firstOffset, this.#first)
  }

  trim(beforeOffset: number): void {
    this.#letGo(
      beforeOffset,
      this.#indexWhere((block) => block.end > beforeOffset),
    )
  }

  trimTime(beforeMs: number): void {
    const index = this.#indexWhere((block) => block.timeMs >= beforeMs)
    this.#letGo(this.#blocks[index]?.firstOffset ?? this.#next, index)
  }

  /** Lets go of everything: the group is deleted. */
  clear(): void {
    this.trim(this.#next)
    this.#followers.clear()
  }

  follow(wake: () => void): () => void {
    // A function of our own, so that the same `wake` may follow twice.
    const follower = (): void => wake()
    this.#followers.add(follower)
    return () => {
      this.#followers.delete(follower)
    }
  }

  async gate(): Promise<number> {
    this.#assertReadable()
    this.isGated = true
    return this.#next
  }

  release(): void {
    this.isGated = false
  }

  #assertReadable(): void {
    const refusal = this.#owner.refusal()
    if (refusal !== undefined) throw refusal
  }

  /** Lets go of the blocks before the one at this index, and of entries below this offset. */
  #letGo(beforeOffset: number, index: number): void {
    this.#first = Math.max(this.#first, Math.min(beforeOffset, this.#next))
    let bytes = 0
    for (const block of this.#blocks.splice(0, index)) bytes += block.buffer.length
    this.#owner.freed(bytes)
  }

  /** Index of the first block for which `holds` is true; it stays true from there on. */
  #indexWhere(holds: (block: StoredBlock) => boolean): number {
    let low = 0
    let high = this.#blocks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (holds(this.#blocks[middle]!)) high = middle
      else low = middle + 1
    }
    return low
  }
}
