// Holds a newly opened engine against the model, whole: groups, logs, every entry, ends and times.
import assert from 'node:assert/strict'
import { type Engine, eachEntry, type Group, type Log } from '@millrace/storage/engine'
import type { Found, GroupModel, Leeway } from './model.ts'

export interface Promises {
  readonly groups: Map<number, GroupModel>
  groupIdMax: number
}

/** The same promises, for a world that goes another way from here on. */
export function copyPromises({ groups, groupIdMax }: Promises): Promises {
  return {
    groupIdMax,
    groups: new Map([...groups].map(([id, group]) => [id, group.copy()])),
  }
}

/** Reads a log from its first entry to its end, in pages. */
export async function readLog(log: Log, from: number, entriesMax: number): Promise<Found[]> {
  const found: Found[] = []
  for (let at = from; ; ) {
    const end = log.next
    const result = await log.read(at, { entriesMax, bytesMax: 20_000 })
    for (const batch of result.batches) {
      eachEntry(batch, (offset, buffer, start, end) => {
        const text = buffer.toString('latin1', start, end)
        found.push({ offset, timeMs: batch.timeMs, text })
      })
    }
    const { next } = result
    const isEmpty = result.batches.length === 0
    result.release()
    if (isEmpty) {
      assert.ok(next >= end, 'a read without entries is at the end')
      return found
    }
    assert.ok(next > at, 'a read that gives entries goes on')
    at = next
  }
}

export async function settle(engine: Engine, promises: Promises, leeway: Leeway): Promise<void> {
  const there = new Set(engine.groupIds())
  assert.deepEqual(
    engine.groupIds(),
    [...there].sort((a, b) => a - b),
    'groups are listed in order',
  )
  for (const id of there) assert.ok(promises.groups.has(id), `group ${id} that nobody made`)
  for (const group of promises.groups.values()) {
    await settleGroup(group, there.has(group.id) ? engine.openGroup(group.id) : undefined, leeway)
    // Where a power cut may undo the last things done, a deleted group may be back one day.
    if (group.deletion === 'done' && !leeway.maySkip) promises.groups.delete(group.id)
  }
  if (!leeway.mayLose) {
    assert.ok(engine.groupIdMax >= promises.groupIdMax, 'the highest group number fell')
  }
  promises.groupIdMax = engine.groupIdMax
}

async function settleGroup(
  model: GroupModel,
  group: Group | undefined,
  leeway: Leeway,
): Promise<void> {
  const { mayLose, wasClosed } = leeway
  const { id, creation, deletion } = model
  if (group === undefined) {
    const mayBeAbsent = creation === 'asked' || deletion !== 'no' || mayLose
    assert.ok(mayBeAbsent, `group ${id} is gone`)
    model.deletion = 'done'
    return
  }
  assert.ok(deletion !== 'done' || mayLose, `group ${id} was deleted and is back`)
  const ids = new Set(group.logIds())
  for (const [logId, log] of model.logs) {
    if (ids.delete(logId)) {
      log.isSure = true
      await settleLog(model, logId, group.log(logId), {
        ...leeway,
        mayLoseAny: mayLose && deletion !== 'no',
      })
      continue
    }
    assert.ok(!log.isSure || mayLose, `${log.name} is gone`)
    model.logs.delete(logId)
  }
  assert.equal(ids.size, 0, `group ${id} has logs that nobody added`)
  if (!wasClosed) model.trimMs = 0
  // Last, so that a process that ends in the middle of this leaves the question open.
  model.creation = 'done'
  model.deletion = 'no'
}

async function settleLog(
  group: GroupModel,
  logId: number,
  log: Log,
  leeway: Leeway,
): Promise<void> {
  const model = group.logs.get(logId)
  assert.ok(model)
  const found = await readLog(log, 0, 50)
  // Read first: after trims in sealed files `first` is exact only once someone has looked.
  const first = found[0]?.offset ?? log.next
  const ends = { first, next: log.next, lastTimeMs: log.lastTimeMs }
  model.settle(found, ends, group, leeway)
}
