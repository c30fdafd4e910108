// The local engine on disks that are full, slow or broken, and over long lives.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceClock } from '@millrace/base/clock'
import { type AppendResult, blockOf, type Log } from '../engine.ts'
import type { LocalEngine } from '../local-engine.ts'
import { sealHere } from './sealer.ts'
import {
  append,
  FIRST_JOURNAL,
  journalNames,
  newDisk,
  openOn,
  quiet,
  rememberingLogger,
  store,
  texts,
} from './testing/small-engine.ts'

const MIB = 1024 * 1024
const PAGE = Buffer.alloc(16 * 1024, 'p')

function codeOf(result: AppendResult): string {
  return result.kind === 'failed' ? result.error.code : 'appended'
}

/** Appends pages until one is refused; gives how many were stored, and why no more. */
async function fill(engine: LocalEngine, log: Log): Promise<{ stored: number; code: string }> {
  for (let stored = 0; ; stored++) {
    const code = codeOf(await append(engine, log, PAGE))
    if (code !== 'appended') return { stored, code }
    assert.ok(stored < 10_000, 'the disk never fills')
  }
}

test('an idle log outlives retention, restart and append without reusing a number', async () => {
  const disk = newDisk()
  let clock = new ServiceClock({ wall: () => 1_000_000 })
  const small = { blocksMax: 4, fileBytesMax: 16_384 }
  let engine = await openOn(disk, { ...small, clock })
  const group = await engine.createGroup(1, [0, 1])
  assert.equal(await store(engine, group.log(0), 'a', 'b', 'c'), 0)
  const lastTimeMs = group.log(0).lastTimeMs
  for (let day = 0; day < 12; day++) {
    await clock.advance(86_400_000)
    const busy = engine.openGroup(1).log(1)
    for (let i = 0; i < 5; i++) await store(engine, busy, `${day}/${i}`)
    await engine.roll()
    engine.openGroup(1).trim(clock.now() - 86_400_000)
    await engine.sealed()
    await quiet()
    await quiet()
    if (day % 3 === 2) {
      const nowMs = clock.now()
      await engine.close()
      clock = new ServiceClock({ wall: () => nowMs })
      engine = await openOn(disk, { ...small, clock })
    }
    const idle = engine.openGroup(1).log(0)
    assert.equal(idle.next, 3)
    assert.equal(idle.lastTimeMs, lastTimeMs)
  }
  await engine.sealed()
  for (let turns = 0; turns < 5; turns++) await quiet()
  const idle = engine.openGroup(1).log(0)
  assert.equal(idle.first, 3)
  assert.deepEqual(await texts(idle), [])
  assert.ok(engine.metrics().segments <= 8, `${engine.metrics().segments} segments are left`)
  assert.equal(await store(engine, idle, 'd'), 3)
  assert.deepEqual(await texts(idle), ['d'])
  await engine.close()
})

test('a group made again after a delete starts anew under a new number', async () => {
  const disk = newDisk()
  let engine = await openOn(disk, { blocksMax: 3 })
  for (let life = 1; life <= 6; life++) {
    const group = await engine.createGroup(life, [0])
    assert.equal(await store(engine, group.log(0), `of ${life}`), 0)
    for (let i = 0; i < 4; i++) await store(engine, group.log(0), `${i}`)
    await engine.sealed()
    assert.equal((await texts(group.log(0))).length, 5)
    await engine.deleteGroup(life)
    await assert.rejects(engine.createGroup(life, [0]), { code: 'group-exists' })
    if (life % 2 === 0) {
      await engine.close()
      engine = await openOn(disk, { blocksMax: 3 })
    }
    assert.deepEqual(engine.groupIds(), [])
    assert.equal(engine.groupIdMax, life)
  }
  await engine.roll()
  await engine.sealed()
  assert.equal(engine.metrics().segments, 0)
  await engine.close()
})

test('1000 groups of one record take little disk, and are there after a restart', async () => {
  const disk = newDisk()
  const engine = await openOn(disk, { reserveBytes: MIB })
  const ids = Array.from({ length: 1000 }, (_, i) => i + 1)
  await Promise.all(
    ids.map(async (id) => store(engine, (await engine.createGroup(id, [0])).log(0), `of ${id}`)),
  )
  await engine.roll()
  await engine.sealed()
  assert.ok(disk.usedBytes < 30 * MIB, `${disk.usedBytes} bytes`)
  await engine.close()
  const again = await openOn(disk)
  assert.deepEqual(again.groupIds(), ids)
  for (const id of [1, 500, 1000]) {
    assert.deepEqual(await texts(again.openGroup(id).log(0)), [`of ${id}`])
  }
  await again.close()
})

test('on a full disk appends are refused and deletes work', async () => {
  const disk = newDisk(2 * MIB)
  const options = { fileBytesMax: 256 * 1024, reserveBytes: 64 * 1024 }
  const engine = await openOn(disk, options)
  const log = (await engine.createGroup(1, [0])).log(0)
  const kept = (await engine.createGroup(2, [0])).log(0)
  await store(engine, kept, 'kept')
  const { stored, code } = await fill(engine, log)
  assert.ok(stored > 20)
  assert.equal(code, 'disk-full')
  assert.equal(log.next, stored)
  // What was held for later is given back first; then nothing more fits.
  for (let refusals = 0; refusals < 5; ) {
    refusals = codeOf(await append(engine, log, PAGE)) === 'disk-full' ? refusals + 1 : 0
    await quiet()
  }
  assert.deepEqual(await texts(kept), ['kept'])
  await engine.deleteGroup(1)
  assert.deepEqual(engine.groupIds(), [2])
  for (let tries = 0; tries < 20; tries++) {
    await append(engine, kept, 'after')
    await quiet()
  }
  const after = await texts(kept)
  assert.ok(after.length > 1, 'appends go on once there is room')
  await engine.close()
  const again = await openOn(disk.crash(), options)
  assert.deepEqual(again.groupIds(), [2])
  assert.deepEqual(await texts(again.openGroup(2).log(0)), after)
  await again.close()
})

test('a disk that others have filled still takes many deletes, also after a restart', async () => {
  const disk = newDisk()
  const engine = await openOn(disk, { reserveBytes: 64 * 1024 })
  const ids = Array.from({ length: 40 }, (_, i) => i + 1)
  for (const id of ids) await store(engine, (await engine.createGroup(id, [0])).log(0), 'x')
  await quiet()
  disk.capacityBytes = disk.usedBytes
  const log = engine.openGroup(1).log(0)
  await fill(engine, log)
  for (const id of ids.slice(0, 20)) await engine.deleteGroup(id)
  const killed = disk.kill()
  const again = await openOn(killed, { reserveBytes: 64 * 1024 })
  assert.deepEqual(again.groupIds(), ids.slice(20))
  for (const id of ids.slice(20)) await again.deleteGroup(id)
  assert.deepEqual(again.groupIds(), [])
  await again.close()
})

test('a frame that finds no room is taken back whole, and none of its numbers is lost', async () => {
  const disk = newDisk(3 * MIB)
  const engine = await openOn(disk, { reserveBytes: 64 * 1024, aheadBytesMax: 0 })
  const log = (await engine.createGroup(1, [0])).log(0)
  await fill(engine, log)
  const end = log.next
  const results = await Promise.all(
    Array.from({ length: 5 }, () => engine.append([blockOf(log, [PAGE])])),
  )
  for (const [result] of results) assert.equal(result && codeOf(result), 'disk-full')
  assert.equal(await log.gate(), end)
  log.release()
  disk.capacityBytes = 20 * MIB
  let first: number | undefined
  for (let tries = 0; tries < 20 && first === undefined; tries++) {
    const result = await append(engine, log, 'again')
    if (result.kind === 'appended') first = result.firstOffset
    await quiet()
  }
  assert.equal(first, end)
  const again = await openOn(disk.crash(), { reserveBytes: 64 * 1024 })
  const same = again.openGroup(1).log(0)
  assert.equal(same.next, end + 1)
  assert.equal((await texts(same)).length, end + 1)
  await again.close()
})

test('below the low-water mark only urgent appends are taken', async () => {
  const disk = newDisk(64 * MIB)
  const engine = await openOn(disk, { lowWaterBytes: 8 * MIB })
  const log = (await engine.createGroup(1, [0])).log(0)
  await store(engine, log, 'a')
  disk.capacityBytes = disk.usedBytes + 4 * MIB
  for (let i = 0; i < 300 && codeOf(await append(engine, log, PAGE)) === 'appended'; i++) {
    await quiet()
  }
  assert.equal(codeOf(await append(engine, log, 'b')), 'disk-full')
  const [urgent] = await engine.append([blockOf(log, [Buffer.from('u')])], { isUrgent: true })
  assert.equal(urgent?.kind, 'appended')
  disk.capacityBytes = 256 * MIB
  await append(engine, log, 'tells the engine to look')
  await quiet()
  await store(engine, log, 'c')
  await engine.close()
})

test('a stalled disk under load: memory stays bounded, reads go on, and all comes right', async () => {
  const disk = newDisk()
  const engine = await openOn(disk, { unacknowledgedBytesMax: MIB })
  const log = (await engine.createGroup(1, [0])).log(0)
  await store(engine, log, 'before')
  await quiet()
  const goOn = disk.stall({ operations: ['write'] })
  const pending = Array.from({ length: 200 }, () => engine.append([blockOf(log, [PAGE])]))
  assert.equal(engine.isPressed, true)
  const refused = await Promise.all(pending.slice(80))
  assert.ok(refused.every(([result]) => result && codeOf(result) === 'overloaded'))
  assert.ok(engine.metrics().bytesUnacknowledged <= MIB)
  assert.deepEqual(await texts(log), ['before'])
  goOn()
  const results = await Promise.all(pending)
  const stored = results.filter(([result]) => result?.kind === 'appended')
  assert.ok(stored.length >= 50 && stored.length < 80)
  assert.equal(log.next, 1 + stored.length)
  assert.equal(engine.isPressed, false)
  assert.equal(engine.metrics().bytesUnacknowledged, 0)
  await store(engine, log, 'after')
  await engine.close()
})

test('an append larger than the whole budget goes through when nothing else is under way', async () => {
  const engine = await openOn(newDisk(), { unacknowledgedBytesMax: MIB, frameBytesMax: MIB })
  const log = (await engine.createGroup(1, [0])).log(0)
  const big = Buffer.alloc(3 * MIB, 'b')
  await store(engine, log, big)
  const [large, small] = await Promise.all([append(engine, log, big), append(engine, log, 'x')])
  assert.deepEqual([codeOf(large), codeOf(small)], ['appended', 'overloaded'])
  await engine.close()
})

test('after a failed write nothing is written any more and all acknowledged is read', async () => {
  const disk = newDisk()
  const logger = rememberingLogger()
  const engine = await openOn(disk, { logger })
  const log = (await engine.createGroup(1, [0])).log(0)
  await store(engine, log, 'a')
  await quiet()
  disk.fail({ operations: ['write'], path: FIRST_JOURNAL, code: 'EIO', times: 1 })
  const pending = ['b', 'c', 'd'].map((text) => append(engine, log, text))
  for (const result of await Promise.all(pending)) assert.equal(codeOf(result), 'readonly')
  assert.equal(engine.status().state, 'readonly')
  assert.match(engine.status().reason ?? '', /can't be written any more.*start again/)
  assert.equal(codeOf(await append(engine, log, 'e')), 'readonly')
  await assert.rejects(engine.createGroup(2, [0]), { code: 'readonly' })
  await assert.rejects(engine.deleteGroup(1), { code: 'readonly' })
  assert.deepEqual(engine.groupIds(), [1])
  assert.deepEqual(await texts(log), ['a'])
  assert.equal(await log.gate(), 1)
  await engine.roll()
  await engine.close()
  assert.equal(logger.lines.filter(({ level }) => level === 'error').length, 1)
  const again = await openOn(disk)
  assert.equal((await texts(again.openGroup(1).log(0)))[0], 'a')
  await again.close()
})

test('zeros that cannot be written ahead end writing, not reading', async () => {
  const disk = newDisk()
  const engine = await openOn(disk, { aheadBytesMax: MIB })
  const log = (await engine.createGroup(1, [0])).log(0)
  await quiet()
  disk.fail({ operations: ['sync'], path: FIRST_JOURNAL, code: 'EIO', times: 1 })
  for (let i = 0; i < 20; i++) await append(engine, log, PAGE)
  await quiet()
  assert.equal(engine.status().state, 'readonly')
  assert.equal((await texts(log)).length, log.next)
  await engine.close()
})

test('sealing that fails is tried again after the next roll', async () => {
  const disk = newDisk()
  const logger = rememberingLogger()
  const engine = await openOn(disk, { logger })
  const log = (await engine.createGroup(1, [0])).log(0)
  await store(engine, log, 'a')
  const mend = disk.fail({ operations: ['rename'], path: '/data/segments', code: 'EIO' })
  await engine.roll()
  await engine.sealed()
  assert.equal(engine.metrics().filesUnsealed, 1)
  assert.ok(logger.lines.some(({ message }) => message.includes('could not be sealed')))
  assert.deepEqual(await texts(log), ['a'])
  mend()
  await store(engine, log, 'b')
  await engine.roll()
  await engine.sealed()
  assert.equal(engine.metrics().filesUnsealed, 0)
  assert.deepEqual(await texts(log), ['a', 'b'])
  await engine.close()
})

test('when sealing falls far behind, appends are refused instead of piling up files', async () => {
  const engine = await openOn(newDisk(), {
    blocksMax: 2,
    filesUnsealedMax: 3,
    seal: () => Promise.reject(new Error('no thread')),
  })
  const log = (await engine.createGroup(1, [0])).log(0)
  const codes = new Set<string>()
  for (let i = 0; i < 20; i++) codes.add(codeOf(await append(engine, log, `${i}`)))
  assert.deepEqual([...codes], ['appended', 'overloaded'])
  assert.equal(engine.metrics().filesUnsealed, 6)
  await engine.close()
})

test('a sealer that falls behind is waited for, and nothing is refused', async () => {
  let goOn = (): void => {}
  const until = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const disk = newDisk()
  const engine = await openOn(disk, {
    blocksMax: 2,
    filesUnsealedMax: 3,
    seal: async (directory, input, signal) => {
      await until
      return await sealHere(disk)(directory, input, signal)
    },
  })
  const log = (await engine.createGroup(1, [0])).log(0)
  const storeMany = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await store(engine, log, `${i}`)
  }
  const stored = storeMany()
  for (let turns = 0; turns < 50; turns++) await quiet()
  assert.equal(engine.metrics().filesUnsealed, 3)
  assert.ok(log.next < 20)
  goOn()
  await stored
  assert.equal(log.next, 20)
  await engine.close()
})

test('a file with entries rolls and is sealed when it has come of age', async () => {
  const disk = newDisk()
  const clock = new ServiceClock({ wall: () => 1_000_000 })
  const engine = await openOn(disk, { clock, rollAgeMs: 60_000 })
  const log = (await engine.createGroup(1, [0])).log(0)
  await store(engine, log, 'a')
  await clock.advance(59_000)
  assert.equal(engine.metrics().segments, 0)
  await clock.advance(2_000)
  await engine.sealed()
  assert.equal(engine.metrics().segments, 1)
  const names = await journalNames(disk)
  await clock.advance(600_000)
  assert.deepEqual(await journalNames(disk), names)
  assert.deepEqual(await texts(log), ['a'])
  await engine.close()
})

test('a trim by offset lets sealed files go', async () => {
  const disk = newDisk()
  const clock = new ServiceClock({ wall: () => 1_000_000 })
  const engine = await openOn(disk, { clock, blocksMax: 4 })
  const group = await engine.createGroup(1, [0, 1])
  for (let i = 0; i < 24; i++) {
    await store(engine, group.log(0), `${i}`)
    await store(engine, group.log(1), `${i}`)
    await clock.advance(10)
  }
  await engine.sealed()
  const before = engine.metrics().segments
  group.log(0).trim(24)
  await quiet()
  assert.equal(engine.metrics().segments, before, 'the other log is still there')
  await clock.advance(2_000)
  group.log(1).trim(20)
  await quiet()
  const after = engine.metrics().segments
  assert.ok(after > 0 && after < before / 2, `${after} of ${before}`)
  assert.deepEqual(await texts(group.log(1)), ['20', '21', '22', '23'])
  await engine.close()
})
