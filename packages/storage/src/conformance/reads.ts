// Reads: where they start, what bounds them, where they go on, and finding an offset by time.
import assert from 'node:assert/strict'
import type { Log, ReadResult } from '../engine.ts'
import {
  readAll,
  readOnce,
  readTexts,
  START_MS,
  type Stand,
  type StandTest,
  take,
  UNBOUNDED,
} from './stand.ts'

export function readTests(test: StandTest): void {
  test('a read starts at its offset, also inside a block', async (stand) => {
    const log = await threeBlocks(stand)
    const all = ['a0', 'a1', 'a2', 'b3', 'c4', 'c5', 'c6']
    for (let from = 0; from <= 7; from++) {
      const { texts, next } = await readOnce(log, from)
      assert.deepEqual(texts, all.slice(from))
      assert.equal(next, 7)
    }
  })

  test('a read at the end gives nothing and stays where it is', async (stand) => {
    const log = await threeBlocks(stand)
    assert.deepEqual(await readOnce(log, 7), { entries: [], texts: [], next: 7 })
    await stand.append(log, 'd7')
    assert.deepEqual((await readOnce(log, 7)).texts, ['d7'])
  })

  test('a read of an empty log gives nothing', async (stand) => {
    const log = await stand.log()
    assert.deepEqual(await readOnce(log, 0), { entries: [], texts: [], next: 0 })
    assert.deepEqual(await readOnce(log, 0, { notBeforeMs: START_MS }), {
      entries: [],
      texts: [],
      next: 0,
    })
  })

  test('a read gives at most entriesMax entries, across and inside blocks', async (stand) => {
    const log = await threeBlocks(stand)
    for (let entriesMax = 1; entriesMax <= 8; entriesMax++) {
      for (let from = 0; from < 7; from++) {
        const { texts, next } = await readOnce(log, from, { entriesMax })
        assert.equal(texts.length, Math.min(entriesMax, 7 - from))
        assert.equal(next, from + texts.length)
      }
    }
  })

  test('a read gives at most bytesMax bytes of entries, but at least one entry', async (stand) => {
    const log = await stand.log()
    await stand.append(log, 'x'.repeat(10), 'x'.repeat(20))
    await stand.append(log, 'x'.repeat(30))
    const lengthsFor = async (from: number, bytesMax: number): Promise<number[]> =>
      (await readOnce(log, from, { bytesMax })).entries.map((entry) => entry.bytes.length)
    assert.deepEqual(await lengthsFor(0, 60), [10, 20, 30])
    assert.deepEqual(await lengthsFor(0, 59), [10, 20])
    assert.deepEqual(await lengthsFor(0, 30), [10, 20])
    assert.deepEqual(await lengthsFor(0, 29), [10])
    assert.deepEqual(await lengthsFor(0, 1), [10])
    assert.deepEqual(await lengthsFor(1, 1), [20])
    assert.deepEqual(await lengthsFor(2, 29), [30])
  })

  test('empty entries cost no bytes but count as entries', async (stand) => {
    const log = await stand.log()
    await stand.append(log, '', '', '')
    assert.equal((await readOnce(log, 0, { bytesMax: 1 })).entries.length, 3)
    assert.equal((await readOnce(log, 0, { entriesMax: 2 })).entries.length, 2)
  })

  test('reading in small steps gives what one read gives', async (stand) => {
    const log = await stand.log()
    for (let i = 0; i < 30; i++) {
      await stand.append(log, ...Array.from({ length: 1 + (i % 7) }, (_, k) => `${i}.${k}`))
    }
    const whole = await readTexts(log)
    for (const bounds of [
      { entriesMax: 1 },
      { entriesMax: 5 },
      { bytesMax: 1 },
      { bytesMax: 17 },
    ]) {
      const stepped = await readAll(log, 0, bounds)
      assert.deepEqual(
        stepped.map((entry) => `${entry.bytes}`),
        whole,
      )
    }
  })

  test('entries older than notBeforeMs are passed over, and the read goes on behind them', async (stand) => {
    const log = await threeBlocks(stand)
    const since = async (afterMs: number, from = 0, entriesMax = 100) =>
      await readOnce(log, from, { notBeforeMs: START_MS + afterMs, entriesMax })
    assert.deepEqual((await since(0)).texts.length, 7)
    assert.deepEqual((await since(1)).texts, ['b3', 'c4', 'c5', 'c6'])
    assert.deepEqual((await since(100)).texts, ['b3', 'c4', 'c5', 'c6'])
    assert.deepEqual((await since(101)).texts, ['c4', 'c5', 'c6'])
    assert.deepEqual((await since(101, 5)).texts, ['c5', 'c6'])
    const first = await since(100, 0, 1)
    assert.deepEqual(first.texts, ['b3'])
    assert.equal(first.next, 4)
    const none = await since(201)
    assert.deepEqual(none.texts, [])
    assert.equal(none.next, 7)
  })

  test('passed-over entries do not count against the bounds', async (stand) => {
    const log = await stand.log()
    for (let i = 0; i < 50; i++) await stand.append(log, 'old '.repeat(100))
    await stand.clock.advance(10)
    await stand.append(log, 'new')
    const { texts, next } = await readOnce(log, 0, {
      notBeforeMs: START_MS + 10,
      entriesMax: 1,
      bytesMax: 1,
    })
    assert.deepEqual(texts, ['new'])
    assert.equal(next, 51)
  })

  test('offsetAt finds the first entry of a time or later', async (stand) => {
    const log = await threeBlocks(stand)
    const at = async (afterMs: number): Promise<number> => await log.offsetAt(START_MS + afterMs)
    assert.equal(await log.offsetAt(0), 0)
    assert.equal(await at(0), 0)
    assert.equal(await at(1), 3)
    assert.equal(await at(100), 3)
    assert.equal(await at(101), 4)
    assert.equal(await at(200), 4)
    assert.equal(await at(201), 7)
    assert.equal(await (await stand.log(2)).offsetAt(0), 0)
  })

  test('offsetAt gives the first of several blocks of one time', async (stand) => {
    const log = await stand.log()
    await stand.append(log, 'a')
    await stand.clock.advance(5)
    for (let i = 0; i < 10; i++) await stand.append(log, 'b')
    await stand.clock.advance(5)
    await stand.append(log, 'c')
    assert.equal(await log.offsetAt(START_MS + 5), 1)
    assert.equal(await log.offsetAt(START_MS + 6), 11)
  })

  test('a read held open keeps its bytes while the log goes on', async (stand) => {
    const log = await threeBlocks(stand)
    const held = await log.read(0, UNBOUNDED)
    for (let i = 0; i < 300; i++) await stand.append(log, `more ${i} `.repeat(50))
    log.trim(5)
    assert.deepEqual(
      take(held).map((entry) => `${entry.bytes}`),
      ['a0', 'a1', 'a2', 'b3', 'c4', 'c5', 'c6'],
    )
  })

  test('many reads at once, released in any order or never, all see right bytes', async (stand) => {
    const log = await stand.log()
    for (let i = 0; i < 100; i++) await stand.append(log, `${i}`.padStart(200, '.'))
    const results: ReadResult[] = await Promise.all(
      Array.from(
        { length: 30 },
        async (_, i) => await log.read(i * 3, { ...UNBOUNDED, entriesMax: 9 }),
      ),
    )
    results.reverse()
    for (const [index, result] of results.entries()) {
      const from = (29 - index) * 3
      if (index % 5 === 0) continue
      for (const { offset, bytes } of take(result)) {
        assert.ok(offset >= from && offset < from + 9)
        assert.equal(`${bytes}`, `${offset}`.padStart(200, '.'))
      }
    }
  })

  test('logs of one group and of other groups never show in each other', async (stand) => {
    const logs: Log[] = []
    for (const id of [1, 2, 3]) {
      const group = await stand.engine.createGroup(id, [0, 1])
      logs.push(group.log(0), group.log(1))
    }
    for (let i = 0; i < 60; i++) {
      const log = logs[(i * 7) % logs.length]!
      await stand.append(log, `${log.groupId}/${log.id}`)
    }
    for (const log of logs) {
      const texts = await readTexts(log)
      assert.equal(texts.length, 10)
      assert.ok(texts.every((text) => text === `${log.groupId}/${log.id}`))
    }
  })
}

/** a0 a1 a2 at the start, b3 100 ms later, c4 c5 c6 another 100 ms later. */
async function threeBlocks(stand: Stand): Promise<Log> {
  const log = await stand.log()
  await stand.append(log, 'a0', 'a1', 'a2')
  await stand.clock.advance(100)
  await stand.append(log, 'b3')
  await stand.clock.advance(100)
  await stand.append(log, 'c4', 'c5', 'c6')
  return log
}
