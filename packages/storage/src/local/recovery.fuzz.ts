// Damages a journal in many ways (bits, zeros, garbage, sectors of other places, cut ends) after a kill
// or a clean stop, and opens it. Either the start is refused with a StorageError, or what is read is
// what was acknowledged: right bytes at right offsets, in order, missing only at the end or where a
// read said `damaged`. Then appends go on and are there after the next start.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Random, seededRandom } from '@millrace/base/random'
import { eachEntry, type Log, StorageError } from '../engine.ts'
import type { LocalEngine } from '../local-engine.ts'
import type { SimulatedDisk } from '../simulated-disk.ts'
import {
  fileBytes,
  journalNames,
  neverSeals,
  newDisk,
  openOn,
  putBytes,
  store,
} from './testing/small-engine.ts'

const GROUPS = 2
const LOGS = 3
const SECTOR = 512

/** What was acknowledged, by log: the text at each offset. */
type Acknowledged = Map<string, string[]>

export async function fuzz(seed: number, seconds: number): Promise<void> {
  const until = Date.now() + seconds * 1000
  for (let round = seed; Date.now() < until; round++) {
    try {
      await fuzzRecovery(round)
    } catch (error) {
      throw new Error(`in the round of seed ${round}`, { cause: error })
    }
  }
}

/** One history, damaged in a dozen ways. */
export async function fuzzRecovery(seed: number): Promise<{ refused: number; opened: number }> {
  const random = seededRandom(seed)
  const { disk, acknowledged } = await history(random)
  let refused = 0
  for (let i = 0; i < 12; i++) {
    const copy = disk.afterKill(seededRandom(random.integer(2 ** 31)))
    const wounds = 1 + random.integer(3)
    for (let wound = 0; wound < wounds; wound++) await damage(copy, random)
    if (!(await isHonest(copy, acknowledged))) refused++
  }
  return { refused, opened: 12 - refused }
}

async function history(
  random: Random,
): Promise<{ disk: SimulatedDisk; acknowledged: Acknowledged }> {
  const disk = newDisk()
  const acknowledged: Acknowledged = new Map()
  const seals = random.integer(2) === 0
  const engine = await openOn(disk, {
    fileBytesMax: 24 * 1024,
    blocksMax: 12 + random.integer(40),
    ...(seals ? {} : { seal: neverSeals }),
  })
  for (let group = 1; group <= GROUPS; group++) {
    await engine.createGroup(
      group,
      Array.from({ length: LOGS }, (_, log) => log),
    )
  }
  const appends = 10 + random.integer(50)
  for (let i = 0; i < appends; i++) {
    const log = engine.openGroup(1 + random.integer(GROUPS)).log(random.integer(LOGS))
    const texts = Array.from({ length: 1 + random.integer(4) }, (_, k) =>
      `${i}.${k};`.padEnd(random.integer(20) === 0 ? 3000 : random.integer(60), 'xyz'),
    )
    await store(engine, log, ...texts)
    const key = `${log.groupId}/${log.id}`
    acknowledged.set(key, [...(acknowledged.get(key) ?? []), ...texts])
  }
  if (seals) await engine.sealed()
  if (random.integer(2) === 0) {
    await engine.close()
    return { disk, acknowledged }
  }
  return { disk: disk.kill(seededRandom(1)), acknowledged }
}

async function damage(disk: SimulatedDisk, random: Random): Promise<void> {
  const names = (await journalNames(disk)).filter((name) => name.endsWith('.journal'))
  const path = `/data/journal/${names[random.integer(names.length)]}`
  const bytes = await fileBytes(disk, path)
  if (bytes.length === 0) return
  // Most of a file is zeros that nobody reads; wounds go where something is.
  const used = bytes.findLastIndex((byte) => byte !== 0) + 1
  const position = random.integer(Math.max(1, used))
  const sector = position - (position % SECTOR)
  const kind = random.integer(5)
  if (kind === 0) disk.flipBit(path, position)
  else if (kind === 1) await putBytes(disk, path, sector, Buffer.alloc(SECTOR))
  else if (kind === 2)
    await putBytes(disk, path, position, random.fill(Buffer.alloc(1 + random.integer(40))))
  else if (kind === 3) {
    const from = random.integer(Math.floor(bytes.length / SECTOR)) * SECTOR
    await putBytes(disk, path, sector, Buffer.from(bytes.subarray(from, from + SECTOR)))
  } else {
    const file = await disk.open(path, { mode: 'write' })
    await file.truncate(position)
    await file.close()
  }
}

/** False when the start is refused. */
async function isHonest(disk: SimulatedDisk, acknowledged: Acknowledged): Promise<boolean> {
  let engine: LocalEngine
  try {
    engine = await openOn(disk)
  } catch (error) {
    assert.ok(error instanceof StorageError, String(error))
    assert.equal(error.code, 'damaged')
    return false
  }
  const added = new Map<string, { offset: number; text: string }>()
  for (const groupId of engine.groupIds()) {
    const group = engine.openGroup(groupId)
    for (const logId of group.logIds()) {
      const key = `${groupId}/${logId}`
      const texts = acknowledged.get(key) ?? []
      const log = group.log(logId)
      assert.ok(log.next <= texts.length, `${key}: ${log.next} entries out of ${texts.length}`)
      await assertRight(log, texts)
      const offset = await store(engine, log, `added to ${key}`)
      added.set(key, { offset, text: `added to ${key}` })
    }
  }
  await engine.close()
  const again = await openOn(disk)
  for (const [key, { offset, text }] of added) {
    const [groupId, logId] = key.split('/').map(Number)
    const page = await again
      .openGroup(groupId ?? 0)
      .log(logId ?? 0)
      .read(offset, { entriesMax: 1, bytesMax: 1 })
    const [batch] = page.batches
    assert.ok(batch)
    assert.equal(batch.firstOffset, offset)
    eachEntry(batch, (_, buffer, start, end) => {
      assert.equal(buffer.toString('latin1', start, end), text)
    })
  }
  await again.close()
  return true
}

/** Every entry that a read gives is the right one; without an error none is missing before the end. */
async function assertRight(log: Log, texts: readonly string[]): Promise<void> {
  for (let at = 0; at < log.next; ) {
    let next = at + 1
    try {
      const page = await log.read(at, { entriesMax: 5, bytesMax: 2000 })
      let expected = at
      for (const batch of page.batches) {
        assert.equal(batch.firstOffset, expected)
        eachEntry(batch, (offset, buffer, start, end) => {
          assert.equal(buffer.toString('latin1', start, end), texts[offset])
        })
        expected += batch.count
      }
      next = Math.max(next, page.next)
      page.release()
    } catch (error) {
      assert.ok(error instanceof StorageError, String(error))
      assert.equal(error.code, 'damaged')
    }
    at = next
  }
}

if (import.meta.url === pathToFileURL(join(process.argv[1] ?? '')).href) {
  const at = process.argv.indexOf('--seed')
  const seed = at < 0 ? Date.now() % 2 ** 31 : Number(process.argv[at + 1])
  console.log(`seed ${seed}`)
  await fuzz(seed, 10)
}
