// The local engine on a disk without room: what still works, what comes back, and what it keeps.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceClock } from '@millrace/base/clock'
import type { Log } from '../engine.ts'
import type { LocalEngine } from '../local-engine.ts'
import type { SimulatedDisk } from '../simulated-disk.ts'
import {
  append,
  journalNames,
  newDisk,
  openOn,
  quiet,
  store,
  texts,
} from './testing/small-engine.ts'

const KIB = 1024
const MIB = 1024 * KIB
const PAGE = Buffer.alloc(16 * KIB, 'p')
const OPTIONS = { fileBytesMax: MIB, reserveBytes: 64 * KIB, lowWaterBytes: 512 * KIB }

async function isRefused(engine: LocalEngine, log: Log): Promise<boolean> {
  const result = await append(engine, log, PAGE)
  if (result.kind === 'failed') assert.equal(result.error.code, 'disk-full')
  return result.kind === 'failed'
}

/** Appends to the logs in turn until the disk has taken no page for a while. */
async function fill(engine: LocalEngine, logs: readonly Log[]): Promise<void> {
  let refusals = 0
  for (let i = 0; refusals < 10; i++) {
    if (await isRefused(engine, logs[i % logs.length]!)) refusals++
    else refusals = 0
    await rest(engine)
    assert.ok(i < 10_000, 'the disk never fills')
  }
}

/** Until sealing and the look at the disk have come to rest. */
async function rest(engine: LocalEngine): Promise<void> {
  for (let turns = 0; turns < 8; turns++) {
    await quiet()
    await engine.sealed()
  }
}

/** Appends small entries until one is stored, and then some pages. */
async function goesOn(engine: LocalEngine, log: Log): Promise<void> {
  const before = log.next
  for (let tries = 0; tries < 5 && log.next === before; tries++) {
    await append(engine, log, 'on')
    await rest(engine)
  }
  for (let i = 0; i < 20; i++) assert.equal(await isRefused(engine, log), false)
}

async function fullEngine(disk: SimulatedDisk): Promise<{ engine: LocalEngine; kept: Log }> {
  const engine = await openOn(disk, OPTIONS)
  const groups = []
  for (const id of [1, 2, 3]) groups.push(await engine.createGroup(id, [0]))
  const kept = groups[2]!.log(0)
  await store(engine, kept, 'kept')
  await fill(
    engine,
    groups.slice(0, 2).map((group) => group.log(0)),
  )
  return { engine, kept }
}

for (const isRestarted of [false, true]) {
  test(`a full disk on which deletes still work, and space comes back (restart: ${isRestarted})`, async () => {
    const disk = newDisk(4 * MIB)
    let { engine, kept } = await fullEngine(disk)
    assert.ok(disk.usedBytes > 3 * MIB)
    await engine.deleteGroup(1)
    await engine.deleteGroup(2)
    if (isRestarted) {
      await engine.close()
      engine = await openOn(disk, OPTIONS)
      kept = engine.openGroup(3).log(0)
    }
    await rest(engine)
    assert.ok(disk.usedBytes < 2.5 * MIB, `${disk.usedBytes} bytes are used`)
    await goesOn(engine, kept)
    assert.equal((await texts(kept))[0], 'kept')
    await engine.close()
  })
}

test('a disk that is full to the last byte takes deletes and comes back', async () => {
  const disk = newDisk(4 * MIB)
  const engine = await openOn(disk, { ...OPTIONS, lowWaterBytes: 0 })
  const logs: Log[] = []
  for (const id of [1, 2, 3]) logs.push((await engine.createGroup(id, [0])).log(0))
  await fill(engine, logs.slice(0, 2))
  disk.capacityBytes = disk.usedBytes
  await engine.deleteGroup(1)
  await engine.deleteGroup(2)
  await rest(engine)
  disk.capacityBytes = 4 * MIB
  await goesOn(engine, logs[2]!)
  await engine.close()
})

test('a full disk is told by the status, with what to do, until there is room', async () => {
  const disk = newDisk(4 * MIB)
  const { engine, kept } = await fullEngine(disk)
  const status = engine.status()
  assert.equal(status.state, 'readonly')
  assert.match(status.reason ?? '', /too little room left.*delete streams/s)
  disk.capacityBytes = 64 * MIB
  engine.status()
  await rest(engine)
  assert.equal(engine.status().state, 'ready')
  await goesOn(engine, kept)
  await engine.close()
})

test('a trim brings a full disk back: what is past in rolled files needs no sealing', async () => {
  const disk = newDisk(4 * MIB)
  const { engine, kept } = await fullEngine(disk)
  const future = 1_000_000 + 1
  engine.openGroup(1).trim(future)
  engine.openGroup(2).trim(future)
  await rest(engine)
  await goesOn(engine, kept)
  await engine.close()
})

test('deletes are taken while sealing is so far behind that appends are refused', async () => {
  const engine = await openOn(newDisk(), {
    blocksMax: 2,
    filesUnsealedMax: 2,
    seal: () => Promise.reject(new Error('no thread')),
  })
  const log = (await engine.createGroup(1, [0])).log(0)
  for (let i = 0; i < 20; i++) await append(engine, log, `${i}`)
  const status = engine.status()
  assert.equal(status.state, 'readonly')
  assert.match(status.reason ?? '', /journal files wait to be sealed/)
  await engine.deleteGroup(1)
  await rest(engine)
  assert.equal(engine.metrics().filesUnsealed, 0)
  assert.equal(engine.status().state, 'ready')
  await engine.close()
})

test('an idle engine gives back spares and space made ready, and counts what it holds', async () => {
  const disk = newDisk()
  const clock = new ServiceClock({ wall: () => 1_000_000 })
  const engine = await openOn(disk, {
    ...OPTIONS,
    clock,
    rollAgeMs: 60_000,
    aheadBytesMax: 256 * KIB,
  })
  const group = await engine.createGroup(1, [0])
  for (let i = 0; i < 400; i++) await store(engine, group.log(0), PAGE)
  await engine.roll()
  await rest(engine)
  await clock.advance(1000)
  group.trim(clock.now())
  await rest(engine)
  const held = [...disk.files()]
    .filter(([path]) => /journal\/|segments\//.test(path))
    .reduce((sum, [, bytes]) => sum + bytes, 0)
  assert.ok(held > MIB, 'a spare and a next file of full size are there at first')
  assert.equal(engine.metrics().bytesOnDisk, held)
  await clock.advance(60_000)
  await rest(engine)
  const names = await journalNames(disk)
  assert.deepEqual(
    names.filter((name) => name.endsWith('.spare')),
    [],
  )
  assert.ok(engine.metrics().bytesOnDisk < 256 * KIB, `${engine.metrics().bytesOnDisk} bytes`)
  assert.ok(disk.usedBytes < 300 * KIB, `${disk.usedBytes} bytes`)
  for (let i = 0; i < 200; i++) await store(engine, group.log(0), PAGE)
  const again = await openOn(disk.crash(), OPTIONS)
  assert.equal((await texts(again.openGroup(1).log(0))).length, 200)
  await again.close()
})
