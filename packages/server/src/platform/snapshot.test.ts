import assert from 'node:assert/strict'
import test from 'node:test'
import { ServiceClock } from '@millrace/base/clock'
import { createLogger, silentLogger } from '@millrace/base/logger'
import { seededRandom } from '@millrace/base/random'
import { type Engine, StorageError } from '@millrace/storage/engine'
import { MemoryEngine } from '@millrace/storage/memory-engine'
import { SimulatedDisk } from '@millrace/storage/simulated-disk'
import { makeFolds } from '../folds.ts'
import { evenShards } from '../services/kinesis/new-stream.ts'
import { StreamFold } from '../services/kinesis/stream-fold.ts'
import { Catalog, type SnapshotFold } from './catalog.ts'
import type { Command, Fold } from './fold.ts'
import { clockAdvanced, PlatformFold } from './platform-fold.ts'
import { foldInline, foldInWorker } from './snapshot-fold.ts'
import { decodeSnapshot, encodeSnapshot, SnapshotStore } from './snapshot-store.ts'

const DIRECTORY = '/data/catalog'

class NamesFold implements Fold {
  readonly name = 'names'
  readonly versions: Record<string, number> = { 'names.added': 1 }
  names: string[] = []

  apply(command: Command): boolean {
    const name = command.name as string
    if (this.names.includes(name)) return false
    this.names.push(name)
    return true
  }

  snapshot(): unknown {
    return [...this.names]
  }

  restore(snapshot: unknown): void {
    this.names = [...(snapshot as string[])]
  }
}

const added = (name: string): Command => ({ kind: 'names.added', version: 1, name })

function newDisk(seed = 1): SimulatedDisk {
  return new SimulatedDisk({ random: seededRandom(seed) })
}

function newEngine(): MemoryEngine {
  return new MemoryEngine({ clock: new ServiceClock({ wall: () => 1 }) })
}

interface OpenOptions {
  readonly engine: Engine
  readonly disk: SimulatedDisk
  readonly afterBytes?: number
  readonly fold?: SnapshotFold
  readonly logged?: string[]
  readonly names?: NamesFold
}

async function open({ engine, disk, logged = [], ...options }: OpenOptions) {
  await disk.makeDirectory('/data')
  await disk.syncDirectory('/')
  const names = options.names ?? new NamesFold()
  const logger = createLogger({ write: (line) => logged.push(line), now: () => 0, format: 'json' })
  const catalog = await Catalog.open({
    engine,
    folds: [names],
    logger,
    snapshots: {
      store: new SnapshotStore({ disk, directory: DIRECTORY, logger }),
      fold: options.fold ?? foldInline(() => [new NamesFold()]),
      afterBytes: options.afterBytes ?? 1,
    },
  })
  return { catalog, names }
}

/** Commits one command after the other, each followed by its snapshot. */
async function add(engine: Engine, disk: SimulatedDisk, ...names: string[]): Promise<void> {
  for (const name of names) {
    const { catalog } = await open({ engine, disk })
    await catalog.commit(added(name))
    await settled(catalog)
    await catalog.close()
  }
}

/** Until the snapshot that a commit asks for has been made or has failed. */
async function settled(catalog: Catalog): Promise<void> {
  const before = catalog.metrics()
  for (let i = 0; i < 1000; i++) {
    const { snapshots, snapshotFailures } = catalog.metrics()
    if (snapshots + snapshotFailures > before.snapshots + before.snapshotFailures) return
    await new Promise(setImmediate)
  }
  assert.fail('no snapshot was made')
}

const files = (disk: SimulatedDisk) =>
  [...disk.files().keys()].map((path) => path.replace(`${DIRECTORY}/`, ''))

const name = (offset: number) => `${String(offset).padStart(20, '0')}.snapshot`

test('after enough commands a snapshot is made, two are kept, the log is trimmed behind the older', async () => {
  const engine = newEngine()
  const disk = newDisk()
  await add(engine, disk, 'a', 'b', 'c', 'd')
  assert.deepEqual(files(disk), [name(3), name(4)])
  const log = engine.openGroup(1).log(0)
  assert.equal(log.first, 3)
  assert.equal(log.next, 4)
})

test('below the threshold no snapshot is made, and a large state raises it', async () => {
  const engine = newEngine()
  const disk = newDisk()
  const { catalog } = await open({ engine, disk, afterBytes: 1000 })
  await catalog.commit(added('x'.repeat(900)))
  assert.deepEqual(files(disk), [])
  await catalog.commit(added('y'.repeat(900)))
  await settled(catalog)
  assert.deepEqual(files(disk), [name(2)])
  await catalog.commit(added('z'.repeat(1100)))
  await catalog.close()
  assert.deepEqual(files(disk), [name(2)])
})

test('a start restores the newest snapshot and applies the log behind it', async () => {
  const engine = newEngine()
  const disk = newDisk()
  await add(engine, disk, 'a', 'b', 'c')
  const first = await open({ engine, disk, afterBytes: 1000 })
  await first.catalog.commit(added('d'))
  await first.catalog.close()
  const { names, catalog } = await open({ engine, disk, afterBytes: 1000 })
  assert.deepEqual(names.names, ['a', 'b', 'c', 'd'])
  assert.equal(await catalog.commit(added('c')), false)
})

test('a damaged newest snapshot is set aside and said, and the older gives the same state', async () => {
  const engine = newEngine()
  const disk = newDisk()
  await add(engine, disk, 'a', 'b', 'c')
  disk.flipBit(`${DIRECTORY}/${name(3)}`)
  const logged: string[] = []
  const { names } = await open({ engine, disk, afterBytes: 1000, logged })
  assert.deepEqual(names.names, ['a', 'b', 'c'])
  assert.match(logged.join(''), /damaged and set aside/)
  assert.deepEqual(files(disk), [name(2), `${name(3)}.damaged`])
})

test('with both snapshots damaged the start is refused, since the log alone lacks what came before', async () => {
  const engine = newEngine()
  const disk = newDisk()
  await add(engine, disk, 'a', 'b', 'c')
  disk.flipBit(`${DIRECTORY}/${name(3)}`)
  disk.flipBit(`${DIRECTORY}/${name(2)}`)
  await assert.rejects(
    open({ engine, disk }),
    (error) => error instanceof StorageError && error.code === 'damaged',
  )
})

test('the only snapshot may be damaged: the whole log is still there', async () => {
  const engine = newEngine()
  const disk = newDisk()
  await add(engine, disk, 'a')
  disk.flipBit(`${DIRECTORY}/${name(1)}`)
  const { names } = await open({ engine, disk, afterBytes: 1000 })
  assert.deepEqual(names.names, ['a'])
})

test('a snapshot that reaches past the end of the log is refused', async () => {
  const disk = newDisk()
  await add(newEngine(), disk, 'a')
  await assert.rejects(
    open({ engine: newEngine(), disk }),
    /its log ends at 0, before its snapshot/,
  )
})

test('a snapshot of a newer program is refused with what is not known', async () => {
  const engine = newEngine()
  const disk = newDisk()
  class NewerFold extends NamesFold {
    override readonly versions: Record<string, number> = { 'names.added': 1, 'names.removed': 1 }
  }
  const newer = await open({
    engine,
    disk,
    names: new NewerFold(),
    fold: foldInline(() => [new NewerFold()]),
  })
  await newer.catalog.commit(added('a'))
  await settled(newer.catalog)
  await newer.catalog.close()
  await assert.rejects(open({ engine, disk }), /"names\.removed" in format 1/)
})

test('a snapshot file of another format is refused, not taken for damage', async () => {
  const engine = newEngine()
  const disk = newDisk()
  await add(engine, disk, 'a')
  const bytes = Buffer.from('millrace-catalog 2 1 00000000 2\n{}')
  const file = await disk.open(`${DIRECTORY}/${name(1)}`, { mode: 'write' })
  await file.truncate(0)
  await file.write(bytes, 0, bytes.length, 0)
  await assert.rejects(
    open({ engine, disk }),
    (error) => error instanceof StorageError && error.code === 'unknown-format',
  )
})

test('when no snapshot can be written, that is said, commands go on, and it is tried again later', async () => {
  const engine = newEngine()
  const disk = newDisk()
  const logged: string[] = []
  const { catalog, names } = await open({ engine, disk, afterBytes: 100, logged })
  const mend = disk.fail({ operations: ['write'], code: 'ENOSPC' })
  await catalog.commit(added('x'.repeat(100)))
  await settled(catalog)
  assert.match(logged.join(''), /no snapshot of the catalog could be made/)
  assert.equal(catalog.metrics().snapshotFailures, 1)
  mend()
  await catalog.commit(added('y'.repeat(200)))
  await settled(catalog)
  assert.equal(catalog.metrics().snapshots, 1)
  assert.deepEqual(files(disk), [name(2)])
  assert.equal(names.names.length, 2)
})

test('commands that come while a snapshot is being folded are not in it and not lost', async () => {
  const engine = newEngine()
  const disk = newDisk()
  let fold = () => {}
  const { catalog } = await open({
    engine,
    disk,
    fold: async (input) => {
      await new Promise<void>((resolve) => {
        fold = resolve
      })
      return foldInline(() => [new NamesFold()])(input)
    },
  })
  await catalog.commit(added('a'))
  for (let i = 0; i < 20; i++) await new Promise(setImmediate)
  await catalog.commit(added('b'))
  const folded = settled(catalog)
  fold()
  await folded
  assert.deepEqual(files(disk), [name(1)])
  void catalog.close()
  const { names } = await open({ engine, disk, afterBytes: 1000 })
  assert.deepEqual(names.names, ['a', 'b'])
})

test('snapshots are made under a load that never pauses', async () => {
  const { catalog } = await open({ engine: newEngine(), disk: newDisk(), afterBytes: 100 })
  const writer = async (first: number): Promise<void> => {
    for (let i = first; i < 500; i += 2) await catalog.commit(added(`name ${i}`))
  }
  // Two in turns: whenever one is answered, the other waits already.
  await Promise.all([writer(0), writer(1)])
  assert(catalog.metrics().snapshots > 0)
  await catalog.close()
})

test('a power cut at any step of writing snapshots leaves the whole state', async () => {
  const run = async (stopAt: number) => {
    const engine = newEngine()
    const disk = newDisk(stopAt + 1)
    const wanted: string[] = []
    let after: SimulatedDisk | undefined
    disk.onStep = ({ number }) => {
      if (number === stopAt) after = disk.crash()
    }
    let isOver = false
    const work = (async () => {
      for (const each of ['a', 'b', 'c', 'd']) {
        const { catalog } = await open({ engine, disk })
        await catalog.commit(added(each))
        wanted.push(each)
        await catalog.close()
      }
      isOver = true
    })()
    // A halted disk never answers: then the work is left behind.
    while (!isOver && after === undefined) await new Promise(setImmediate)
    if (isOver) await work
    if (isOver) return false
    const { names } = await open({ engine, disk: after!, afterBytes: 1000 })
    assert.deepEqual(names.names, wanted, `a power cut at step ${stopAt}`)
    return true
  }
  let stopAt = 1
  while (await run(stopAt)) stopAt++
  assert(stopAt > 50, `only ${stopAt} steps were passed`)
})

test('a snapshot file says its offset and holds together', () => {
  const bytes = encodeSnapshot({ offset: 17, body: Buffer.from('{}') })
  assert.match(bytes.toString(), /^millrace-catalog 1 17 [0-9a-f]{8} 2\n\{\}$/)
  assert.equal(decodeSnapshot(bytes, 17).body.toString(), '{}')
  assert.throws(() => decodeSnapshot(bytes, 18), /a snapshot of offset 17/)
  for (let length = 0; length < bytes.length; length++)
    assert.throws(() => decodeSnapshot(bytes.subarray(0, length), 17))
  for (let at = 0; at < bytes.length; at++) {
    const flipped = Buffer.from(bytes)
    flipped[at]! ^= 1
    assert.throws(() => decodeSnapshot(flipped, 17), `byte ${at}`)
  }
})

test('the worker folds all slices to the state that the process has', async () => {
  const engine = newEngine()
  const disk = newDisk()
  await disk.makeDirectory('/data')
  await disk.syncDirectory('/')
  const store = new SnapshotStore({ disk, directory: DIRECTORY, logger: silentLogger })
  const snapshots = {
    store,
    fold: foldInWorker(new URL('../folds.ts', import.meta.url)),
    afterBytes: 200,
  }
  const kinesis = new StreamFold()
  const folds = [new PlatformFold(), kinesis]
  const catalog = await Catalog.open({ engine, folds, logger: silentLogger, snapshots })
  const stream = {
    account: '000000000000',
    region: 'us-east-1',
    name: 'a',
    groupId: 2,
    version: 1,
    createdMs: 5000,
    mode: 'PROVISIONED',
    creatingUntilMs: 0,
    updatingUntilMs: 0,
    retentionHours: 24,
    expiredBeforeMs: 0,
    maxRecordKiB: 1024,
    tags: {},
    shards: evenShards(3, 3),
  }
  await Promise.all([
    catalog.commit(clockAdvanced(77)),
    catalog.commit({ kind: 'kinesis.stream-created', version: 1, stream }),
  ])
  await catalog.close()
  const snapshot = await store.newest()
  assert.equal(snapshot?.offset, 2)
  const state = JSON.parse(snapshot.body.toString())
  assert.deepEqual(
    Object.keys(state),
    makeFolds().map((fold) => fold.name),
  )
  assert.deepEqual(state.kinesis.state, JSON.parse(JSON.stringify(kinesis.snapshot())))
  assert.equal(state.platform.state.clockOffsetMs, 77)
})
