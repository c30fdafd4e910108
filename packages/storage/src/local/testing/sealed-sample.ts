// Journal files of made-up blocks, sealed, and what each log should then give: for the tests and the
// fuzzer of segments.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { silentLogger } from '@millrace/base/logger'
import { seededRandom } from '@millrace/base/random'
import type { Disk } from '../../disk.ts'
import { eachEntry, type ReadBounds, StorageError } from '../../engine.ts'
import { SimulatedDisk } from '../../simulated-disk.ts'
import type { SealedSegment } from '../sealer.ts'
import { SegmentStore, type SegmentStoreOptions } from '../segment-store.ts'
import { type SampleBlock, type SampleJournal, writeSampleJournal } from './sample-journal.ts'

export const DIRECTORY = '/data/segments'

export const ORPHANS = '/data/orphans'

export const UNBOUNDED: ReadBounds = { entriesMax: 1_000_000, bytesMax: 1_000_000_000 }

export interface Entry {
  readonly offset: number
  readonly timeMs: number
  readonly text: string
}

/** Makes blocks with rising offsets and times, and remembers what each log should give. */
export class Sample {
  readonly logs = new Map<string, Entry[]>()
  readonly #journals: SampleJournal[] = []
  readonly #disk: Disk
  #nowMs = 1_000_000
  #frames: SampleBlock[][] = []

  constructor(disk: Disk) {
    this.#disk = disk
  }

  get nowMs(): number {
    return this.#nowMs
  }

  get last(): SampleJournal {
    const journal = this.#journals.at(-1)
    assert.ok(journal)
    return journal
  }

  log(groupId: number, logId: number): Entry[] {
    const key = `${groupId}/${logId}`
    const log = this.logs.get(key) ?? []
    this.logs.set(key, log)
    return log
  }

  advance(ms: number): void {
    this.#nowMs += ms
  }

  /** A frame of one block per [group, log, lengths of entries]. */
  frame(...blocks: readonly (readonly [number, number, readonly number[]])[]): void {
    this.#frames.push(
      blocks.map(([groupId, logId, lengths]) => {
        const log = this.log(groupId, logId)
        const firstOffset = (log.at(-1)?.offset ?? -1) + 1
        const timeMs = this.#nowMs
        const texts = lengths.map((length, i) =>
          `${groupId}/${logId}/${firstOffset + i};`.padEnd(length, 'x'),
        )
        for (const [i, text] of texts.entries()) log.push({ offset: firstOffset + i, timeMs, text })
        return {
          groupId,
          logId,
          firstOffset,
          timeMs,
          entries: texts.map((text) => Buffer.from(text)),
        }
      }),
    )
  }

  /** Writes all frames since the last roll as the next journal file. */
  async roll(folder = '/data'): Promise<SampleJournal> {
    const sequence = this.#journals.length + 1
    const path = join(folder, `${sequence}.journal`)
    const journal = await writeSampleJournal(this.#disk, path, sequence, this.#frames)
    this.#frames = []
    this.#journals.push(journal)
    return journal
  }
}

export async function simulated(seed = 1): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk({ random: seededRandom(seed), tearsWithinSectors: true })
  await disk.makeDirectory('/data')
  await disk.syncDirectory('/')
  return disk
}

export function openStore(
  disk: Disk,
  options: Partial<SegmentStoreOptions> = {},
): Promise<SegmentStore> {
  return SegmentStore.open({
    disk,
    directory: DIRECTORY,
    orphans: ORPHANS,
    logger: silentLogger,
    cacheBytesMax: 1024 * 1024,
    isLive: () => true,
    ...options,
  })
}

export function seal(
  store: SegmentStore,
  journal: SampleJournal,
  skipGroups: number[] = [],
): Promise<readonly SealedSegment[]> {
  return store.seal({ ...journal, skipGroups })
}

export async function readOnce(
  store: SegmentStore,
  groupId: number,
  logId: number,
  from: number,
  bounds: Partial<ReadBounds> = {},
  before = Number.MAX_SAFE_INTEGER,
): Promise<{ entries: Entry[]; next: number } | undefined> {
  const read = await store.read(groupId, logId, from, before, { ...UNBOUNDED, ...bounds })
  if (read === undefined) return undefined
  const entries: Entry[] = []
  for (const batch of read.batches) {
    eachEntry(batch, (offset, buffer, start, end) => {
      entries.push({ offset, timeMs: batch.timeMs, text: buffer.toString('latin1', start, end) })
    })
  }
  read.release()
  return { entries, next: read.next }
}

export async function readAll(
  store: SegmentStore,
  groupId: number,
  logId: number,
  bounds: Partial<ReadBounds> = {},
  from = 0,
): Promise<Entry[]> {
  const all: Entry[] = []
  for (let at = from; ; ) {
    const read = await readOnce(store, groupId, logId, at, bounds)
    if (read === undefined || read.next === at) return all
    assert.ok(read.next > at)
    all.push(...read.entries)
    at = read.next
  }
}

export async function assertHolds(store: SegmentStore, sample: Sample): Promise<void> {
  for (const [key, entries] of sample.logs) {
    const [groupId = 0, logId = 0] = key.split('/').map(Number)
    assert.deepEqual(await readAll(store, groupId, logId), entries, key)
  }
}

export const damaged = (error: unknown): boolean =>
  error instanceof StorageError && error.code === 'damaged'

/** Three journal files of two groups and several logs, sealed. */
export async function threeFiles(
  disk: SimulatedDisk,
): Promise<{ store: SegmentStore; sample: Sample }> {
  const store = await openStore(disk)
  const sample = new Sample(disk)
  for (let file = 0; file < 3; file++) {
    for (let i = 0; i < 12; i++) {
      sample.advance(10)
      sample.frame([1, i % 4, [40, 10, 300]], [2, 0, [20]], [1, 9, [5, 5]])
      if (file === 1) sample.frame([1, 7, [100]])
    }
    await seal(store, await sample.roll())
  }
  return { store, sample }
}

/** Reads a log from end to end, stepping over what is damaged as the message says. */
export async function readAround(
  store: SegmentStore,
  groupId: number,
  logId: number,
): Promise<{ found: Entry[]; isDamaged: boolean }> {
  const found: Entry[] = []
  let isDamaged = false
  for (let at = 0; ; ) {
    try {
      const entries = await readAll(store, groupId, logId, { entriesMax: 5 }, at)
      return { found: [...found, ...entries], isDamaged }
    } catch (error) {
      assert.ok(damaged(error), String(error))
      isDamaged = true
      for (;;) {
        const read = await readOnce(store, groupId, logId, at, { entriesMax: 1 }).catch(() => null)
        if (read === undefined) return { found, isDamaged }
        if (read === null) at++
        else {
          found.push(...read.entries)
          at = read.next
        }
        if (at > 1000) return { found, isDamaged }
      }
    }
  }
}
