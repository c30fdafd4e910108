// Restarts of a durable engine: what was acknowledged, let go, deleted or known before `close` is so
// after the next opening.
import assert from 'node:assert/strict'
import { appended, block, fails, readAll, readTexts, START_MS, type StandTest } from './stand.ts'

export function restartTests(test: StandTest): void {
  test('entries, offsets and times are the same after a restart, and appends go on', async (stand) => {
    const log = await stand.log(1, 0, 9)
    const other = stand.engine.openGroup(1).log(9)
    await stand.append(log, 'a', 'b')
    await stand.clock.advance(7)
    await stand.append(other, 'x')
    await stand.append(log, 'c')
    const before = [await readAll(log), await readAll(other)]
    const engine = await stand.reopen()
    const group = engine.openGroup(1)
    assert.deepEqual(group.logIds(), [0, 9])
    assert.deepEqual([await readAll(group.log(0)), await readAll(group.log(9))], before)
    assert.equal(group.log(0).next, 3)
    assert.equal(group.log(0).first, 0)
    assert.equal(group.log(0).lastTimeMs, START_MS + 7)
    assert.equal((await stand.append(group.log(0), 'd')).firstOffset, 3)
    assert.deepEqual(await readTexts(group.log(0)), ['a', 'b', 'c', 'd'])
  })

  test('times do not fall when the clock is behind after a restart', async (stand) => {
    const log = await stand.log()
    await stand.clock.advance(10_000)
    await stand.append(log, 'a')
    const engine = await stand.reopen(START_MS - 1_000_000)
    const again = engine.openGroup(1).log(0)
    assert.equal((await stand.append(again, 'b')).timeMs, START_MS + 10_000)
    assert.equal(again.lastTimeMs, START_MS + 10_000)
  })

  test('groups and logs made, added and deleted are so after a restart', async (stand) => {
    const { engine } = stand
    await engine.createGroup(1, [0])
    await engine.createGroup(2, [0, 4_000_000_000])
    await engine.createGroup(3, [])
    await engine.createGroup(8, [1])
    await engine.openGroup(3).addLogs([5])
    await engine.deleteGroup(1)
    await engine.deleteGroup(8)
    const again = await stand.reopen()
    assert.deepEqual(again.groupIds(), [2, 3])
    assert.equal(again.groupIdMax, 8)
    assert.deepEqual(again.openGroup(2).logIds(), [0, 4_000_000_000])
    assert.deepEqual(again.openGroup(3).logIds(), [5])
    assert.throws(() => again.openGroup(8), fails('group-missing'))
    await assert.rejects(again.createGroup(8, [1]), fails('group-exists'))
    await assert.rejects(again.createGroup(1, [1]), fails('group-exists'))
    await assert.rejects(again.createGroup(2, [1]), fails('group-exists'))
    await again.createGroup(9, [1])
  })

  test('an idle log whose entries are all let go knows its end after restarts', async (stand) => {
    const log = await stand.log(1, 0, 1)
    await stand.append(log, 'a', 'b', 'c')
    await stand.clock.advance(1000)
    stand.engine.openGroup(1).trim(stand.clock.now())
    for (let i = 0; i < 3; i++) await stand.reopen()
    const again = stand.engine.openGroup(1).log(0)
    assert.equal(again.next, 3)
    assert.equal(again.first, 3)
    assert.equal(again.lastTimeMs, START_MS)
    assert.deepEqual(await readTexts(again), [])
    assert.equal((await stand.append(again, 'd')).firstOffset, 3)
  })

  test('what was let go stays away after a restart', async (stand) => {
    const log = await stand.log(1, 0, 1)
    const other = stand.engine.openGroup(1).log(1)
    await stand.append(log, 'a', 'b', 'c')
    await stand.append(other, 'x')
    await stand.clock.advance(10)
    await stand.append(other, 'y')
    log.trim(2)
    await stand.reopen()
    assert.equal(stand.engine.openGroup(1).log(0).first, 2)
    assert.deepEqual(await readTexts(stand.engine.openGroup(1).log(0)), ['c'])
    stand.engine.openGroup(1).trim(START_MS + 10)
    await stand.reopen()
    assert.deepEqual(await readTexts(stand.engine.openGroup(1).log(0)), [])
    assert.deepEqual(await readTexts(stand.engine.openGroup(1).log(1)), ['y'])
  })

  test('a gate is not kept across a restart', async (stand) => {
    const log = await stand.log()
    await stand.append(log, 'a')
    await log.gate()
    const engine = await stand.reopen()
    assert.equal((await stand.append(engine.openGroup(1).log(0), 'b')).firstOffset, 1)
  })

  test('a close with appends in flight keeps all that were acknowledged', async (stand) => {
    const log = await stand.log()
    const appends = Array.from({ length: 50 }, (_, i) => stand.engine.append([block(log, `${i}`)]))
    const engine = await stand.reopen()
    for (const [result] of await Promise.all(appends)) appended(result)
    assert.deepEqual(
      await readTexts(engine.openGroup(1).log(0)),
      Array.from({ length: 50 }, (_, i) => `${i}`),
    )
  })

  test('restarts without work between them change nothing', async (stand) => {
    const log = await stand.log()
    await stand.append(log, 'a')
    for (let i = 0; i < 5; i++) await stand.reopen()
    const again = stand.engine.openGroup(1).log(0)
    assert.deepEqual(await readTexts(again), ['a'])
    assert.equal(again.next, 1)
  })

  test('a thousand groups of one record each are there after a restart', async (stand) => {
    const ids = Array.from({ length: 1000 }, (_, i) => i + 1)
    await Promise.all(
      ids.map(async (id) => {
        const group = await stand.engine.createGroup(id, [0])
        await stand.append(group.log(0), `of ${id}`)
      }),
    )
    const engine = await stand.reopen()
    assert.deepEqual(engine.groupIds(), ids)
    for (const id of ids)
      assert.deepEqual(await readTexts(engine.openGroup(id).log(0)), [`of ${id}`])
  })
}
