import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { seededRandom } from '@millrace/base/random'
import fc from 'fast-check'
import type { Disk } from '../disk.ts'
import type { StorageError } from '../engine.ts'
import { nodeDisk } from '../node-disk.ts'
import type { SimulatedDisk } from '../simulated-disk.ts'
import { sealInWorker } from './seal-in-worker.ts'
import { type SealJournal, sealHere } from './sealer.ts'
import { segmentPath } from './segment.ts'
import type { SampleJournal } from './testing/sample-journal.ts'
import {
  assertHolds,
  DIRECTORY,
  damaged,
  openStore,
  readAll,
  readAround,
  readOnce,
  Sample,
  seal,
  simulated,
  threeFiles,
} from './testing/sealed-sample.ts'

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

test('a segment that another journal file was sealed into is not taken for the one wanted', async () => {
  const disk = await simulated()
  const store = await openStore(disk)
  const sample = new Sample(disk)
  sample.frame([1, 0, [50]])
  const first = await sample.roll()
  sample.frame([1, 0, [50]])
  await seal(store, await sample.roll())
  await disk.rename(segmentPath(DIRECTORY, 1, 2), segmentPath(DIRECTORY, 1, 1))
  const again = await openStore(disk)
  await seal(again, first)
  await seal(again, sample.last)
  await assertHolds(await openStore(disk), sample)
})

test('a frame that does not chain to the one before is no part of the journal', async () => {
  const disk = await simulated()
  const store = await openStore(disk)
  const sample = new Sample(disk)
  sample.frame([1, 0, [50]])
  sample.frame([1, 0, [50]])
  const journal = await sample.roll()
  const file = await disk.open(journal.path, { mode: 'write' })
  const header = Buffer.alloc(64)
  await file.read(header, 0, 64, 512)
  header[32] = (header[32] ?? 0) ^ 1
  header.writeUInt32LE(crc32(header.subarray(0, 60)), 60)
  await file.write(header, 0, 64, 512)
  await assert.rejects(seal(store, journal), damaged)
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

test('a damaged journal file costs the block that is damaged, or is not sealed at all', async () => {
  const disk = await simulated(3)
  const store = await openStore(disk)
  const sample = new Sample(disk)
  for (let i = 0; i < 20; i++) sample.frame([1, 0, [50]], [2, 0, [50]])
  const journal = await sample.roll()
  let costs = 0
  for (let i = 0; i < 40; i++) {
    const copy = disk.afterKill(seededRandom(i))
    const position = copy.flipBit(journal.path)
    const again = await openStore(copy)
    const outcome = await seal(again, journal).then(
      (made) => made.flatMap((segment) => segment.damaged),
      (error) => (damaged(error) ? 'damaged' : error),
    )
    if (outcome === 'damaged') assert.deepEqual([...copy.files().keys()], [journal.path])
    else if (outcome.length === 0) await assertHolds(again, sample)
    else {
      assert.equal(outcome.length, 1, `at byte ${position}`)
      const [{ groupId, logId, firstOffset }] = outcome
      const log = sample.log(groupId, logId)
      const around = await readAround(again, groupId, logId)
      assert.deepEqual(around.found, log.toSpliced(firstOffset, 1))
      costs++
      await assert.rejects(readOnce(again, groupId, logId, firstOffset), damaged)
    }
  }
  assert.ok(costs > 5)
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
  for (const [windowBytes, stride] of [
    [700, 4],
    [1_000_000, 1],
  ] as const) {
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
      if (number % stride !== 0) return
      wrecks.push(whole.afterPowerCut(seededRandom(number)), whole.afterKill(seededRandom(number)))
    }
    const sealing = { seal: sealHere(whole, { windowBytes }) }
    await seal(await openStore(whole, sealing), journal)
    assert.ok(wrecks.length > 20)
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
