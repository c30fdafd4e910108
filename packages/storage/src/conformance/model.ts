// Random histories against a model that is too simple to be wrong: arrays of entries. After every
// step a random read must agree with the model, and at the end all of them; fast-check prints the
// seed and the shortest history that disagrees.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Block, Log, ReadBounds } from '../engine.ts'
import {
  block,
  failed,
  readAll,
  readOnce,
  type Stand,
  type StandOptions,
  withStand,
} from './stand.ts'

interface ModelEntry {
  readonly offset: number
  readonly timeMs: number
  readonly text: string
}

class ModelLog {
  entries: ModelEntry[] = []
  first = 0
  next = 0
  lastTimeMs = 0
  isGated = false

  append(texts: readonly string[], nowMs: number): void {
    this.lastTimeMs = Math.max(this.lastTimeMs, nowMs)
    for (const text of texts) {
      this.entries.push({ offset: this.next++, timeMs: this.lastTimeMs, text })
    }
  }

  letGo(isKept: (entry: ModelEntry) => boolean): void {
    this.entries = this.entries.filter(isKept)
    this.first = Math.max(this.first, this.entries[0]?.offset ?? this.next)
  }

  read(from: number, bounds: ReadBounds): { entries: ModelEntry[]; next: number } {
    const entries: ModelEntry[] = []
    let bytes = 0
    let next = Math.max(from, this.first)
    for (const entry of this.entries) {
      if (entry.offset < from) continue
      if (entry.timeMs >= (bounds.notBeforeMs ?? 0)) {
        bytes += entry.text.length
        const isOver = entries.length === bounds.entriesMax || bytes > bounds.bytesMax
        if (isOver && entries.length > 0) break
        entries.push(entry)
      }
      next = entry.offset + 1
    }
    return { entries, next }
  }
}

type Model = Map<number, Map<number, ModelLog>>

type Action =
  | { kind: 'create'; logs: number[] }
  | { kind: 'add'; group: number; logs: number[] }
  | { kind: 'delete'; group: number }
  | { kind: 'append'; calls: { group: number; log: number; lengths: number[] }[][] }
  | { kind: 'advance'; ms: number }
  | { kind: 'trim-time'; group: number; agoMs: number }
  | { kind: 'trim-offset'; group: number; log: number; back: number }
  | { kind: 'gate' | 'release'; group: number; log: number }
  | { kind: 'reopen' }

const pick = fc.nat({ max: 1000 })
const logIds = fc.uniqueArray(fc.nat({ max: 6 }), { maxLength: 4 })
const lengths = fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 6 })
const call = fc.array(fc.record({ group: pick, log: pick, lengths }), { maxLength: 4 })
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('create' as const), logs: logIds }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('add' as const), group: pick, logs: logIds }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), group: pick }) },
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      calls: fc.array(call, { minLength: 1, maxLength: 5 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat({ max: 50 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('trim-time' as const),
      group: pick,
      agoMs: fc.nat({ max: 60 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('trim-offset' as const),
      group: pick,
      log: pick,
      back: fc.nat({ max: 20 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('gate' as const, 'release' as const),
      group: pick,
      log: pick,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
)
const probe = fc.record({
  group: pick,
  log: pick,
  from: fc.nat({ max: 40 }),
  entriesMax: fc.integer({ min: 1, max: 12 }),
  bytesMax: fc.integer({ min: 1, max: 120 }),
  agoMs: fc.option(fc.nat({ max: 60 }), { nil: undefined }),
})
const history = fc.array(fc.tuple(action, probe), { minLength: 1, maxLength: 60, size: 'max' })

export function modelTests(options: StandOptions): void {
  test('random histories agree with the model', async () => {
    await fc.assert(
      fc.asyncProperty(history, (steps) =>
        withStand(options, async (stand) => {
          const run = new Run(stand, options.capabilities.isDurable)
          for (const [step, look] of steps) {
            await run.apply(step)
            await run.look(look)
          }
          await run.lookAtAll()
        }),
      ),
      { numRuns: options.capabilities.historiesMax ?? 60 },
    )
  })
}

class Run {
  readonly #stand: Stand
  readonly #isDurable: boolean
  readonly #model: Model = new Map()
  #groupIdMax = 0
  #texts = 0

  constructor(stand: Stand, isDurable: boolean) {
    this.#stand = stand
    this.#isDurable = isDurable
  }

  async apply(step: Action): Promise<void> {
    const { engine, clock } = this.#stand
    if (step.kind === 'create') {
      this.#groupIdMax += 1 + (step.logs.length % 2)
      await engine.createGroup(this.#groupIdMax, step.logs)
      this.#model.set(this.#groupIdMax, new Map(step.logs.map((id) => [id, new ModelLog()])))
    } else if (step.kind === 'append') {
      await this.#append(step.calls)
    } else if (step.kind === 'advance') {
      await clock.advance(step.ms)
    } else if (step.kind === 'reopen') {
      if (!this.#isDurable) return
      await this.#stand.reopen()
      for (const logs of this.#model.values()) for (const log of logs.values()) log.isGated = false
    } else {
      await this.#applyToGroup(step)
    }
  }

  async #applyToGroup(
    step: Exclude<Action, { kind: 'create' | 'append' | 'advance' | 'reopen' }>,
  ): Promise<void> {
    const groupId = this.#groupId(step.group)
    const logs = groupId === undefined ? undefined : this.#model.get(groupId)
    if (groupId === undefined || logs === undefined) return
    const { engine, clock } = this.#stand
    const group = engine.openGroup(groupId)
    if (step.kind === 'delete') {
      await engine.deleteGroup(groupId)
      this.#model.delete(groupId)
      return
    }
    if (step.kind === 'add') {
      const isNew = step.logs.every((id) => !logs.has(id))
      if (!isNew) return assert.rejects(group.addLogs(step.logs))
      await group.addLogs(step.logs)
      for (const id of step.logs) logs.set(id, new ModelLog())
      return
    }
    if (step.kind === 'trim-time') {
      const beforeMs = clock.now() - step.agoMs
      group.trim(beforeMs)
      for (const log of logs.values()) log.letGo((entry) => entry.timeMs >= beforeMs)
      return
    }
    const found = this.#find(step.group, step.log)
    if (found === undefined) return
    const { log, model } = found
    if (step.kind === 'trim-offset') {
      const before = Math.max(0, model.next - step.back)
      log.trim(before)
      model.letGo((entry) => entry.offset >= before)
    } else if (step.kind === 'gate') {
      assert.equal(await log.gate(), model.next)
      model.isGated = true
    } else {
      log.release()
      model.isGated = false
    }
  }

  /** Makes all calls at once; offsets must follow the order of the calls. */
  async #append(calls: { group: number; log: number; lengths: number[] }[][]): Promise<void> {
    const nowMs = this.#stand.clock.now()
    const pending = calls.map((wanted) => {
      const blocks: Block[] = []
      const expected: { firstOffset: number; timeMs: number; isGated: boolean }[] = []
      for (const { group, log: index, lengths } of wanted) {
        const found = this.#find(group, index)
        if (found === undefined) continue
        const { log, model } = found
        const texts = lengths.map((length) => `${this.#texts++}`.padEnd(length, '.'))
        blocks.push(block(log, ...texts))
        const firstOffset = model.next
        if (!model.isGated) model.append(texts, nowMs)
        expected.push({ firstOffset, timeMs: model.lastTimeMs, isGated: model.isGated })
      }
      return { append: this.#stand.engine.append(blocks), expected }
    })
    for (const { append, expected } of pending) {
      const results = await append
      assert.equal(results.length, expected.length)
      for (const [index, { firstOffset, timeMs, isGated }] of expected.entries()) {
        if (isGated) assert.equal(failed(results[index]), 'gated')
        else assert.deepEqual(results[index], { kind: 'appended', firstOffset, timeMs })
      }
    }
  }

  async look(at: {
    group: number
    log: number
    from: number
    entriesMax: number
    bytesMax: number
    agoMs: number | undefined
  }): Promise<void> {
    const found = this.#find(at.group, at.log)
    if (found === undefined) return
    const { log, model } = found
    const nowMs = this.#stand.clock.now()
    const from = Math.min(at.from, model.next)
    const bounds: ReadBounds = {
      entriesMax: at.entriesMax,
      bytesMax: at.bytesMax,
      ...(at.agoMs === undefined ? {} : { notBeforeMs: nowMs - at.agoMs }),
    }
    const { entries, next } = await readOnce(log, from, bounds)
    const expected = model.read(from, bounds)
    assert.deepEqual(plain(entries), expected.entries)
    assert.equal(next, expected.next)
    const timeMs = nowMs - (at.agoMs ?? 0)
    const offset = model.entries.find((entry) => entry.timeMs >= timeMs)?.offset ?? model.next
    assert.equal(await log.offsetAt(timeMs), offset)
  }

  async lookAtAll(): Promise<void> {
    const { engine } = this.#stand
    assert.deepEqual(engine.groupIds(), [...this.#model.keys()])
    assert.equal(engine.groupIdMax, this.#groupIdMax)
    for (const [groupId, logs] of this.#model) {
      const group = engine.openGroup(groupId)
      assert.deepEqual(new Set(group.logIds()), new Set(logs.keys()))
      for (const [logId, model] of logs) {
        const log = group.log(logId)
        assert.equal(log.next, model.next)
        assert.equal(log.lastTimeMs, model.lastTimeMs)
        assert.ok(log.first <= model.first)
        assert.deepEqual(plain(await readAll(log)), model.entries)
        assert.equal(log.first, model.first)
      }
    }
  }

  #groupId(index: number): number | undefined {
    const ids = [...this.#model.keys()]
    return ids[index % Math.max(1, ids.length)]
  }

  #find(groupIndex: number, logIndex: number): { log: Log; model: ModelLog } | undefined {
    const groupId = this.#groupId(groupIndex)
    if (groupId === undefined) return undefined
    const logs = [...(this.#model.get(groupId) ?? [])]
    const found = logs[logIndex % Math.max(1, logs.length)]
    if (found === undefined) return undefined
    const [logId, model] = found
    return { log: this.#stand.engine.openGroup(groupId).log(logId), model }
  }
}

function plain(
  entries: readonly { offset: number; timeMs: number; bytes: Buffer }[],
): ModelEntry[] {
  return entries.map(({ offset, timeMs, bytes }) => ({ offset, timeMs, text: `${bytes}` }))
}
