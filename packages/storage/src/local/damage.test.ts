// Damage to what is stored: it costs the entries it lies in and nothing else, and it is never silent.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eachEntry, type Log, StorageError } from '../engine.ts'
import type { LocalEngine } from '../local-engine.ts'
import type { SimulatedDisk } from '../simulated-disk.ts'
import { sealHere } from './sealer.ts'
import {
  append,
  FIRST_JOURNAL,
  fileBytes,
  journalNames,
  newDisk,
  openOn,
  type RememberingLogger,
  rememberingLogger,
  store,
  texts,
} from './testing/small-engine.ts'

interface Outcome {
  readonly texts: string[]
  readonly errors: StorageError[]
}

/** Reads a log entry by entry, past whatever can't be read. */
async function readAll(log: Log): Promise<Outcome> {
  const outcome: Outcome = { texts: [], errors: [] }
  for (let at = log.first; at < log.next; ) {
    try {
      const page = await log.read(at, { entriesMax: 1, bytesMax: 1_000_000 })
      for (const batch of page.batches) {
        eachEntry(batch, (_, buffer, start, end) => {
          outcome.texts.push(buffer.toString('latin1', start, end))
        })
      }
      page.release()
      at = page.next
    } catch (error) {
      assert.ok(error instanceof StorageError, `${error}`)
      assert.equal(error.code, 'damaged')
      outcome.errors.push(error)
      at++
    }
  }
  return outcome
}

function errorsIn(logger: RememberingLogger): string[] {
  return logger.lines.filter(({ level }) => level === 'error').map(({ message }) => message)
}

const SMALL = { blocksMax: 6, cacheBytesMax: 1024 }

/** An engine whose first journal file has rolled, and waits to be sealed until it is let. */
async function rolledEngine(
  disk: SimulatedDisk,
  logger: RememberingLogger,
): Promise<{ engine: LocalEngine; log: Log; other: Log; letSeal: () => void }> {
  let letSeal = (): void => {}
  const until = new Promise<void>((resolve) => {
    letSeal = resolve
  })
  const engine = await openOn(disk, {
    ...SMALL,
    logger,
    seal: async (directory, input, signal) => {
      await until
      return await sealHere(disk)(directory, input, signal)
    },
  })
  const log = (await engine.createGroup(1, [0])).log(0)
  const other = (await engine.createGroup(2, [5])).log(5)
  await store(engine, log, 'entry a', 'entry b')
  await store(engine, other, 'entry c')
  await store(engine, log, 'entry d')
  await engine.roll()
  return { engine, log, other, letSeal }
}

test('a flipped bit in a rolled file costs its block and never the writes of others', async () => {
  const disk = newDisk()
  const logger = rememberingLogger()
  const { engine, log, other, letSeal } = await rolledEngine(disk, logger)
  disk.flipBit(FIRST_JOURNAL, (await fileBytes(disk, FIRST_JOURNAL)).indexOf('entry b'))
  const original = await fileBytes(disk, FIRST_JOURNAL)
  letSeal()
  await engine.sealed()
  for (let i = 0; i < 400; i++) assert.equal((await append(engine, other, `${i}`)).kind, 'appended')
  await engine.sealed()
  assert.equal(engine.metrics().filesUnsealed, 0)
  assert.equal(engine.metrics().damagedBlocks, 1)
  const { texts: found, errors } = await readAll(log)
  assert.deepEqual(found, ['entry d'])
  assert.equal(errors.length, 2)
  for (const { message } of errors) {
    assert.match(message, /segments\/1\/0+1\.segment.*offsets 0 to 1 of log 0 in group 1/)
  }
  assert.equal((await texts(other)).length, 401)
  assert.ok((await fileBytes(disk, `${FIRST_JOURNAL}.damaged`)).equals(original))
  assert.equal(engine.metrics().damagedBlocks, 1, 'one place is counted once')
  assert.equal(errorsIn(logger).length, 1, `${errorsIn(logger)}`)
  await engine.close()
  const again = await openOn(disk, SMALL)
  assert.ok((await journalNames(disk)).some((name) => name.endsWith('.damaged')))
  const later = await readAll(again.openGroup(1).log(0))
  assert.deepEqual(later.texts, ['entry d'])
  assert.equal(later.errors.length, 2)
  assert.equal(again.metrics().damagedBlocks, 1)
  await again.close()
})

test('a flipped bit between the blocks of a rolled file costs nothing', async () => {
  for (const at of [512 + 20, 1024 + 56]) {
    const disk = newDisk()
    const { engine, log, other, letSeal } = await rolledEngine(disk, rememberingLogger())
    disk.flipBit(FIRST_JOURNAL, at)
    letSeal()
    await engine.sealed()
    assert.equal(engine.metrics().filesUnsealed, 0)
    assert.equal(engine.metrics().segments, 2)
    assert.deepEqual(await texts(log), ['entry a', 'entry b', 'entry d'])
    assert.deepEqual(await texts(other), ['entry c'])
    assert.ok((await journalNames(disk)).some((name) => name.endsWith('.damaged')))
    await engine.close()
  }
})

test('a block that the disk cannot read costs no other, and the rest is sealed', async () => {
  const disk = newDisk()
  const { engine, log, other, letSeal } = await rolledEngine(disk, rememberingLogger())
  const position = (await fileBytes(disk, FIRST_JOURNAL)).indexOf('entry c')
  const open = disk.open.bind(disk)
  disk.open = async (path, options) => {
    const file = await open(path, options)
    if (path !== FIRST_JOURNAL) return file
    const read = file.read.bind(file)
    file.read = async (target, at, length, from) => {
      const isHit = from <= position && position < from + length
      if (isHit) throw Object.assign(new Error('EIO'), { code: 'EIO' })
      return await read(target, at, length, from)
    }
    return file
  }
  letSeal()
  await engine.sealed()
  assert.equal(engine.metrics().filesUnsealed, 0)
  assert.deepEqual(await texts(log), ['entry a', 'entry b', 'entry d'])
  const { texts: found, errors } = await readAll(other)
  assert.deepEqual(found, [])
  assert.match(errors[0]?.message ?? '', /offsets 0 to 0 of log 5 in group 2/)
  assert.equal(engine.metrics().damagedBlocks, 1)
  await engine.close()
})
