import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceClock } from '@millrace/base/clock'
import { engineConformance } from './conformance.ts'
import { type AppendResult, blockOf, type Log } from './engine.ts'
import { MemoryEngine } from './memory-engine.ts'

engineConformance('memory', async ({ clock }) => ({ engine: new MemoryEngine({ clock }) }), {
  isDurable: false,
  historiesMax: 300,
})

const clock = new ServiceClock({ wall: () => 1_000 })

async function append(engine: MemoryEngine, log: Log, length: number): Promise<AppendResult> {
  const [result] = await engine.append([blockOf(log, [Buffer.alloc(length)])])
  assert.ok(result)
  return result
}

test('the memory engine reads and finds offsets without waiting', async () => {
  const engine = new MemoryEngine({ clock })
  const log = (await engine.createGroup(1, [0])).log(0)
  await append(engine, log, 10)
  const result = log.read(0, { entriesMax: 1, bytesMax: 1 })
  assert.ok('batches' in result && result.batches.length === 1)
  assert.equal(log.offsetAt(0), 0)
})

test('times of a log do not fall even under a clock that does', async () => {
  let nowMs = 5_000
  const falling = { ...clock, now: () => nowMs }
  const engine = new MemoryEngine({ clock: falling as ServiceClock })
  const log = (await engine.createGroup(1, [0])).log(0)
  await append(engine, log, 1)
  nowMs = 4_000
  const result = await append(engine, log, 1)
  assert.ok(result.kind === 'appended' && result.timeMs === 5_000)
  assert.equal(log.lastTimeMs, 5_000)
})

test('the memory engine gives memory back for what is trimmed and deleted', async () => {
  const engine = new MemoryEngine({ clock })
  const group = await engine.createGroup(1, [0, 1])
  for (let i = 0; i < 100; i++) await append(engine, group.log(i % 2), 1000)
  const held = engine.metrics().bytesCached
  assert.ok(held >= 100_000)
  group.log(0).trim(50)
  const half = engine.metrics().bytesCached
  assert.equal(half, held / 2)
  group.trim(500)
  assert.equal(engine.metrics().bytesCached, half)
  group.trim(1_001)
  assert.equal(engine.metrics().bytesCached, 0)
  await append(engine, group.log(1), 1000)
  await engine.deleteGroup(1)
  assert.equal(engine.metrics().bytesCached, 0)
})

test('a full memory engine refuses appends until something is let go', async () => {
  const engine = new MemoryEngine({ clock, bytesMax: 3_000 })
  const log = (await engine.createGroup(1, [0])).log(0)
  assert.equal((await append(engine, log, 2_000)).kind, 'appended')
  const refused = await append(engine, log, 2_000)
  assert.ok(refused.kind === 'failed' && refused.error.code === 'disk-full')
  const [urgent] = await engine.append([blockOf(log, [Buffer.alloc(2_000)])], { isUrgent: true })
  assert.equal(urgent?.kind, 'appended')
  log.trim(2)
  assert.equal((await append(engine, log, 2_000)).kind, 'appended')
})

test('a block of another engine is refused', async () => {
  const engine = new MemoryEngine({ clock })
  const other = new MemoryEngine({ clock })
  await engine.createGroup(1, [0])
  const foreign = (await other.createGroup(1, [0])).log(0)
  await assert.rejects(engine.append([blockOf(foreign, [Buffer.from('x')])]))
  assert.equal(foreign.next, 0)
})
