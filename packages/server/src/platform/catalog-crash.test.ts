import assert from 'node:assert/strict'
import test from 'node:test'
import { ServiceClock } from '@millrace/base/clock'
import { silentLogger } from '@millrace/base/logger'
import { seededRandom } from '@millrace/base/random'
import type { Engine } from '@millrace/storage/engine'
import { openEngine } from '@millrace/storage/open-engine'
import { SimulatedDisk } from '@millrace/storage/simulated-disk'
import { Catalog } from './catalog.ts'
import type { Command, Fold } from './fold.ts'
import { foldInline } from './snapshot-fold.ts'
import { SnapshotStore } from './snapshot-store.ts'

/** Remembers every number it was given, in order. */
class NumbersFold implements Fold {
  readonly name = 'numbers'
  readonly versions = { 'numbers.added': 1 }
  numbers: number[] = []

  apply(command: Command): boolean {
    this.numbers.push(command.number as number)
    return true
  }

  snapshot(): unknown {
    return [...this.numbers]
  }

  restore(snapshot: unknown): void {
    this.numbers = [...(snapshot as number[])]
  }
}

interface Running {
  readonly engine: Engine
  readonly catalog: Catalog
  readonly fold: NumbersFold
}

async function start(disk: SimulatedDisk, seed: number): Promise<Running> {
  const logger = silentLogger
  const engine = await openEngine({
    kind: 'local',
    directory: '/data',
    disk,
    clock: new ServiceClock({ wall: () => 1_000_000 }),
    random: seededRandom(seed),
    logger,
    durability: 'sync',
    fileBytesMax: 64 * 1024,
    reserveBytes: 4096,
    lowWaterBytes: 0,
  })
  const fold = new NumbersFold()
  const catalog = await Catalog.open({
    engine,
    folds: [fold],
    logger,
    snapshots: {
      store: new SnapshotStore({ disk, directory: '/data/catalog', logger }),
      fold: foldInline(() => [new NumbersFold()]),
      afterBytes: 200,
    },
  })
  return { engine, catalog, fold }
}

const WRITERS = 3
const EACH = 12

/** Commits numbers from several writers until all are told; what was told is left in `told`. */
async function work(disk: SimulatedDisk, seed: number, told: number[]): Promise<void> {
  const { engine, catalog } = await start(disk, seed)
  const writer = async (first: number): Promise<void> => {
    for (let i = 0; i < EACH; i++) {
      const number = first + i * WRITERS
      if (await catalog.commit({ kind: 'numbers.added', version: 1, number })) told.push(number)
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, (_, first) => writer(first)))
  await catalog.close()
  await engine.close()
}

/** Whether the work got as far as step `stopAt`, where the power is cut (or the process killed). */
async function crashAt(stopAt: number, how: 'crash' | 'kill'): Promise<boolean> {
  const told: number[] = []
  const disk = new SimulatedDisk({ random: seededRandom(stopAt) })
  let after: SimulatedDisk | undefined
  disk.onStep = ({ number }) => {
    if (number === stopAt) after = disk[how]()
  }
  let isOver = false
  const working = work(disk, stopAt, told).then(() => {
    isOver = true
  })
  // A halted disk never answers: then the work is left behind.
  while (!isOver && after === undefined) await new Promise(setImmediate)
  if (after === undefined) {
    await working
    return false
  }
  const toldBefore = [...told]
  const { engine, catalog, fold } = await start(after, stopAt + 1)
  const where = `a ${how} at step ${stopAt}`
  const { numbers } = fold
  assert.equal(new Set(numbers).size, numbers.length, `${where}: nothing is applied twice`)
  for (const number of toldBefore) assert(numbers.includes(number), `${where}: ${number} is lost`)
  for (let first = 0; first < WRITERS; first++) {
    const ofWriter = numbers.filter((number) => number % WRITERS === first)
    assert.deepEqual(
      ofWriter,
      ofWriter.map((_, i) => first + i * WRITERS),
      `${where}: in order and without gaps`,
    )
  }
  assert.equal(await catalog.commit({ kind: 'numbers.added', version: 1, number: -1 }), true)
  await catalog.close()
  await engine.close()
  const { fold: again } = await start(after, stopAt + 2)
  assert.deepEqual(again.numbers, numbers, `${where}: a restart gives the same state`)
  return true
}

for (const how of ['crash', 'kill'] as const) {
  test(`the catalog loses nothing that was told by a ${how === 'crash' ? 'power cut' : 'kill'} at any moment`, async () => {
    let runs = 0
    for (let stopAt = how === 'crash' ? 1 : 2; await crashAt(stopAt, how); stopAt += 3) runs++
    assert(runs > 30, `only ${runs} moments were tried`)
  })
}
