// Damages segments in many ways at once (bits, zeros, garbage, cuts, bytes of other segments) and reads
// everything from start to end: no entry is ever wrong or out of order, nothing but `damaged` is thrown,
// entries are missed only where a read said so, and other groups never notice.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Random, seededRandom } from '@millrace/base/random'
import type { SimulatedDisk } from '../simulated-disk.ts'
import { segmentPath } from './segment.ts'
import {
  DIRECTORY,
  openStore,
  readAround,
  Sample,
  seal,
  simulated,
} from './testing/sealed-sample.ts'

export async function fuzz(seed: number, seconds: number): Promise<void> {
  const until = Date.now() + seconds * 1000
  for (let round = seed; Date.now() < until; round++) {
    try {
      await fuzzSegments(round)
    } catch (error) {
      throw new Error(`in the round of seed ${round}`, { cause: error })
    }
  }
}

/** One set of files, damaged in a dozen ways. */
export async function fuzzSegments(seed: number): Promise<void> {
  const random = seededRandom(seed)
  const disk = await simulated(seed)
  const sample = await sealedSample(disk, random)
  const path = segmentPath(DIRECTORY, 1, 2)
  for (let i = 0; i < 12; i++) {
    const copy = disk.afterKill(seededRandom(random.integer(2 ** 31)))
    const wounds = 1 + random.integer(6)
    for (let wound = 0; wound < wounds; wound++) await damage(copy, path, random)
    await assertHonest(copy, sample)
  }
}

async function sealedSample(disk: SimulatedDisk, random: Random): Promise<Sample> {
  const sample = new Sample(disk)
  const store = await openStore(disk)
  for (let file = 0; file < 3; file++) {
    const frames = 5 + random.integer(40)
    for (let i = 0; i < frames; i++) {
      sample.advance(1)
      const lengths = Array.from({ length: 1 + random.integer(5) }, () => random.integer(120))
      sample.frame([1, random.integer(6), lengths], [2, 0, [20]])
    }
    await seal(store, await sample.roll())
  }
  await store.close()
  return sample
}

async function damage(disk: SimulatedDisk, path: string, random: Random): Promise<void> {
  const size = disk.files().get(path) ?? 0
  const kind = random.integer(8)
  if (size === 0) return
  if (kind < 4) {
    disk.flipBit(path, kind === 0 ? nearAnEnd(size, random) : random.integer(size))
    return
  }
  const file = await disk.open(path, { mode: 'write' })
  const at = random.integer(size)
  const length = Math.min(size - at, 1 + random.integer(700))
  const bytes = Buffer.alloc(length)
  if (kind === 4) random.fill(bytes)
  if (kind === 5)
    await copyFrom(disk, segmentPath(DIRECTORY, 1, 1 + random.integer(3)), bytes, random)
  if (kind === 6) await file.read(bytes, 0, length, random.integer(size))
  if (kind === 7 && random.integer(3) === 0) await file.truncate(random.integer(size + 100))
  else await file.write(bytes, 0, length, at)
  await file.close()
}

function nearAnEnd(size: number, random: Random): number {
  const at = random.integer(Math.min(64, size))
  return random.integer(2) === 0 ? at : size - 1 - at
}

async function copyFrom(
  disk: SimulatedDisk,
  path: string,
  target: Buffer,
  random: Random,
): Promise<void> {
  const file = await disk.open(path, { mode: 'read' })
  await file.read(target, 0, target.length, random.integer(await file.size()))
  await file.close()
}

async function assertHonest(disk: SimulatedDisk, sample: Sample): Promise<void> {
  const store = await openStore(disk)
  for (const [key, entries] of sample.logs) {
    const [groupId = 0, logId = 0] = key.split('/').map(Number)
    const { found, isDamaged } = await readAround(store, groupId, logId)
    if (isDamaged) assert.equal(groupId, 1)
    else assert.deepEqual(found, entries, `log ${key} is read whole or says that it is damaged`)
    let last = -1
    for (const entry of found) {
      assert.ok(entry.offset > last, 'offsets rise')
      assert.deepEqual(entry, entries[entry.offset], 'an entry is served as it was')
      last = entry.offset
    }
  }
  await store.close()
}

if (import.meta.url === pathToFileURL(join(process.argv[1] ?? '')).href) {
  const at = process.argv.indexOf('--seed')
  const seed = at < 0 ? Date.now() % 2 ** 31 : Number(process.argv[at + 1])
  console.log(`seed ${seed}`)
  await fuzz(seed, 20)
}
