import assert from 'node:assert/strict'
import { test } from 'node:test'
import { segmentPath } from './segment.ts'
import {
  assertHolds,
  DIRECTORY,
  ORPHANS,
  openStore,
  readAll,
  readOnce,
  simulated,
  threeFiles,
} from './testing/sealed-sample.ts'

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

test('files of a deleted group that could not be removed go at the next start', async () => {
  const disk = await simulated()
  const { store } = await threeFiles(disk)
  disk.fail({ operations: ['remove'], code: 'EIO', times: 1 })
  await store.deleteGroup(1)
  assert.equal(await readOnce(store, 1, 0, 0), undefined)
  assert.deepEqual(await disk.list(DIRECTORY), ['1', '2'])
  await openStore(disk, { isLive: (id) => id === 2 })
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
  await touch(`${DIRECTORY}/1-notes.txt`)
  await touch(`${DIRECTORY}/3`)
  await disk.makeDirectory(`${DIRECTORY}/007`)
  await disk.makeDirectory(`${DIRECTORY}/9`)
  await disk.makeDirectory(ORPHANS)
  await touch(`${ORPHANS}/stray`)
  const store = await openStore(disk, {
    isLive: (id) => id === 1 || id === 3,
    wasDeleted: (id) => id === 2,
  })
  assert.deepEqual(await disk.list(DIRECTORY), ['1'])
  assert.deepEqual((await disk.list(`${DIRECTORY}/1`)).length, 3)
  assert.deepEqual(await disk.list(ORPHANS), [
    '007',
    `1-${'9'.repeat(20)}.segment`,
    '1-notes.txt',
    '1-notes.txt.1',
    '3',
    '9',
    'stray',
    'stray.1',
  ])
  assert.deepEqual(await readAll(store, 1, 0), sample.log(1, 0))
})
