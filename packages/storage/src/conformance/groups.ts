// Groups and logs: making, finding, widening and deleting them, and the engine's own state.
import assert from 'node:assert/strict'
import { StorageError } from '../engine.ts'
import { appended, block, failed, fails, readAll, readTexts, type StandTest } from './stand.ts'

export function groupTests(test: StandTest): void {
  test('an engine without data has no groups and is ready', async ({ engine }) => {
    assert.ok(['local', 'memory', 'kafka'].includes(engine.kind))
    assert.deepEqual(engine.groupIds(), [])
    assert.equal(engine.groupIdMax, 0)
    assert.equal(engine.status().state, 'ready')
    assert.equal(engine.isPressed, false)
  })

  test('a new group has the logs it was made with, all of them empty', async ({ engine }) => {
    const ids = [7, 0, 0xffff_ffff]
    const group = await engine.createGroup(3, new Set(ids))
    assert.equal(group.id, 3)
    assert.deepEqual(
      group.logIds().sort((a, b) => a - b),
      [0, 7, 0xffff_ffff],
    )
    for (const id of ids) {
      const log = group.log(id)
      assert.equal(log.groupId, 3)
      assert.equal(log.id, id)
      assert.equal(log.first, 0)
      assert.equal(log.next, 0)
      assert.equal(log.lastTimeMs, 0)
      assert.deepEqual(await readAll(log), [])
    }
  })

  test('a group may have no logs yet', async ({ engine }) => {
    const group = await engine.createGroup(1, [])
    assert.deepEqual(group.logIds(), [])
    assert.deepEqual(engine.groupIds(), [1])
  })

  test('groups are listed in rising order and found by number', async ({ engine }) => {
    for (const id of [2, 5, 9]) await engine.createGroup(id, [id])
    await engine.deleteGroup(5)
    await engine.createGroup(12, [1])
    assert.deepEqual(engine.groupIds(), [2, 9, 12])
    assert.deepEqual(engine.openGroup(9).logIds(), [9])
    assert.equal(engine.groupIdMax, 12)
  })

  test('opening or deleting a group that is not there is group-missing', async ({ engine }) => {
    assert.throws(() => engine.openGroup(1), fails('group-missing'))
    await assert.rejects(engine.deleteGroup(1), fails('group-missing'))
    await engine.createGroup(1, [0])
    await engine.deleteGroup(1)
    assert.throws(() => engine.openGroup(1), fails('group-missing'))
    await assert.rejects(engine.deleteGroup(1), fails('group-missing'))
  })

  test('a log that the group has not is log-missing', async ({ engine }) => {
    const group = await engine.createGroup(1, [0, 2])
    assert.throws(() => group.log(1), fails('log-missing'))
  })

  test('a group number is never used twice, also after its group is deleted', async ({
    engine,
  }) => {
    await engine.createGroup(4, [0])
    await assert.rejects(engine.createGroup(4, [0]), fails('group-exists'))
    await engine.deleteGroup(4)
    await assert.rejects(engine.createGroup(4, [0]), fails('group-exists'))
    assert.equal(engine.groupIdMax, 4)
    assert.deepEqual(engine.groupIds(), [])
  })

  test('of two that make the same group at once, one wins', async ({ engine }) => {
    const [one, two] = await Promise.allSettled([
      engine.createGroup(1, [0]),
      engine.createGroup(1, [1]),
    ])
    const rejected = one.status === 'rejected' ? one : two
    assert.ok(rejected.status === 'rejected')
    assert.ok(fails('group-exists')(rejected.reason))
    assert.deepEqual(engine.groupIds(), [1])
    assert.deepEqual(engine.openGroup(1).logIds(), one.status === 'fulfilled' ? [0] : [1])
  })

  test('log ids that repeat or are no unsigned 32-bit integers make no group', async ({
    engine,
  }) => {
    for (const ids of [[1, 1], [-1], [2 ** 32], [0.5]]) {
      await assert.rejects(engine.createGroup(1, ids))
    }
    assert.deepEqual(engine.groupIds(), [])
    await engine.createGroup(1, [0])
  })

  test('added logs are empty and take appends beside the old ones', async (stand) => {
    const old = await stand.log(1, 0)
    await stand.append(old, 'old')
    const group = stand.engine.openGroup(1)
    await group.addLogs([4, 2])
    assert.deepEqual(
      group.logIds().sort((a, b) => a - b),
      [0, 2, 4],
    )
    assert.equal(group.log(4).next, 0)
    await stand.append(group.log(4), 'new')
    assert.deepEqual(await readTexts(group.log(4)), ['new'])
    assert.deepEqual(await readTexts(old), ['old'])
  })

  test('adding a log that exists adds none of the call', async (stand) => {
    const log = await stand.log(1, 0)
    await stand.append(log, 'kept')
    const group = stand.engine.openGroup(1)
    await assert.rejects(group.addLogs([5, 0]))
    await assert.rejects(group.addLogs([5, 5]))
    assert.deepEqual(group.logIds(), [0])
    assert.deepEqual(await readTexts(log), ['kept'])
  })

  test('a deleted group takes nothing more and gives nothing back', async (stand) => {
    const { engine } = stand
    const log = await stand.log(1, 0)
    const group = engine.openGroup(1)
    await stand.append(log, 'gone')
    await engine.deleteGroup(1)
    const [result] = await engine.append([block(log, 'late')])
    assert.equal(failed(result), 'group-missing')
    await assert.rejects(group.addLogs([1]), fails('group-missing'))
    await assert.rejects(
      async () => await log.read(0, { entriesMax: 1, bytesMax: 1 }),
      StorageError,
    )
  })

  test('deleting a group leaves the others as they are', async (stand) => {
    const kept = await stand.log(1)
    const gone = await stand.log(2)
    await stand.append(kept, 'a')
    await stand.append(gone, 'b')
    await stand.append(kept, 'c')
    await stand.engine.deleteGroup(2)
    await stand.append(kept, 'd')
    assert.deepEqual(await readTexts(kept), ['a', 'c', 'd'])
  })

  test('a group deleted while it is read fails the read cleanly or gives right bytes', async (stand) => {
    const log = await stand.log(1)
    for (let i = 0; i < 200; i++) await stand.append(log, `entry ${i}`)
    const reads = Array.from({ length: 20 }, (_, i) => readAll(log, i, { entriesMax: 7 }))
    const deletion = stand.engine.deleteGroup(1)
    const outcomes = await Promise.allSettled(reads)
    await deletion
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof StorageError)
      else
        for (const { offset, bytes } of outcome.value) assert.equal(`${bytes}`, `entry ${offset}`)
    }
  })

  test('appends that race a delete are each stored before it or refused', async (stand) => {
    const log = await stand.log(1)
    const other = await stand.log(2)
    const before = Array.from({ length: 5 }, () => stand.engine.append([block(log, 'x')]))
    const deletion = stand.engine.deleteGroup(1)
    const after = stand.engine.append([block(log, 'x'), block(other, 'y')])
    for (const [result] of await Promise.all(before)) {
      if (result?.kind === 'failed') assert.equal(failed(result), 'group-missing')
    }
    await deletion
    const results = await after
    if (results[0]?.kind === 'failed') assert.equal(failed(results[0]), 'group-missing')
    appended(results[1])
    assert.deepEqual(stand.engine.groupIds(), [2])
    assert.deepEqual(await readTexts(other), ['y'])
  })

  test('a thousand groups of one record each are made, kept apart and deleted', async (stand) => {
    const { engine } = stand
    const ids = Array.from({ length: 1000 }, (_, i) => i + 1)
    const groups = await Promise.all(ids.map((id) => engine.createGroup(id, [0])))
    await Promise.all(groups.map((group) => stand.append(group.log(0), `of ${group.id}`)))
    assert.deepEqual(engine.groupIds(), ids)
    for (const id of ids)
      assert.deepEqual(await readTexts(engine.openGroup(id).log(0)), [`of ${id}`])
    await Promise.all(ids.filter((id) => id % 2 === 0).map((id) => engine.deleteGroup(id)))
    assert.deepEqual(
      engine.groupIds(),
      ids.filter((id) => id % 2 === 1),
    )
    assert.equal(engine.groupIdMax, 1000)
    assert.deepEqual(await readTexts(engine.openGroup(999).log(0)), ['of 999'])
  })

  test('a closed engine answers every call with closed', async (stand) => {
    const { engine } = stand
    const log = await stand.log(1)
    const group = engine.openGroup(1)
    await stand.append(log, 'x')
    await engine.close()
    assert.equal(engine.status().state, 'closed')
    assert.ok(engine.status().reason)
    await assert.rejects(engine.createGroup(2, [0]), fails('closed'))
    await assert.rejects(engine.deleteGroup(1), fails('closed'))
    await assert.rejects(group.addLogs([1]), fails('closed'))
    assert.throws(() => engine.openGroup(1), fails('closed'))
    assert.equal(failed((await engine.append([block(log, 'y')]))[0]), 'closed')
    await assert.rejects(
      async () => await log.read(0, { entriesMax: 1, bytesMax: 1 }),
      fails('closed'),
    )
    await assert.rejects(async () => await log.offsetAt(0), fails('closed'))
    await assert.rejects(async () => await log.gate(), fails('closed'))
  })

  test('close waits for the appends in flight', async (stand) => {
    const log = await stand.log(1)
    const appends = Array.from({ length: 10 }, () => stand.engine.append([block(log, 'x')]))
    await stand.engine.close()
    for (const [index, [result]] of (await Promise.all(appends)).entries()) {
      assert.equal(appended(result).firstOffset, index)
    }
  })
}
