// Letting go: by time for a group, by offset for a log; what it hides at once, and what survives it.
import assert from 'node:assert/strict'
import type { Log } from '../engine.ts'
import { readOnce, readTexts, START_MS, type Stand, type StandTest } from './stand.ts'

export function trimTests(test: StandTest): void {
  test('a group lets go of all entries older than a time, in every log and at once', async (stand) => {
    const one = await stand.log(1, 0, 1)
    const group = stand.engine.openGroup(1)
    const two = group.log(1)
    await stand.append(one, 'a')
    await stand.append(two, 'b')
    await stand.clock.advance(10)
    await stand.append(one, 'c')
    await stand.clock.advance(10)
    await stand.append(two, 'd')
    group.trim(START_MS + 10)
    await assertFirst(one, 1)
    await assertFirst(two, 1)
    assert.deepEqual(await readTexts(one), ['c'])
    assert.deepEqual(await readTexts(two), ['d'])
    group.trim(START_MS + 11)
    assert.deepEqual(await readTexts(one), [])
    await assertFirst(one, one.next)
    assert.deepEqual(await readTexts(two), ['d'])
  })

  test('a smaller trim time than before has no effect', async (stand) => {
    const log = await tenBlocks(stand)
    const group = stand.engine.openGroup(1)
    group.trim(START_MS + 5)
    group.trim(START_MS + 3)
    group.trim(0)
    assert.equal((await readTexts(log)).length, 5)
    await assertFirst(log, 5)
  })

  test('trimming one group leaves the others', async (stand) => {
    const log = await tenBlocks(stand)
    const other = await stand.log(2)
    await stand.append(other, 'kept')
    stand.engine.openGroup(1).trim(START_MS + 1_000_000)
    await assertFirst(log, 10)
    assert.deepEqual(await readTexts(other), ['kept'])
  })

  test('a log lets go of entries below an offset, also inside a block', async (stand) => {
    const log = await stand.log(1, 0, 1)
    const other = stand.engine.openGroup(1).log(1)
    await stand.append(log, 'a', 'b', 'c')
    await stand.append(log, 'd')
    await stand.append(other, 'kept')
    log.trim(2)
    assert.equal(log.first, 2)
    assert.deepEqual(await readTexts(log), ['c', 'd'])
    log.trim(1)
    assert.equal(log.first, 2)
    log.trim(3)
    assert.deepEqual(await readTexts(log), ['d'])
    log.trim(4)
    assert.equal(log.first, 4)
    assert.deepEqual(await readTexts(log), [])
    assert.deepEqual(await readTexts(other), ['kept'])
  })

  test('a trim past the end lets go of what is there and of nothing that comes', async (stand) => {
    const log = await tenBlocks(stand)
    log.trim(1_000_000)
    assert.equal(log.first, 10)
    assert.equal(log.next, 10)
    assert.equal((await stand.append(log, 'k')).firstOffset, 10)
    assert.deepEqual(await readTexts(log), ['k'])
  })

  test('a read below the first offset starts at the first', async (stand) => {
    const log = await tenBlocks(stand)
    log.trim(4)
    const { entries, next } = await readOnce(log, 1, { entriesMax: 2 })
    assert.deepEqual(
      entries.map((entry) => entry.offset),
      [4, 5],
    )
    assert.equal(next, 6)
    log.trim(10)
    assert.deepEqual(await readOnce(log, 3), { entries: [], texts: [], next: 10 })
  })

  test('offsetAt never gives an offset that was let go', async (stand) => {
    const log = await tenBlocks(stand)
    log.trim(4)
    assert.equal(await log.offsetAt(0), 4)
    assert.equal(await log.offsetAt(START_MS + 2), 4)
    assert.equal(await log.offsetAt(START_MS + 6), 6)
    stand.engine.openGroup(1).trim(START_MS + 7)
    assert.equal(await log.offsetAt(START_MS + 6), 7)
    log.trim(10)
    assert.equal(await log.offsetAt(0), 10)
  })

  test('a log that let go of everything keeps its next offset and last time', async (stand) => {
    const log = await tenBlocks(stand)
    await stand.clock.advance(1_000_000)
    stand.engine.openGroup(1).trim(stand.clock.now())
    await assertFirst(log, 10)
    assert.equal(log.next, 10)
    assert.equal(log.lastTimeMs, START_MS + 9)
    assert.equal((await stand.append(log, 'k')).firstOffset, 10)
    assert.deepEqual(await readTexts(log), ['k'])
  })

  test('a trimmed empty log is still empty and starts at 0', async (stand) => {
    const log = await stand.log()
    stand.engine.openGroup(1).trim(START_MS)
    log.trim(0)
    assert.equal(log.first, 0)
    assert.equal((await stand.append(log, 'a')).firstOffset, 0)
    assert.deepEqual(await readTexts(log), ['a'])
  })
}

/** After a trim by time, `first` may rise in steps, but gets there and never passes it. */
async function assertFirst(log: Log, offset: number): Promise<void> {
  for (let turn = 0; turn < 1000 && log.first < offset; turn++) await new Promise(setImmediate)
  assert.equal(log.first, offset)
}

/** Ten blocks of one entry each, 1 ms apart. */
async function tenBlocks(stand: Stand): Promise<Log> {
  const log = await stand.log()
  for (let i = 0; i < 10; i++) {
    if (i > 0) await stand.clock.advance(1)
    await stand.append(log, `${i}`)
  }
  return log
}
