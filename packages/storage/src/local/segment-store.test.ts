import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLogger } from '@millrace/base/logger'
import { seededRandom } from '@millrace/base/random'
import fc from 'fast-check'
import type { Disk } from '../disk.ts'
import { eachEntry, type ReadBounds, StorageError } from '../engine.ts'
import { nodeDisk } from '../node-disk.ts'
import { SimulatedDisk } from '../simulated-disk.ts'
import { type SampleBlock, type SampleJournal, writeSampleJournal } from './sample-journal.ts'
import { sealInWorker } from './seal-in-worker.ts'
import { type SealJournal, sealHere } from './sealer.ts'
import { segmentPath } from './segment.ts'
import { SegmentStore, type SegmentStoreOptions } from './segment-store.ts'

const DIRECTORY = '/data/segments'
const ORPHANS = '/data/orphans'
const UNBOUNDED: ReadBounds = { entriesMax: 1_000_000, bytesMax: 1_000_000_000 }

interface Entry {
  readonly offset: number
  readonly timeMs: number
  readonly text: string
}

/** Makes blocks with rising offsets and times, and remembers what each log should give. */
class Sample {
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

async function simulated(seed = 1): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk({ random: seededRandom(seed), tearsWithinSectors: true })
  await disk.makeDirectory('/data')
  await disk.syncDirectory('/')
  return disk
}

function openStore(disk: Disk, options: Partial<SegmentStoreOptions> = {}): Promise<SegmentStore> {
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

function seal(
  store: SegmentStore,
  journal: SampleJournal,
  skipGroups: number[] = [],
): Promise<void> {
  return store.seal({ ...journal, skipGroups })
}

async function readOnce(
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

async function readAll(
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

async function assertHolds(store: SegmentStore, sample: Sample): Promise<void> {
  for (const [key, entries] of sample.logs) {
    const [groupId = 0, logId = 0] = key.split('/').map(Number)
    assert.deepEqual(await readAll(store, groupId, logId), entries, key)
  }
}

const damaged = (error: unknown): boolean =>
  error instanceof StorageError && error.code === 'damaged'

/** Three journal files of two groups and several logs, sealed. */
async function threeFiles(disk: SimulatedDisk): Promise<{ store: SegmentStore; sample: Sample }> {
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

test('what a journal file held is read back from segments, log by log', async () => {
  const { store, sample } = await threeFiles(await simulated())
  await assertHolds(store, sample)
  assert.equal(store.metrics().segments, 6)
  assert.ok(store.hasSealed(2))
  assert.ok(!store.hasSealed(4))
})

test('segments are found again after a restart', async () => {
  const disk = await simulated()
  const { sample } = await threeFiles(disk)
  for (const after of [disk.afterPowerCut(), disk.afterKill()]) {
    await assertHolds(await openStore(after), sample)
  }
})

test('an offset that no segment holds is answered with undefined', async () => {
  const { store, sample } = await threeFiles(await simulated())
  const end = sample.log(1, 0).length
  assert.equal(await readOnce(store, 1, 0, end), undefined)
  assert.equal(await readOnce(store, 1, 0, end + 5), undefined)
  assert.equal(await readOnce(store, 1, 6, 0), undefined)
  assert.equal(await readOnce(store, 1, 10_000, 0), undefined)
  assert.equal(await readOnce(store, 3, 0, 0), undefined)
  assert.equal(await readOnce(store, 1, 0, 5, {}, 5), undefined)
})

test('a read ends before the offset it is told, inside blocks and between segments', async () => {
  const { store, sample } = await threeFiles(await simulated())
  const log = sample.log(1, 0)
  for (let before = 1; before <= log.length; before++) {
    const read = await readOnce(store, 1, 0, 0, {}, before)
    assert.deepEqual(read?.entries, log.slice(0, before))
    assert.equal(read?.next, before)
  }
})

test('reads keep their bounds across blocks and segments, and give at least one entry', async () => {
  const { store, sample } = await threeFiles(await simulated())
  const log = sample.log(1, 1)
  for (const from of [0, 1, 8, 9, 10, 17, 26]) {
    for (const entriesMax of [1, 2, 3, 9, 20]) {
      const read = await readOnce(store, 1, 1, from, { entriesMax })
      assert.deepEqual(read?.entries, log.slice(from, from + entriesMax))
    }
    for (const bytesMax of [1, 39, 40, 41, 349, 350, 351, 1000]) {
      const read = await readOnce(store, 1, 1, from, { bytesMax })
      let bytes = 0
      const expected = log.slice(from).filter((entry, index) => {
        bytes += entry.text.length
        return bytes <= bytesMax || index === 0
      })
      assert.deepEqual(read?.entries, expected)
    }
  }
})

test('old entries are passed over, also when whole segments are too old', async () => {
  const { store, sample } = await threeFiles(await simulated())
  const log = sample.log(1, 2)
  for (const entry of [...log, { timeMs: sample.nowMs + 1 }]) {
    const notBeforeMs = entry.timeMs
    const expected = log.filter(({ timeMs }) => timeMs >= notBeforeMs)
    assert.deepEqual(await readAll(store, 1, 2, { notBeforeMs }), expected)
    const one = await readOnce(store, 1, 2, 0, { notBeforeMs, entriesMax: 1 })
    assert.deepEqual(one?.entries, expected.slice(0, 1))
  }
})

test('first offsets and offsets by time are those of the oldest segments that have them', async () => {
  const { store, sample } = await threeFiles(await simulated())
  assert.equal(await store.firstOffset(1, 0), 0)
  assert.equal(await store.firstOffset(1, 7), 0)
  assert.equal(await store.firstOffset(1, 5), undefined)
  assert.equal(await store.firstOffset(9, 0), undefined)
  for (const [groupId, logId] of [
    [1, 0],
    [1, 7],
    [2, 0],
  ] as const) {
    const log = sample.log(groupId, logId)
    for (let timeMs = 1_000_000 - 5; timeMs <= sample.nowMs + 5; timeMs += 5) {
      const expected = log.find((entry) => entry.timeMs >= timeMs)?.offset
      assert.equal(await store.offsetAt(groupId, logId, timeMs), expected)
    }
  }
})

test('groups to skip and the engine’s own group get no segment', async () => {
  const disk = await simulated()
  const store = await openStore(disk)
  const sample = new Sample(disk)
  sample.frame([0, 0, [10]], [1, 0, [10]], [2, 0, [10]])
  await seal(store, await sample.roll(), [2])
  assert.deepEqual(await disk.list(DIRECTORY), ['1'])
})

test('a journal file of nothing but skipped groups makes nothing', async () => {
  const disk = await simulated()
  const store = await openStore(disk)
  const sample = new Sample(disk)
  sample.frame([0, 1, [100]])
  sample.frame([5, 0, [10]])
  await seal(store, await sample.roll(), [5])
  assert.deepEqual(await disk.list(DIRECTORY), [])
})

test('sealing again keeps what is there and makes what is missing', async () => {
  const disk = await simulated()
  const { store, sample } = await threeFiles(disk)
  await disk.remove(segmentPath(DIRECTORY, 2, 3))
  const again = await openStore(disk)
  await seal(again, sample.last)
  await assertHolds(again, sample)
  disk.onStep = ({ operation }) => assert.notEqual(operation, 'write', 'all is there')
  await seal(again, sample.last)
  assert.equal(again.metrics().segments, 6)
  await store.close()
})

test('large blocks, windows and groups of every size come out as they went in', async () => {
  const disk = await simulated()
  for (const windowBytes of [64, 1000, 5000, 100_000]) {
    const directory = `/data/${windowBytes}`
    const store = await openStore(disk, { directory, seal: sealHere(disk, { windowBytes }) })
    const sample = new Sample(disk)
    const random = seededRandom(windowBytes)
    for (let i = 0; i < 60; i++) {
      const lengths = Array.from({ length: 1 + random.integer(4) }, () => random.integer(400))
      sample.frame([1 + random.integer(3), random.integer(5), lengths])
      if (i % 20 === 0) sample.frame([2, 3, [30_000, 1]])
    }
    await disk.makeDirectory(`/data/j${windowBytes}`)
    await seal(store, await sample.roll(`/data/j${windowBytes}`))
    await assertHolds(store, sample)
  }
})

test('many logs are found through pages of their own', async () => {
  const disk = await simulated()
  const store = await openStore(disk, { cacheBytesMax: 20_000 })
  const sample = new Sample(disk)
  for (let i = 0; i < 700; i++) sample.frame([1, (i * 7919) % 1_000_003, [10]])
  await seal(store, await sample.roll())
  await assertHolds(store, sample)
  for (const absent of [1, 5, 999_999, 4_000_000_000]) {
    if (!sample.logs.has(`1/${absent}`)) {
      assert.equal(await readOnce(store, 1, absent, 0), undefined)
    }
  }
  assert.ok(store.metrics().bytesCached <= 20_000 + 16 * 1024 * 1024)
})

test('trimming removes whole files, oldest first, and gives their bytes', async () => {
  const disk = await simulated()
  const { store, sample } = await threeFiles(disk)
  const log = sample.log(1, 0)
  const second = log.findIndex((entry) => entry.timeMs > 1_000_000 + 120)
  assert.equal(await store.trim(1, 1_000_000 + 120), 0)
  const size = disk.files().get(segmentPath(DIRECTORY, 1, 1))
  assert.equal(await store.trim(1, 1_000_000 + 121), size)
  assert.equal(disk.files().has(segmentPath(DIRECTORY, 1, 1)), false)
  assert.deepEqual((await readOnce(store, 1, 0, 0))?.entries[0], log[second])
  assert.equal(await store.firstOffset(1, 0), second)
  assert.deepEqual(await readAll(store, 2, 0), sample.log(2, 0))
  assert.ok((await store.trim(1, sample.nowMs + 1)) > 0)
  assert.equal(await readOnce(store, 1, 0, 0), undefined)
  assert.equal(await store.trim(1, sample.nowMs + 1), 0)
  assert.deepEqual(
    [...disk.crash().files().keys()].filter((path) => path.startsWith(`${DIRECTORY}/1`)),
    [],
  )
})

test('a deleted group leaves no file and no folder, and others stay', async () => {
  const disk = await simulated()
  const { store, sample } = await threeFiles(disk)
  await store.deleteGroup(1)
  assert.equal(await readOnce(store, 1, 0, 0), undefined)
  assert.deepEqual(await disk.list(DIRECTORY), ['2'])
  assert.deepEqual(await readAll(store, 2, 0), sample.log(2, 0))
  await store.deleteGroup(1)
  await store.deleteGroup(77)
})

test('a group deleted while its journal file is sealed leaves nothing behind', async () => {
  const disk = await simulated()
  const store = await openStore(disk)
  const sample = new Sample(disk)
  sample.frame([1, 0, [10]], [2, 0, [10]])
  const journal = await sample.roll()
  let deletion: Promise<void> | undefined
  disk.onStep = ({ operation }) => {
    if (operation === 'sync') deletion ??= store.deleteGroup(1)
  }
  await seal(store, journal)
  await deletion
  assert.equal(await readOnce(store, 1, 0, 0), undefined)
  assert.deepEqual(await readAll(store, 2, 0), sample.log(2, 0))
  assert.deepEqual(await disk.list(DIRECTORY), ['2'])
})

test('reads race with trims and deletes and never give wrong entries', async () => {
  const disk = await simulated()
  const { store, sample } = await threeFiles(disk)
  const log = sample.log(1, 0)
  const reads = Array.from({ length: 30 }, (_, i) =>
    readAll(store, 1, 0, { entriesMax: 1 + (i % 5) }),
  )
  await store.trim(1, 1_000_000 + 121)
  await store.deleteGroup(1)
  for (const entries of await Promise.all(reads)) {
    for (const entry of entries) assert.deepEqual(entry, log[entry.offset])
  }
})

test('unknown names go to the orphans; unfinished segments and deleted groups are removed', async () => {
  const disk = await simulated()
  const { sample } = await threeFiles(disk)
  const touch = async (path: string): Promise<void> =>
    (await disk.open(path, { mode: 'create' })).close()
  await touch(`${DIRECTORY}/1/notes.txt`)
  await touch(`${DIRECTORY}/1/${'9'.repeat(20)}.segment`)
  await touch(`${DIRECTORY}/stray`)
  await touch(`${segmentPath(DIRECTORY, 1, 8)}.new`)
  await disk.makeDirectory(`${DIRECTORY}/007`)
  await disk.makeDirectory(`${DIRECTORY}/9`)
  await disk.makeDirectory(ORPHANS)
  await touch(`${ORPHANS}/stray`)
  const store = await openStore(disk, {
    isLive: (id) => id === 1,
    wasDeleted: (id) => id === 2,
  })
  assert.deepEqual(await disk.list(DIRECTORY), ['1'])
  assert.deepEqual((await disk.list(`${DIRECTORY}/1`)).length, 3)
  assert.deepEqual(await disk.list(ORPHANS), [
    '007',
    `1-${'9'.repeat(20)}.segment`,
    '1-notes.txt',
    '9',
    'stray',
    'stray.1',
  ])
  assert.deepEqual(await readAll(store, 1, 0), sample.log(1, 0))
})

test('a damaged journal file is not sealed, and nothing of it is left', async () => {
  const disk = await simulated(3)
  const store = await openStore(disk)
  const sample = new Sample(disk)
  for (let i = 0; i < 20; i++) sample.frame([1, 0, [50]], [2, 0, [50]])
  const journal = await sample.roll()
  for (let i = 0; i < 40; i++) {
    const copy = disk.afterKill(seededRandom(i))
    const position = copy.flipBit(journal.path)
    const again = await openStore(copy)
    const outcome = await seal(again, journal).then(
      () => 'sealed',
      (error) => (damaged(error) ? 'damaged' : error),
    )
    if (outcome === 'sealed') await assertHolds(again, sample)
    else assert.equal(outcome, 'damaged', `at byte ${position}`)
    if (outcome === 'damaged') assert.deepEqual([...copy.files().keys()], [journal.path])
  }
  await assert.rejects(seal(store, { ...journal, usedBytes: journal.usedBytes + 512 }), damaged)
  await assert.rejects(seal(store, { ...journal, sequence: 2 }), damaged)
  await seal(store, journal)
  await assertHolds(store, sample)
})

test('sealing on a full disk fails, gives the space back, and works when there is room', async () => {
  const disk = await simulated()
  const store = await openStore(disk)
  const sample = new Sample(disk)
  for (let i = 0; i < 30; i++) sample.frame([1, 0, [1000]], [2, 0, [1000]])
  const journal = await sample.roll()
  const used = disk.usedBytes
  disk.capacityBytes = used + 40_000
  await assert.rejects(seal(store, journal), { code: 'ENOSPC' })
  assert.ok(disk.usedBytes <= used + 3 * 4096)
  disk.capacityBytes = used + 200_000
  await seal(store, journal)
  await assertHolds(store, sample)
})

test('a sync that fails fails the sealing, and the next one writes everything again', async () => {
  const disk = await simulated()
  const store = await openStore(disk)
  const sample = new Sample(disk)
  for (let i = 0; i < 30; i++) sample.frame([1, 0, [1000]], [2, 0, [1000]])
  const journal = await sample.roll()
  disk.fail({ operations: ['sync'], path: 'segment', code: 'EIO', times: 1 })
  await assert.rejects(seal(store, journal), { code: 'EIO' })
  await seal(store, journal)
  await assertHolds(await openStore(disk.crash()), sample)
})

test('after a crash at any step of a sealing it can be done again, and nothing is lost', async () => {
  for (const windowBytes of [700, 1_000_000]) {
    const script = async (
      disk: SimulatedDisk,
    ): Promise<{ journal: SampleJournal; sample: Sample }> => {
      const sample = new Sample(disk)
      for (let i = 0; i < 6; i++) sample.frame([1, i % 2, [100, 30]], [2, 0, [200]], [3, i, [10]])
      const journal = await sample.roll()
      await disk.syncDirectory('/data')
      return { journal, sample }
    }
    const whole = await simulated(5)
    const { journal, sample } = await script(whole)
    const wrecks: SimulatedDisk[] = []
    whole.onStep = ({ number }) => {
      wrecks.push(whole.afterPowerCut(seededRandom(number)), whole.afterKill(seededRandom(number)))
    }
    const sealing = { seal: sealHere(whole, { windowBytes }) }
    await seal(await openStore(whole, sealing), journal)
    assert.ok(wrecks.length > 40)
    for (const wreck of wrecks) {
      const store = await openStore(wreck)
      // What is there after a crash may be incomplete, but is never wrong.
      for (const [key, entries] of sample.logs) {
        const [groupId = 0, logId = 0] = key.split('/').map(Number)
        const found = await readAll(store, groupId, logId)
        if (found.length > 0) assert.deepEqual(found, entries)
      }
      await seal(store, journal)
      await assertHolds(store, sample)
      assert.equal([...wreck.files().keys()].filter((path) => path.endsWith('.new')).length, 0)
      await assertHolds(await openStore(wreck.crash()), sample)
    }
  }
})

test('closing stops a sealing under way', async () => {
  const disk = await simulated()
  const store = await openStore(disk)
  const sample = new Sample(disk)
  for (let i = 0; i < 30; i++) sample.frame([1, 0, [1000]])
  const journal = await sample.roll()
  const release = disk.stall({ operations: ['write'], path: 'segment' })
  const sealing = seal(store, journal)
  const closing = store.close()
  release()
  await assert.rejects(sealing, (error: StorageError) => error.code === 'closed')
  await closing
  await assert.rejects(seal(store, journal), (error: StorageError) => error.code === 'closed')
})

test('a flipped bit costs at most the reads that need it, and no read is wrong', async () => {
  const disk = await simulated(11)
  const { sample } = await threeFiles(disk)
  const path = segmentPath(DIRECTORY, 1, 2)
  const size = disk.files().get(path) ?? 0
  let failures = 0
  for (let position = 0; position < size; position += 61) {
    const copy = disk.afterKill(seededRandom(position))
    copy.flipBit(path, position)
    const store = await openStore(copy)
    let damagedLogs = 0
    for (const [key, entries] of sample.logs) {
      const [groupId = 0, logId = 0] = key.split('/').map(Number)
      const { found, isDamaged } = await readAround(store, groupId, logId)
      if (isDamaged) {
        damagedLogs++
        assert.equal(groupId, 1)
        for (const entry of found) assert.deepEqual(entry, entries[entry.offset])
        assert.ok(found.length >= entries.length - 3, 'only one block is missing')
      } else assert.deepEqual(found, entries)
    }
    assert.ok(damagedLogs <= 1, 'one log is hurt at most')
    failures += damagedLogs
    await store.close()
  }
  assert.ok(failures > 0)
})

/** Reads a log from end to end, stepping over what is damaged as the message says. */
async function readAround(
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

test('a damaged index is mended on disk, byte for byte', async () => {
  const disk = await simulated(2)
  const { sample } = await threeFiles(disk)
  const path = segmentPath(DIRECTORY, 1, 1)
  const bytesOf = async (): Promise<Buffer> => {
    const file = await disk.open(path, { mode: 'read' })
    const bytes = Buffer.alloc(await file.size())
    await file.read(bytes, 0, bytes.length, 0)
    await file.close()
    return bytes
  }
  const before = await bytesOf()
  const index = before.readDoubleLE(32)
  for (const position of [0, 5, 33, 62, index, index + 5, index + 100, before.length - 70]) {
    disk.flipBit(path, position)
    assert.notDeepEqual(await bytesOf(), before)
    const store = await openStore(disk)
    await assertHolds(store, sample)
    await store.close()
    assert.deepEqual(await bytesOf(), before)
  }
  const file = await disk.open(path, { mode: 'write' })
  await file.truncate(before.length - 30)
  await file.close()
  const store = await openStore(disk)
  await assertHolds(store, sample)
  assert.deepEqual(await bytesOf(), before)
})

test('a segment without head and foot fails the reads that may need it, and no others', async () => {
  const disk = await simulated(2)
  const { sample } = await threeFiles(disk)
  const path = segmentPath(DIRECTORY, 1, 2)
  disk.flipBit(path, 20)
  disk.flipBit(path, (disk.files().get(path) ?? 0) - 20)
  const store = await openStore(disk)
  const log = sample.log(1, 0)
  assert.deepEqual(await readAll(store, 2, 0), sample.log(2, 0))
  const first = await readOnce(store, 1, 0, 0)
  assert.deepEqual(first?.entries, log.slice(0, log.length / 3))
  await assert.rejects(readOnce(store, 1, 0, log.length / 3), damaged)
  const last = (log.length / 3) * 2
  assert.deepEqual((await readOnce(store, 1, 0, last))?.entries, log.slice(last))
  await assert.rejects(readOnce(store, 1, 7, 0), damaged)
  assert.ok((await store.trim(1, sample.nowMs + 1)) > 0)
  assert.equal(await readOnce(store, 1, 0, 0), undefined)
})

test('a read that meets damage gives what comes before it, then says so', async () => {
  const disk = await simulated(2)
  const store = await openStore(disk)
  const sample = new Sample(disk)
  for (let i = 0; i < 10; i++) sample.frame([1, 0, [100]])
  await seal(store, await sample.roll())
  const path = segmentPath(DIRECTORY, 1, 1)
  const text = Buffer.from('1/0/6;')
  const file = await disk.open(path, { mode: 'read' })
  const bytes = Buffer.alloc(await file.size())
  await file.read(bytes, 0, bytes.length, 0)
  disk.flipBit(path, bytes.indexOf(text))
  const again = await openStore(disk)
  assert.equal((await readOnce(again, 1, 0, 0))?.next, 6)
  await assert.rejects(readOnce(again, 1, 0, 6), (error: StorageError) => {
    assert.equal(error.code, 'damaged')
    assert.ok(error.message.includes(path))
    assert.ok(error.message.includes('offset 7'))
    return true
  })
  assert.equal((await readOnce(again, 1, 0, 7))?.entries.length, 3)
})

test('a disk that cannot read says damaged and is asked again next time', async () => {
  const disk = await simulated(2)
  const { sample } = await threeFiles(disk)
  const store = await openStore(disk)
  disk.fail({ operations: ['read'], path: segmentPath(DIRECTORY, 1, 1), code: 'EIO', times: 1 })
  await assert.rejects(readOnce(store, 1, 0, 0), damaged)
  await assertHolds(store, sample)
})

test('random journals are sealed and read back whatever the bounds', async () => {
  const frame = fc.array(
    fc.record({
      groupId: fc.integer({ min: 1, max: 4 }),
      logId: fc.integer({ min: 0, max: 5 }),
      lengths: fc.array(fc.nat({ max: 200 }), { minLength: 1, maxLength: 5 }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  const file = fc.array(frame, { minLength: 1, maxLength: 12, size: 'max' })
  const probe = fc.record({
    groupId: fc.integer({ min: 1, max: 4 }),
    logId: fc.integer({ min: 0, max: 5 }),
    from: fc.nat({ max: 60 }),
    span: fc.nat({ max: 60 }),
    entriesMax: fc.integer({ min: 1, max: 20 }),
    bytesMax: fc.integer({ min: 1, max: 600 }),
    agoMs: fc.nat({ max: 60 }),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.array(file, { minLength: 1, maxLength: 4 }),
      fc.array(probe, { maxLength: 30, size: 'max' }),
      async (seed, files, probes) => {
        const disk = await simulated(seed)
        const store = await openStore(disk, { seal: sealHere(disk, { windowBytes: 2000 }) })
        const sample = new Sample(disk)
        for (const frames of files) {
          for (const blocks of frames) {
            sample.advance(1)
            sample.frame(...blocks.map((b) => [b.groupId, b.logId, b.lengths] as const))
          }
          await seal(store, await sample.roll())
        }
        await assertHolds(store, sample)
        for (const { groupId, logId, from, span, entriesMax, bytesMax, agoMs } of probes) {
          const notBeforeMs = sample.nowMs - agoMs
          const before = from + span
          const bounds = { entriesMax, bytesMax, notBeforeMs }
          const read = await readOnce(store, groupId, logId, from, bounds, before)
          const log = sample.log(groupId, logId)
          const inRange = log.filter(({ offset }) => offset >= from && offset < before)
          let bytes = 0
          const expected = inRange
            .filter(({ timeMs }) => timeMs >= notBeforeMs)
            .filter(({ text }, index) => {
              bytes += text.length
              return index === 0 || (index < entriesMax && bytes <= bytesMax)
            })
          assert.deepEqual(read?.entries ?? [], expected)
          assert.equal(read === undefined, inRange.length === 0)
          if (read === undefined) continue
          const end = expected.at(-1)
          assert.equal(read.next, end === undefined ? inRange.at(-1)!.offset + 1 : end.offset + 1)
        }
      },
    ),
    { numRuns: 40 },
  )
})

async function onRealDisk(
  body: (directory: string, disk: Disk, sealing: SealJournal) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-segments-'))
  try {
    await body(directory, nodeDisk(), sealInWorker)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

test('a thread seals on the real disk as this one does', async () => {
  await onRealDisk(async (folder, disk, sealing) => {
    const directory = join(folder, 'segments')
    const options = { directory, orphans: join(folder, 'orphans'), seal: sealing }
    const store = await openStore(disk, options)
    const sample = new Sample(disk)
    for (let i = 0; i < 200; i++) sample.frame([1 + (i % 3), i % 11, [i * 10, 5]])
    await seal(store, await sample.roll(folder))
    await assertHolds(store, sample)
    await store.close()
    const again = await openStore(disk, options)
    await assertHolds(again, sample)
    await again.close()
  })
})

test('what goes wrong in the thread comes back as it was', async () => {
  await onRealDisk(async (folder, disk, sealing) => {
    const directory = join(folder, 'segments')
    const store = await openStore(disk, {
      directory,
      orphans: join(folder, 'orphans'),
      seal: sealing,
    })
    const sample = new Sample(disk)
    sample.frame([1, 0, [10]])
    const journal = await sample.roll(folder)
    const { usedBytes } = journal
    await assert.rejects(seal(store, { ...journal, usedBytes: usedBytes * 2 }), damaged)
    await assert.rejects(seal(store, { ...journal, path: join(folder, 'none') }), {
      code: 'ENOENT',
    })
    const sealed = seal(store, journal)
    await store.close()
    await sealed.catch((error: StorageError) => assert.equal(error.code, 'closed'))
  })
})
