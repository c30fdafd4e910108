// The contents of one simulated file, twice: the page cache, which is what a running system reads,
// and the platter, which is what a power cut leaves. Writes go to the cache and make sectors dirty;
// a sync, or the system at a moment of its own choosing, carries dirty sectors over. A power cut
// keeps any of the dirty sectors, in any order, and may tear the last one it was writing.
import type { Random } from '@millrace/base/random'

export const SECTOR_BYTES = 512
/** The unit in which a disk hands out space. */
export const BLOCK_BYTES = 4096

export interface Unsynced {
  readonly sectors: readonly number[]
  readonly size: number
}

export class Pages {
  #cache: Buffer = Buffer.alloc(0)
  #platter: Buffer = Buffer.alloc(0)
  #size = 0
  #platterSize = 0
  /** Sectors that the platter doesn't have yet, the longest dirty first. */
  readonly #dirty = new Set<number>()
  /** Blocks that hold space; the others read as zeros. */
  readonly #blocks = new Set<number>()
  /** Whether a copy reads the same buffers; who writes first takes buffers of its own. */
  #isShared = false

  get size(): number {
    return this.#size
  }

  get allocatedBytes(): number {
    return this.#blocks.size * BLOCK_BYTES
  }

  get isDirty(): boolean {
    return this.#dirty.size > 0 || this.#size !== this.#platterSize
  }

  /** Bytes of new space that writing here would take. */
  growth(length: number, position: number): number {
    let blocks = 0
    for (const block of units(position, length, BLOCK_BYTES)) if (!this.#blocks.has(block)) blocks++
    return blocks * BLOCK_BYTES
  }

  read(target: Buffer, at: number, length: number, position: number): number {
    const end = Math.min(position + length, this.#size)
    return end <= position ? 0 : this.#cache.copy(target, at, position, end)
  }

  write(source: Buffer, at: number, length: number, position: number): void {
    if (length === 0) return
    this.#unshare()
    this.#reserve(position + length)
    source.copy(this.#cache, position, at, at + length)
    this.#size = Math.max(this.#size, position + length)
    this.#soil(position, length)
    for (const block of units(position, length, BLOCK_BYTES)) this.#blocks.add(block)
  }

  truncate(size: number): void {
    this.#unshare()
    this.#reserve(size)
    if (size < this.#size) {
      this.#cache.fill(0, size, this.#size)
      this.#soil(size, this.#size - size)
      for (const block of this.#blocks) if (block * BLOCK_BYTES >= size) this.#blocks.delete(block)
    }
    this.#size = size
  }

  /** What a sync that begins now owes; writes that come while it runs are none of its business. */
  unsynced(): Unsynced {
    return { sectors: [...this.#dirty], size: this.#size }
  }

  sync({ sectors, size }: Unsynced): void {
    for (const sector of sectors) if (this.#dirty.delete(sector)) this.#carry(sector)
    this.#platterSize = Math.min(size, this.#size)
  }

  /** What a write to a file opened with O_DSYNC makes durable: its own bytes, and a size that has them. */
  syncRange(length: number, position: number): void {
    for (const sector of units(position, length, SECTOR_BYTES)) {
      if (this.#dirty.delete(sector)) this.#carry(sector)
    }
    this.#platterSize = Math.max(this.#platterSize, position + length)
  }

  /**
   * A sync that failed, as Linux does it: some sectors reached the platter, the others did not, and
   * all count as clean from now on, so that the next sync succeeds without writing them.
   */
  failSync(random: Random): void {
    for (const sector of this.#dirty) if (random.integer(2) === 0) this.#carry(sector)
    this.#dirty.clear()
  }

  /** The system writes back a few dirty sectors because it feels like it. */
  writeBack(random: Random): void {
    for (const sector of this.#dirty) {
      if (random.integer(2) === 0) continue
      this.#carry(sector)
      this.#dirty.delete(sector)
    }
    if (random.integer(2) === 0) this.#platterSize = this.#size
  }

  /** Forgets clean pages, so that the next read shows the platter: where a failed sync comes to light. */
  dropClean(): void {
    this.#unshare()
    for (let sector = 0; sector * SECTOR_BYTES < this.#size; sector++) {
      if (this.#dirty.has(sector)) continue
      const start = sector * SECTOR_BYTES
      const end = Math.min(start + SECTOR_BYTES, this.#size)
      this.#cache.fill(0, start, end)
      this.#platter.copy(this.#cache, start, start, Math.min(end, this.#platter.length))
    }
  }

  /** Changes one bit, on the platter and in the cache. */
  flip(position: number, bit: number): void {
    this.#unshare()
    this.#cache[position]! ^= 1 << bit
    if (position < this.#platter.length) this.#platter[position]! ^= 1 << bit
  }

  /** The same contents in the same state: a process died, the system lives on. */
  copy(): Pages {
    const copy = new Pages()
    copy.#cache = this.#cache
    copy.#platter = this.#platter
    copy.#isShared = true
    this.#isShared = true
    copy.#size = this.#size
    copy.#platterSize = this.#platterSize
    for (const sector of this.#dirty) copy.#dirty.add(sector)
    for (const block of this.#blocks) copy.#blocks.add(block)
    return copy
  }

  /** What the platter holds after a power cut at this moment, as chance decides. */
  afterPowerCut(random: Random, tearsWithinSectors: boolean): Pages {
    const after = new Pages()
    const size = pick(random, [
      this.#platterSize,
      this.#size,
      between(random, this.#platterSize, this.#size),
    ])
    after.#reserve(size)
    this.#platter.copy(after.#cache, 0, 0, Math.min(this.#platter.length, size))
    const kept = survivors([...this.#dirty], random)
    for (const [index, sector] of kept.entries()) {
      const isTorn = tearsWithinSectors && index === kept.length - 1 && random.integer(2) === 0
      const bytes = isTorn ? random.integer(SECTOR_BYTES + 1) : SECTOR_BYTES
      const start = sector * SECTOR_BYTES
      const end = Math.min(start + bytes, size, this.#cache.length)
      if (start < end) this.#cache.copy(after.#cache, start, start, end)
    }
    after.#size = size
    after.#platterSize = size
    after.#platter = after.#cache
    after.#isShared = true
    for (const block of this.#blocks) if (block * BLOCK_BYTES < size) after.#blocks.add(block)
    return after
  }

  #unshare(): void {
    if (!this.#isShared) return
    this.#cache = Buffer.from(this.#cache)
    this.#platter = Buffer.from(this.#platter)
    this.#isShared = false
  }

  #carry(sector: number): void {
    this.#unshare()
    const start = sector * SECTOR_BYTES
    const end = Math.min(start + SECTOR_BYTES, this.#cache.length)
    if (this.#platter.length < end) this.#platter = grown(this.#platter, this.#cache.length)
    if (start < end) this.#cache.copy(this.#platter, start, start, end)
  }

  #soil(position: number, length: number): void {
    for (const sector of units(position, length, SECTOR_BYTES)) {
      this.#dirty.delete(sector)
      this.#dirty.add(sector)
    }
  }

  #reserve(size: number): void {
    if (this.#cache.length >= size) return
    this.#cache = grown(this.#cache, Math.max(size, this.#cache.length * 2, BLOCK_BYTES))
  }
}

/** Which of the things not yet durable a power cut leaves, by one of a few tempers of the disk. */
export function survivors<T>(pending: readonly T[], random: Random): T[] {
  const temper = random.integer(6)
  if (temper === 0) return []
  if (temper === 1) return [...pending]
  if (temper === 2) return pending.slice(0, random.integer(pending.length + 1))
  if (temper === 3) return pending.slice(random.integer(pending.length + 1))
  const share = temper === 4 ? 0.5 : 0.9
  return pending.filter(() => random.float() < share)
}

function* units(position: number, length: number, unitBytes: number): Generator<number> {
  if (length === 0) return
  const last = Math.floor((position + length - 1) / unitBytes)
  for (let unit = Math.floor(position / unitBytes); unit <= last; unit++) yield unit
}

function grown(buffer: Buffer, length: number): Buffer {
  const larger = Buffer.alloc(length)
  buffer.copy(larger)
  return larger
}

function pick<T>(random: Random, values: readonly [T, ...T[]]): T {
  return values[random.integer(values.length)] ?? values[0]
}

function between(random: Random, a: number, b: number): number {
  return Math.min(a, b) + random.integer(Math.abs(a - b) + 1)
}
