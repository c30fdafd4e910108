import assert from 'node:assert/strict'
import test from 'node:test'
import { ServiceClock } from '@millrace/base/clock'
import { createLogger, silentLogger } from '@millrace/base/logger'
import { type Engine, StorageError } from '@millrace/storage/engine'
import { MemoryEngine } from '@millrace/storage/memory-engine'
import { Catalog, type CatalogOptions } from './catalog.ts'
import type { Command, Fold } from './fold.ts'

/** Counters that are set on a version: enough to see order, losses and what a restart keeps. */
class CountersFold implements Fold {
  readonly name = 'counters'
  readonly versions: Record<string, number> = { 'counters.set': 2, 'counters.broken': 1 }
  readonly applied: unknown[] = []
  counters: Record<string, number> = {}

  apply(command: Command): boolean {
    if (command.kind === 'counters.broken') throw new Error('a mistake in the program')
    const { name, onVersion } = command as Command & { name: string; onVersion: number }
    if ((this.counters[name] ?? 0) !== onVersion) return false
    this.counters[name] = onVersion + 1
    this.applied.push(command)
    return true
  }

  snapshot(): unknown {
    return { ...this.counters }
  }

  restore(snapshot: unknown): void {
    this.counters = { ...(snapshot as Record<string, number>) }
  }
}

const set = (name: string, onVersion: number, more = {}): Command => ({
  kind: 'counters.set',
  version: 1,
  name,
  onVersion,
  ...more,
})

function memory(): MemoryEngine {
  return new MemoryEngine({ clock: new ServiceClock({ wall: () => 1_000 }) })
}

async function open(engine: Engine, options: Partial<CatalogOptions> = {}) {
  const fold = new CountersFold()
  const catalog = await Catalog.open({ engine, folds: [fold], logger: silentLogger, ...options })
  return { catalog, fold }
}

/** The engine with `append` replaced; appends can be held back or made to fail. */
function withAppend(engine: Engine, append: Engine['append']): Engine {
  return new Proxy(engine, {
    get(target, name) {
      if (name === 'append') return append
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

test('a command is answered once it is in the log and applied', async () => {
  const engine = memory()
  const { catalog, fold } = await open(engine)
  assert.equal(await catalog.commit(set('a', 0)), true)
  assert.deepEqual(fold.counters, { a: 1 })
  assert.equal(engine.openGroup(1).log(0).next, 1)
})

test('of two commands decided on one version the first in the log wins and the other is told', async () => {
  const { catalog, fold } = await open(memory())
  const answers = await Promise.all([
    catalog.commit(set('a', 0, { who: 'first' })),
    catalog.commit(set('a', 0, { who: 'second' })),
    catalog.commit(set('a', 1)),
  ])
  assert.deepEqual(answers, [true, false, true])
  assert.deepEqual(
    fold.applied.map((command) => (command as { who?: string }).who),
    ['first', undefined],
  )
  assert.equal(catalog.metrics().commandsLost, 1)
})

test('what is applied is what was written: members that JSON drops are not seen', async () => {
  const { catalog, fold } = await open(memory())
  await catalog.commit(set('a', 0, { dropped: undefined, kept: 'é' }))
  assert.deepEqual(fold.applied, [set('a', 0, { kept: 'é' })])
})

test('commands that come during an append gather into the next one', async () => {
  const { catalog, fold } = await open(memory())
  const answers = await Promise.all(
    Array.from({ length: 1000 }, (_, i) => catalog.commit(set(`counter-${i}`, 0))),
  )
  assert(answers.every(Boolean))
  assert.equal(Object.keys(fold.counters).length, 1000)
  assert.equal(catalog.metrics().appends, 2)
})

test('urgent commands go before others that wait, and are marked for the engine', async () => {
  const engine = memory()
  const urgencies: unknown[] = []
  const { catalog, fold } = await open(
    withAppend(engine, (blocks, options) => {
      urgencies.push(options?.isUrgent)
      return engine.append(blocks, options)
    }),
  )
  await Promise.all([
    catalog.commit(set('first', 0)),
    catalog.commit(set('waits', 0)),
    catalog.commit(set('urgent', 0), { isUrgent: true }),
  ])
  assert.deepEqual(urgencies, [false, true, false])
  assert.deepEqual(Object.keys(fold.counters), ['first', 'urgent', 'waits'])
})

test('a restart folds the log to the same state', async () => {
  const engine = memory()
  const first = await open(engine)
  await Promise.all([first.catalog.commit(set('a', 0)), first.catalog.commit(set('a', 0))])
  await first.catalog.commit(set('b', 0))
  await first.catalog.close()
  const second = await open(engine)
  assert.deepEqual(second.fold.counters, { a: 1, b: 1 })
  assert.equal(await second.catalog.commit(set('a', 1)), true)
  assert.equal(second.catalog.lastTimeMs, 1_000)
})

test('a command that the engine refuses is not applied, and later ones go on', async () => {
  const engine = memory()
  const full = new StorageError('disk-full', 'The disk is full.')
  let isFull = true
  const { catalog, fold } = await open(
    withAppend(engine, async (blocks, options) =>
      isFull
        ? blocks.map(() => ({ kind: 'failed', error: full }) as const)
        : engine.append(blocks, options),
    ),
  )
  await assert.rejects(catalog.commit(set('a', 0)), full)
  assert.deepEqual(fold.counters, {})
  isFull = false
  assert.equal(await catalog.commit(set('a', 0)), true)
})

test('an append that throws rejects the commands of its batch only', async () => {
  const engine = memory()
  let fails = true
  const { catalog } = await open(
    withAppend(engine, async (blocks, options) => {
      if (fails) throw new Error('broken')
      return engine.append(blocks, options)
    }),
  )
  const refused = catalog.commit(set('a', 0))
  fails = false
  const taken = catalog.commit(set('b', 0))
  await assert.rejects(refused, /broken/)
  assert.equal(await taken, true)
})

test('a kind that no fold knows, or in a newer format, is a mistake of the caller', async () => {
  const { catalog } = await open(memory())
  await assert.rejects(catalog.commit({ kind: 'counters.reset', version: 1 }), /"counters\.reset"/)
  await assert.rejects(catalog.commit({ kind: 'others.set', version: 1 }), /"others\.set"/)
  await assert.rejects(catalog.commit({ kind: 'counters.set', version: 3 }), /in format 3/)
})

test('a log with commands of a newer version stops the start and names them', async () => {
  const engine = memory()
  const newer = new CountersFold()
  newer.versions['counters.renamed'] = 1
  newer.versions['counters.set'] = 3
  const { catalog } = await open(engine, { folds: [newer] })
  await catalog.commit({ ...set('a', 0), version: 3 })
  await assert.rejects(
    open(engine),
    (error) =>
      error instanceof StorageError &&
      error.code === 'unknown-format' &&
      /"counters\.set" in format 3/.test(error.message),
  )
  const other = memory()
  const second = await open(other, { folds: [newer] })
  await second.catalog.commit({ ...set('a', 0), kind: 'counters.renamed' })
  await assert.rejects(open(other), /"counters\.renamed" in format 1/)
})

test('an older format of a known kind is still applied', async () => {
  const { catalog, fold } = await open(memory())
  assert.equal(await catalog.commit({ ...set('a', 0), version: 2 }), true)
  assert.equal(await catalog.commit({ ...set('a', 1), version: 1 }), true)
  assert.deepEqual(fold.counters, { a: 2 })
})

test('when a command cannot be applied, nothing is decided on the state any more', async () => {
  const logged: string[] = []
  const logger = createLogger({ write: (line) => logged.push(line), now: () => 0, format: 'json' })
  const { catalog } = await open(memory(), { logger })
  const broken = catalog.commit({ kind: 'counters.broken', version: 1 })
  const queued = catalog.commit(set('a', 0))
  await assert.rejects(broken, /a mistake in the program/)
  await assert.rejects(queued, /takes no more changes/)
  await assert.rejects(catalog.commit(set('b', 0)), /takes no more changes/)
  assert.equal(logged.length, 1)
  assert.match(logged[0]!, /could not be applied/)
})

test('closing waits for commands under way and takes no new ones', async () => {
  const { catalog, fold } = await open(memory())
  const commits = [catalog.commit(set('a', 0)), catalog.commit(set('b', 0))]
  const closing = catalog.close()
  await assert.rejects(
    catalog.commit(set('c', 0)),
    (error) => error instanceof StorageError && error.code === 'closed',
  )
  await closing
  assert.deepEqual(fold.counters, { a: 1, b: 1 })
  assert.deepEqual(await Promise.all(commits), [true, true])
})

test('a data folder with groups but without the catalog is damaged, not new', async () => {
  const engine = memory()
  await engine.createGroup(2, [0])
  await assert.rejects(open(engine), /damaged: its log is missing/)
})

test('a log that begins late without a snapshot is damaged', async () => {
  const engine = memory()
  const { catalog } = await open(engine)
  await catalog.commit(set('a', 0))
  await catalog.commit(set('a', 1))
  engine.openGroup(1).log(0).trim(1)
  await assert.rejects(open(engine), /damaged: its log begins at 1 and no snapshot/)
})

test('in memory the log stays small, since nothing is ever read back', async () => {
  const engine = memory()
  const { catalog, fold } = await open(engine)
  const padding = 'x'.repeat(1000)
  for (let i = 0; i < 20; i++) {
    await Promise.all(
      Array.from({ length: 100 }, (_, j) => catalog.commit(set(`${i}-${j}`, 0, { padding }))),
    )
  }
  const log = engine.openGroup(1).log(0)
  assert.equal(log.next, 2000)
  assert(log.first > 900, `the log still begins at ${log.first}`)
  assert.equal(Object.keys(fold.counters).length, 2000)
})
