import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@millrace/base/random'
import type { StorageError } from '../engine.ts'
import { segmentPath } from './segment.ts'
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

test('a flipped bit costs at most the reads that need it, and no read is wrong', async () => {
  const disk = await simulated(11)
  const { sample } = await threeFiles(disk)
  const path = segmentPath(DIRECTORY, 1, 2)
  const size = disk.files().get(path) ?? 0
  let failures = 0
  for (let position = 0; position < size; position += 157) {
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

test('an index made again without some blocks never lets a read pass over them', async () => {
  const disk = await simulated(2)
  const store = await openStore(disk)
  const sample = new Sample(disk)
  for (let i = 0; i < 10; i++) sample.frame([1, 0, [100]], [1, 1, [100]])
  await seal(store, await sample.roll())
  const path = segmentPath(DIRECTORY, 1, 1)
  const file = await disk.open(path, { mode: 'read' })
  const bytes = Buffer.alloc(await file.size())
  await file.read(bytes, 0, bytes.length, 0)
  for (const text of ['1/0/6;', '1/1/0;', '1/1/9;']) disk.flipBit(path, bytes.indexOf(text))
  disk.flipBit(path, bytes.readDoubleLE(32) + 50)
  const again = await openStore(disk)
  assert.equal((await readOnce(again, 1, 0, 0))?.next, 6)
  await assert.rejects(readOnce(again, 1, 0, 6), damaged)
  assert.deepEqual((await readOnce(again, 1, 0, 7))?.entries, sample.log(1, 0).slice(7))
  await assert.rejects(readOnce(again, 1, 1, 0), damaged)
  assert.deepEqual((await readOnce(again, 1, 1, 1))?.entries, sample.log(1, 1).slice(1, 9))
  await assert.rejects(readOnce(again, 1, 1, 9, {}, 10), damaged)
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
