import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@millrace/base/random'
import { StorageError } from '../engine.ts'
import type { SimulatedDisk } from '../simulated-disk.ts'
import { readFrameHeader } from './frame.ts'
import { fuzzRecovery } from './recovery.fuzz.ts'
import {
  append,
  FIRST_JOURNAL,
  fileBytes,
  journalNames,
  neverSeals,
  newDisk,
  openOn,
  putBytes,
  quiet,
  rememberingLogger,
  store,
  texts,
} from './testing/small-engine.ts'

interface FramePlace {
  readonly position: number
  readonly bytes: number
}

/** Where the frames of a journal file are, by following their lengths. */
async function framesOf(disk: SimulatedDisk, path = FIRST_JOURNAL): Promise<FramePlace[]> {
  const bytes = await fileBytes(disk, path)
  const frames: FramePlace[] = []
  for (let position = 0; ; ) {
    const header = readFrameHeader(bytes, position)
    if (header === undefined || header.position !== position) return frames
    frames.push({ position, bytes: header.frameBytes })
    position += header.frameBytes
  }
}

/** A killed engine that had acknowledged these entries, each in a frame of its own. */
async function killedAfter(...entries: string[]): Promise<SimulatedDisk> {
  const disk = newDisk()
  const engine = await openOn(disk)
  const log = (await engine.createGroup(1, [0])).log(0)
  for (const entry of entries) await store(engine, log, entry)
  return disk.kill()
}

async function openTexts(disk: SimulatedDisk): Promise<string[]> {
  const engine = await openOn(disk)
  try {
    return await texts(engine.openGroup(1).log(0))
  } finally {
    await engine.close()
  }
}

async function textsOf(disk: SimulatedDisk, durability: 'sync' | 'os'): Promise<string[]> {
  const engine = await openOn(disk, { durability })
  const found = await texts(engine.openGroup(1).log(0))
  await engine.close()
  return found
}

function copy(disk: SimulatedDisk): SimulatedDisk {
  return disk.afterKill(seededRandom(1))
}

test('a last frame torn at any byte is cut off, kept, and overwritten by the next', async () => {
  const entry = 'the last one '.repeat(30)
  const disk = await killedAfter('one', 'two', entry)
  const last = (await framesOf(disk)).at(-1)
  assert.ok(last)
  const whole = (await fileBytes(disk, FIRST_JOURNAL)).subarray(
    last.position,
    last.position + last.bytes,
  )
  const meaningful = whole.findLastIndex((byte) => byte !== 0) + 1
  for (let written = 0; written < meaningful; written += written < 70 ? 3 : 29) {
    const torn = copy(disk)
    await putBytes(torn, FIRST_JOURNAL, last.position + written, Buffer.alloc(last.bytes - written))
    const logger = rememberingLogger()
    const engine = await openOn(torn, { logger })
    const log = engine.openGroup(1).log(0)
    assert.deepEqual(await texts(log), ['one', 'two'], `torn after ${written} bytes`)
    assert.equal(await store(engine, log, 'three'), 2)
    await engine.close()
    assert.deepEqual(await openTexts(torn), ['one', 'two', 'three'])
    const cuts = (await journalNames(torn)).filter((name) => name.endsWith('.cut'))
    const cutAt: string = `00000000000000000001.journal.${last.position}.cut`
    assert.deepEqual(cuts, written === 0 ? [] : [cutAt])
    if (written > 0) {
      const kept = await fileBytes(torn, `/data/journal/${cutAt}`)
      const expected = whole.subarray(0, written)
      assert.ok(kept.equals(expected.subarray(0, kept.length)))
      assert.ok(expected.subarray(kept.length).every((byte) => byte === 0))
      assert.ok(logger.lines.some(({ message }) => message.includes('torn tail')))
    }
  }
})

test('a bit flipped anywhere in the last frame after a crash takes that frame only', async () => {
  const disk = await killedAfter('one', 'two', 'three')
  const last = (await framesOf(disk)).at(-1)
  assert.ok(last)
  const bytes = await fileBytes(disk, FIRST_JOURNAL)
  const end = last.position + last.bytes
  const meaningful = bytes.subarray(0, end).findLastIndex((byte) => byte !== 0) + 1
  for (let at = last.position; at < meaningful; at += 3) {
    const flipped = copy(disk)
    flipped.flipBit(FIRST_JOURNAL, at)
    const found = await openTexts(flipped)
    // Eight bytes per directory entry and the gaps between parts carry nothing.
    assert.ok(found.length === 2 || found.length === 3, `bit flipped at ${at}`)
    assert.deepEqual(found, ['one', 'two', 'three'].slice(0, found.length))
  }
})

test('damage before a whole later frame refuses the start and changes nothing', async () => {
  const disk = await killedAfter('one', 'two', 'three')
  const frames = await framesOf(disk)
  const middle = frames.at(-2)
  assert.ok(middle)
  const bytes = await fileBytes(disk, FIRST_JOURNAL)
  // Header, body and directory of the frame before the last.
  for (const at of [0, 9, 33, 63, 64, 70, 100, 112, 130].map((n) => middle.position + n)) {
    const damaged = copy(disk)
    damaged.flipBit(FIRST_JOURNAL, at)
    const before = await fileBytes(damaged, FIRST_JOURNAL)
    await assert.rejects(openOn(damaged), (error) => {
      assert.ok(error instanceof StorageError)
      assert.equal(error.code, 'damaged')
      assert.match(error.message, /00000000000000000001\.journal is damaged at byte \d+/)
      return true
    })
    assert.ok((await fileBytes(damaged, FIRST_JOURNAL)).equals(before))
    assert.ok(!bytes.equals(before))
  }
})

test('damage to the checkpoint of a file with frames refuses the start', async () => {
  const disk = await killedAfter('one')
  disk.flipBit(FIRST_JOURNAL, 70)
  await assert.rejects(openOn(disk), { code: 'damaged' })
})

test('after a clean stop nothing passes for a torn tail', async () => {
  const disk = newDisk()
  const engine = await openOn(disk)
  const log = (await engine.createGroup(1, [0])).log(0)
  for (const entry of ['one', 'two']) await store(engine, log, entry)
  await engine.close()
  const frames = await framesOf(disk)
  const lastCommit = frames.at(-2)
  assert.ok(lastCommit)
  for (const at of [0, 20, 62]) {
    const damaged = copy(disk)
    damaged.flipBit(FIRST_JOURNAL, lastCommit.position + at)
    await assert.rejects(openOn(damaged), { code: 'damaged' })
  }
  assert.deepEqual(await openTexts(disk), ['one', 'two'])
})

test('after a clean stop a damaged block fails its own read and no other', async () => {
  const disk = newDisk()
  const engine = await openOn(disk)
  const log = (await engine.createGroup(1, [0])).log(0)
  for (const entry of ['one', 'two', 'three']) await store(engine, log, entry)
  await engine.close()
  const bytes = await fileBytes(disk, FIRST_JOURNAL)
  disk.flipBit(FIRST_JOURNAL, bytes.indexOf('two'))
  const again = await openOn(disk)
  const one = again.openGroup(1).log(0)
  const bounds = { entriesMax: 1, bytesMax: 100 }
  assert.equal((await one.read(0, bounds)).batches.length, 1)
  await assert.rejects(async () => await one.read(1, bounds), { code: 'damaged' })
  assert.equal((await one.read(2, bounds)).batches.length, 1)
  await again.close()
})

test('after a clean stop a damaged record of the engine itself refuses the start', async () => {
  const disk = newDisk()
  const engine = await openOn(disk)
  await engine.createGroup(1, [0])
  await engine.close()
  disk.flipBit(FIRST_JOURNAL, (await fileBytes(disk, FIRST_JOURNAL)).indexOf('"group":1') + 8)
  await assert.rejects(openOn(disk), { code: 'damaged', message: /own records.*can't be read/ })
})

test('the end mark is overwritten by the next frame', async () => {
  const disk = newDisk()
  const engine = await openOn(disk)
  const log = (await engine.createGroup(1, [0])).log(0)
  await store(engine, log, 'one')
  await engine.close()
  const marked = await framesOf(disk)
  const again = await openOn(disk)
  await store(again, again.openGroup(1).log(0), 'two')
  const killed = disk.kill()
  const frames = await framesOf(killed)
  assert.equal(frames.length, marked.length)
  assert.equal(frames.at(-1)?.position, marked.at(-1)?.position)
  assert.deepEqual(await openTexts(killed), ['one', 'two'])
})

test('a rolled file that is damaged before it is sealed refuses the start', async () => {
  const disk = newDisk()
  const engine = await openOn(disk, { seal: neverSeals })
  const log = (await engine.createGroup(1, [0])).log(0)
  await store(engine, log, 'one')
  await store(engine, log, 'two')
  await engine.roll()
  await store(engine, log, 'three')
  const killed = disk.kill()
  assert.deepEqual(await openTexts(copy(killed)), ['one', 'two', 'three'])
  const last = (await framesOf(killed)).at(-1)
  assert.ok(last)
  const damaged = copy(killed)
  damaged.flipBit(FIRST_JOURNAL, last.position + 40)
  await assert.rejects(openOn(damaged), { code: 'damaged' })
  const lost = copy(killed)
  await lost.remove(FIRST_JOURNAL)
  await engineWithoutFirstFile(lost)
})

/** It was never sealed, so what was in it is lost, and a read there says so. */
async function engineWithoutFirstFile(disk: SimulatedDisk): Promise<void> {
  const logger = rememberingLogger()
  const engine = await openOn(disk, { logger })
  assert.ok(logger.lines.some(({ message }) => message === 'a journal file is missing'))
  const log = engine.openGroup(1).log(0)
  assert.equal(log.next, 3)
  await assert.rejects(async () => await log.read(0, { entriesMax: 10, bytesMax: 100 }), {
    code: 'damaged',
    message: /missing: offsets 0 to 1 of log 0 in group 1/,
  })
  const page = await log.read(2, { entriesMax: 10, bytesMax: 100 })
  assert.equal(page.batches[0]?.firstOffset, 2)
  await engine.close()
}

test('a torn checkpoint leaves the file before it the newest', async () => {
  const disk = newDisk()
  const engine = await openOn(disk, { seal: neverSeals })
  const log = (await engine.createGroup(1, [0])).log(0)
  await store(engine, log, 'one')
  await engine.roll()
  const killed = disk.kill()
  const second = FIRST_JOURNAL.replace('1.journal', '2.journal')
  await putBytes(killed, second, 40, Buffer.alloc(472))
  const again = await openOn(killed)
  const same = again.openGroup(1).log(0)
  assert.deepEqual(await texts(same), ['one'])
  assert.equal(await store(again, same, 'two'), 1)
  await again.roll()
  assert.equal(await store(again, same, 'three'), 2)
  await again.close()
  assert.deepEqual(await openTexts(killed), ['one', 'two', 'three'])
})

test('frames of an earlier use of a file are never taken for new ones', async () => {
  const disk = newDisk()
  const small = { fileBytesMax: 8192, blocksMax: 6, reserveBytes: 4096 }
  let current = disk
  const expected: string[] = []
  for (let life = 0; life < 25; life++) {
    const engine = await openOn(current, small)
    const log = life === 0 ? (await engine.createGroup(1, [0])).log(0) : engine.openGroup(1).log(0)
    assert.deepEqual(await texts(log), expected)
    for (let i = 0; i < 1 + (life % 9); i++) {
      await store(engine, log, `${life}/${i}`)
      expected.push(`${life}/${i}`)
    }
    if (life % 3 === 0) await engine.close()
    if (life % 2 === 0) await engine.sealed().catch(() => {})
    current = current.kill()
  }
  const names = await journalNames(current)
  assert.ok(!names.some((name) => name.endsWith('.cut')), names.join())
})

test('the last frame is made durable again when the page cache may lie', async () => {
  const disk = newDisk()
  const engine = await openOn(disk)
  const log = (await engine.createGroup(1, [0])).log(0)
  await store(engine, log, 'one')
  // The write reaches the page cache, its sync fails, and the cache shows it as if it were there.
  await quiet()
  disk.fail({ operations: ['write'], path: FIRST_JOURNAL, code: 'EIO', times: 1 })
  const result = await append(engine, log, 'two')
  assert.ok(result.kind === 'failed' && result.error.code === 'readonly')
  assert.deepEqual(await texts(log), ['one'])
  const next = disk.kill()
  const again = await openOn(next)
  const seen = await texts(again.openGroup(1).log(0))
  assert.ok(seen.length === 1 || seen.length === 2)
  const cut = next.crash()
  const last = await openOn(cut)
  assert.deepEqual(await texts(last.openGroup(1).log(0)), seen)
  await last.close()
})

test('an unknown file in the journal is moved to the orphans', async () => {
  const disk = await killedAfter('one')
  await (await disk.open('/data/journal/notes.txt', { mode: 'create' })).close()
  assert.deepEqual(await openTexts(disk), ['one'])
  assert.deepEqual(await disk.list('/data/orphans'), ['notes.txt'])
})

test('with durability os a crash cuts at the first hole and no offset is given twice', async () => {
  const disk = newDisk()
  const engine = await openOn(disk, { durability: 'os' })
  const log = (await engine.createGroup(1, [0])).log(0)
  for (let i = 0; i < 20; i++) await store(engine, log, `${i}`)
  const killed = disk.kill()
  const frames = await framesOf(killed)
  const hole = frames.at(-8)
  assert.ok(hole)
  await putBytes(killed, FIRST_JOURNAL, hole.position, Buffer.alloc(hole.bytes))
  const logger = rememberingLogger()
  const again = await openOn(killed, { durability: 'os', logger })
  const same = again.openGroup(1).log(0)
  const kept = await texts(same)
  assert.deepEqual(
    kept,
    Array.from({ length: kept.length }, (_, i) => `${i}`),
  )
  assert.equal(kept.length, 12)
  assert.ok(same.next >= 20, 'the next offset is past all that were ever given')
  assert.ok((await store(again, same, 'after')) >= 2 ** 20)
  assert.ok(logger.lines.some(({ message }) => message.includes('durability os')))
  assert.ok((await journalNames(killed)).some((name) => name.endsWith('.cut')))
  await again.close()
  assert.deepEqual(await openTexts(killed), [...kept, 'after'])
})

test('with durability os files behind a hole are set aside whole', async () => {
  const disk = newDisk()
  const engine = await openOn(disk, { durability: 'os', seal: neverSeals, blocksMax: 4 })
  const log = (await engine.createGroup(1, [0])).log(0)
  for (let i = 0; i < 14; i++) await store(engine, log, `${i}`)
  const killed = disk.kill()
  const files = (await journalNames(killed)).filter((name) => name.endsWith('.journal'))
  assert.ok(files.length > 3)
  const second = FIRST_JOURNAL.replace('1.journal', '2.journal')
  const hole = (await framesOf(killed, second))[2]
  assert.ok(hole)

  // A hole inside the second file; then its checkpoint missing; then that of the newest.
  const inside = copy(killed)
  await putBytes(inside, second, hole.position, Buffer.alloc(hole.bytes))
  assert.equal((await textsOf(inside, 'os')).length, 4)
  const names = await journalNames(inside)
  assert.ok(names.some((name) => name === '00000000000000000003.journal.0.cut'))
  const begin = copy(killed)
  await putBytes(begin, second, 0, Buffer.alloc(512))
  assert.equal((await textsOf(begin, 'os')).length, 3)
  const newest = files.at(-2)
  assert.ok(newest)
  const last = copy(killed)
  await putBytes(last, `/data/journal/${newest}`, 0, Buffer.alloc(512))
  const kept = await textsOf(last, 'os')
  assert.ok(kept.length >= 11 && kept.length < 14)
  assert.deepEqual(
    kept,
    Array.from({ length: kept.length }, (_, i) => `${i}`),
  )

  // The same holes with durability sync are damage.
  for (const position of [0, hole.position]) {
    const damaged = copy(killed)
    const format = Buffer.from('{"format":1,"durability":"sync"}'.padEnd(120))
    await putBytes(damaged, '/data/format.json', 0, format)
    await putBytes(damaged, second, position, Buffer.alloc(512))
    await assert.rejects(openOn(damaged), { code: 'damaged' })
  }
})

test('a journal file missing between others refuses the start', async () => {
  const disk = newDisk()
  const engine = await openOn(disk, { seal: neverSeals, blocksMax: 4 })
  const log = (await engine.createGroup(1, [0])).log(0)
  for (let i = 0; i < 14; i++) await store(engine, log, `${i}`)
  const killed = disk.kill()
  await killed.remove(FIRST_JOURNAL.replace('1.journal', '2.journal'))
  await assert.rejects(openOn(killed), { code: 'damaged', message: /2\.journal.*missing/ })
})

test('segments without a journal refuse the start', async () => {
  const disk = newDisk()
  const engine = await openOn(disk)
  await store(engine, (await engine.createGroup(1, [0])).log(0), 'a')
  await engine.roll()
  await engine.sealed()
  await engine.close()
  for (const name of await journalNames(disk)) await disk.remove(`/data/journal/${name}`)
  await assert.rejects(openOn(disk), { code: 'damaged', message: /journal is missing/ })
})

test('with durability os a clean stop loses and skips nothing', async () => {
  const disk = newDisk()
  const engine = await openOn(disk, { durability: 'os' })
  const log = (await engine.createGroup(1, [0])).log(0)
  for (let i = 0; i < 5; i++) await store(engine, log, `${i}`)
  await engine.close()
  const after = disk.crash()
  const again = await openOn(after, { durability: 'os' })
  assert.equal(again.openGroup(1).log(0).next, 5)
  assert.equal((await texts(again.openGroup(1).log(0))).length, 5)
  await again.close()
})

test('whatever is damaged, a start refuses or serves what was acknowledged', async () => {
  let opened = 0
  let refused = 0
  for (let seed = 1; seed <= 12; seed++) {
    const counts = await fuzzRecovery(seed)
    opened += counts.opened
    refused += counts.refused
  }
  assert.ok(opened > 20 && refused > 20, `${opened} opened, ${refused} refused`)
})

test('a folder of another format is refused with a sentence', async () => {
  const disk = await killedAfter('one')
  await putBytes(disk, '/data/format.json', 0, Buffer.from('{"format":9,'.padEnd(12)))
  await assert.rejects(openOn(disk), (error) => {
    assert.ok(error instanceof StorageError)
    assert.equal(error.code, 'unknown-format')
    assert.match(error.message, /format is 9.*knows format 1/)
    return true
  })
  await disk.remove('/data/format.json')
  await assert.rejects(openOn(disk), { code: 'unknown-format' })
})

test('a folder in use is refused, and free again when its engine closes', async () => {
  const disk = newDisk()
  const engine = await openOn(disk)
  await assert.rejects(openOn(disk), { code: 'locked' })
  await engine.close()
  await (await openOn(disk)).close()
})

test('a folder that cannot be written is refused with what to do', async () => {
  const disk = newDisk()
  disk.fail({ operations: ['makeDirectory', 'open', 'write'], code: 'EACCES' })
  await assert.rejects(openOn(disk), { code: 'unusable-folder', message: /may write there/ })
})
