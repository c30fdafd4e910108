// Segments that are missing or shortened: whoever reads there is told, everything else is served, and
// what was let go on purpose is missed by nobody.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceClock } from '@millrace/base/clock'
import { StorageError } from '../engine.ts'
import type { LocalEngine } from '../local-engine.ts'
import type { SimulatedDisk } from '../simulated-disk.ts'
import {
  append,
  newDisk,
  openOn,
  quiet,
  rememberingLogger,
  store,
  texts,
} from './testing/small-engine.ts'

const ALL = { entriesMax: 1000, bytesMax: 1_000_000 }
const SMALL = { blocksMax: 12, cacheBytesMax: 1024 }
const ENTRIES = 60

function segmentsOf(disk: SimulatedDisk, groupId: number): string[] {
  return [...disk.files().keys()].filter((path) => path.startsWith(`/data/segments/${groupId}/`))
}

/** Everything of two groups in segments, and the engine closed. */
async function sealedDisk(blocksMax = SMALL.blocksMax): Promise<SimulatedDisk> {
  const disk = newDisk()
  const clock = new ServiceClock({ wall: () => 1_000_000 })
  const engine = await openOn(disk, { ...SMALL, blocksMax, clock })
  for (const id of [1, 2]) await engine.createGroup(id, [0, 1])
  for (let i = 0; i < ENTRIES; i++) {
    for (const id of [1, 2]) await store(engine, engine.openGroup(id).log(0), `${i}`)
    await clock.advance(10)
  }
  await engine.roll()
  await engine.sealed()
  await engine.close()
  return disk
}

async function damageAt(engine: LocalEngine, from: number): Promise<StorageError> {
  try {
    await engine.openGroup(1).log(0).read(from, ALL)
  } catch (error) {
    assert.ok(error instanceof StorageError)
    assert.equal(error.code, 'damaged')
    return error
  }
  throw new Error(`offset ${from} was read`)
}

/** The range that an error names. */
function rangeOf({ message }: StorageError): [number, number] {
  const [, from, last] = /offsets (\d+) to (\d+) of log 0 in group 1/.exec(message) ?? []
  assert.ok(from !== undefined && last !== undefined, message)
  return [Number(from), Number(last)]
}

/** What of 0 to ENTRIES can be read, in pages, stepping over what errors name. */
async function readAround(engine: LocalEngine): Promise<{ found: number[]; lost: number }> {
  const log = engine.openGroup(1).log(0)
  const found: number[] = []
  let lost = 0
  for (let at = 0; at < log.next; ) {
    try {
      const page = await log.read(at, { entriesMax: 7, bytesMax: 1000 })
      for (const { firstOffset, count } of page.batches) {
        for (let i = 0; i < count; i++) found.push(firstOffset + i)
      }
      at = page.next
      page.release()
    } catch (error) {
      assert.ok(error instanceof StorageError)
      const [from, last] = rangeOf(error)
      assert.ok(from <= at && at <= last, `${error.message} at ${at}`)
      lost += last + 1 - at
      at = last + 1
    }
  }
  return { found, lost }
}

for (const which of ['first', 'middle', 'last'] as const) {
  test(`the ${which} segment missing is told at the start and to who reads there`, async () => {
    const disk = await sealedDisk()
    const paths = segmentsOf(disk, 1)
    assert.ok(paths.length > 4)
    const index = { first: 0, middle: 2, last: paths.length - 1 }[which]
    await disk.remove(paths[index]!)
    const logger = rememberingLogger()
    const engine = await openOn(disk, { ...SMALL, logger })
    assert.ok(
      logger.lines.some(({ level, message }) => level === 'error' && /missing/.test(message)),
    )
    assert.equal(engine.metrics().damagedBlocks, 1)
    assert.equal(engine.metrics().segments, paths.length - 1 + segmentsOf(disk, 2).length)
    const { found, lost } = await readAround(engine)
    assert.ok(lost > 0)
    assert.equal(found.length + lost, ENTRIES)
    assert.equal((await texts(engine.openGroup(2).log(0))).length, ENTRIES)
    assert.deepEqual(await texts(engine.openGroup(1).log(1)), [])
    await store(engine, engine.openGroup(1).log(0), 'more')
    await engine.close()
    const again = await openOn(disk, SMALL)
    assert.equal((await readAround(again)).lost, lost, 'it is still missed after another start')
    await again.close()
  })
}

for (const [part, isOnly] of [
  [0.2, false],
  [0.5, false],
  [0.5, true],
  [0.9, false],
] as const) {
  test(`a segment cut to ${part} of its length hides nothing in silence (only one: ${isOnly})`, async () => {
    const disk = await sealedDisk(isOnly ? 1000 : undefined)
    const path = segmentsOf(disk, 1)[isOnly ? 0 : 2]!
    const file = await disk.open(path, { mode: 'write' })
    await file.truncate(Math.floor((await file.size()) * part))
    await file.close()
    const engine = await openOn(disk, SMALL)
    // As retention does all the time.
    engine.openGroup(1).trim(1)
    assert.equal(engine.openGroup(1).log(0).first, 0)
    await store(engine, engine.openGroup(1).log(0), 'more')
    const { found, lost } = await readAround(engine)
    assert.equal(found.length + lost, ENTRIES + 1)
    if (part < 0.6) assert.ok(lost > 0)
    await engine.close()
  })
}

test('reads go on behind a loss by offset and by time', async () => {
  const disk = await sealedDisk()
  await disk.remove(segmentsOf(disk, 1)[1]!)
  const engine = await openOn(disk, SMALL)
  const log = engine.openGroup(1).log(0)
  const [, last] = rangeOf(await damageAt(engine, 7))
  const page = await log.read(last + 1, ALL)
  assert.equal(page.batches[0]?.firstOffset, last + 1)
  assert.equal(await log.offsetAt(1_000_000 + 10 * (last + 1)), last + 1)
  await assert.rejects(async () => await log.offsetAt(1_000_000 + 10 * last), { code: 'damaged' })
  assert.equal(await log.offsetAt(0), 0)
  await engine.close()
})

test('an accepted loss is passed over, and nothing else is', async () => {
  const disk = await sealedDisk()
  await disk.remove(segmentsOf(disk, 1)[1]!)
  const blind = await openOn(disk, SMALL)
  const [from, last] = rangeOf(await damageAt(blind, 7))
  const { found } = await readAround(blind)
  await blind.close()
  const losses = [{ group: 1, log: 0, from: 0, before: last + 1 }]
  const file = await disk.open('/data/accepted-losses.json', { mode: 'create' })
  const bytes = Buffer.from(JSON.stringify({ losses }))
  await file.write(bytes, 0, bytes.length, 0)
  await file.close()
  assert.ok(from <= 7 && found.length > 0)
  const engine = await openOn(disk, SMALL)
  const log = engine.openGroup(1).log(0)
  assert.deepEqual(
    await texts(log),
    found.map((offset) => `${offset}`),
  )
  assert.equal(await log.offsetAt(1_000_000 + 10 * last), last + 1)
  await engine.close()
  await disk.remove(segmentsOf(disk, 1)[1]!)
  const again = await openOn(disk, SMALL)
  await damageAt(again, last + 1)
  await again.close()
})

test('a list of accepted losses that cannot be read refuses the start', async () => {
  for (const text of ['{', '{}', '{"losses":[{"group":1,"log":0,"from":5,"before":5}]}']) {
    const disk = await sealedDisk()
    const file = await disk.open('/data/accepted-losses.json', { mode: 'create' })
    await file.write(Buffer.from(text), 0, text.length, 0)
    await file.close()
    await assert.rejects(openOn(disk, SMALL), {
      code: 'unusable-folder',
      message: /accepted-losses\.json can't be used/,
    })
  }
})

test('what was let go is missed by nobody, however the process ends', async () => {
  for (const end of ['close', 'kill', 'crash'] as const) {
    let disk = newDisk()
    const clock = new ServiceClock({ wall: () => 1_000_000 })
    const engine = await openOn(disk, { ...SMALL, clock })
    const group = await engine.createGroup(1, [0])
    for (let i = 0; i < ENTRIES; i++) {
      await store(engine, group.log(0), `${i}`)
      await clock.advance(10)
    }
    await engine.roll()
    await engine.sealed()
    const before = engine.metrics().segments
    group.trim(1_000_000 + 10 * 40)
    for (let turns = 0; turns < 5; turns++) await quiet()
    assert.ok(engine.metrics().segments < before)
    assert.equal(engine.metrics().retentionLagMs, 0)
    if (end === 'close') await engine.close()
    else disk = disk[end]()
    const logger = rememberingLogger()
    const again = await openOn(disk, { ...SMALL, logger })
    const log = again.openGroup(1).log(0)
    const left = await texts(log)
    assert.equal(left.at(-1), `${ENTRIES - 1}`)
    assert.ok(left.length >= 20 && left.length < ENTRIES)
    assert.deepEqual(
      logger.lines.filter(({ level }) => level === 'error'),
      [],
    )
    assert.equal(again.metrics().damagedBlocks, 0)
    await again.close()
  }
})

test('what is lost is past one day, and then it is missed no more', async () => {
  const disk = await sealedDisk()
  await disk.remove(segmentsOf(disk, 1)[1]!)
  const clock = new ServiceClock({ wall: () => 2_000_000 })
  const engine = await openOn(disk, { ...SMALL, clock })
  engine.openGroup(1).trim(1_000_000 + 10 * 30)
  for (let turns = 0; turns < 5; turns++) await quiet()
  const log = engine.openGroup(1).log(0)
  assert.deepEqual(
    await texts(log),
    Array.from({ length: 30 }, (_, i) => `${30 + i}`),
  )
  await engine.close()
  const logger = rememberingLogger()
  await (await openOn(disk, { ...SMALL, logger })).close()
  assert.equal(logger.lines.filter(({ level }) => level === 'error').length, 0)
})

test('a file that waits to be sealed and data that should have gone show their age', async () => {
  const disk = newDisk()
  const clock = new ServiceClock({ wall: () => 1_000_000 })
  const engine = await openOn(disk, { clock })
  const group = await engine.createGroup(1, [0])
  assert.equal(engine.metrics().oldestUnsealedMs, 0)
  await store(engine, group.log(0), 'a')
  const end = disk.fail({ operations: ['rename'], path: '/data/segments', code: 'EIO' })
  await engine.roll()
  await engine.sealed()
  await clock.advance(5000)
  assert.equal(engine.metrics().oldestUnsealedMs, 5000)
  end()
  await append(engine, group.log(0), 'b')
  await engine.roll()
  await engine.sealed()
  assert.equal(engine.metrics().oldestUnsealedMs, 0)
  assert.equal(engine.metrics().retentionLagMs, 0)
  await clock.advance(1000)
  group.trim(clock.now())
  assert.equal(engine.metrics().retentionLagMs, 6000, 'the files have not gone yet')
  for (let turns = 0; turns < 5; turns++) await quiet()
  assert.equal(engine.metrics().retentionLagMs, 0)
  assert.equal(engine.metrics().segments, 0)
  await engine.close()
})
