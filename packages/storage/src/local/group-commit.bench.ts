// Group commit on the real disk: appends and entries per second for batches of 500 × 100 B and for
// single entries, by how many producers wait for each other. Run it with
//   node packages/storage/src/local/group-commit.bench.ts [--seconds 2] [--directory DIR] [--only 'sync 1 ×']
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ServiceClock } from '@millrace/base/clock'
import { silentLogger } from '@millrace/base/logger'
import { systemRandom } from '@millrace/base/random'
import type { Block, Log } from '../engine.ts'
import type { LocalEngine } from '../local-engine.ts'
import { nodeDisk } from '../node-disk.ts'
import { openLocalEngine } from '../open-local-engine.ts'
import { sealInWorker } from './seal-in-worker.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '2' },
    directory: { type: 'string', default: tmpdir() },
    only: { type: 'string', default: '' },
  },
})
const runMs = Number(values.seconds) * 1000

interface Load {
  readonly name: string
  readonly entries: number
  readonly entryBytes: number
  readonly producers: number
}

const LOADS: readonly Load[] = [
  { name: '1 × 100 B', entries: 1, entryBytes: 100, producers: 1 },
  { name: '1 × 100 B', entries: 1, entryBytes: 100, producers: 32 },
  { name: '1 × 100 B', entries: 1, entryBytes: 100, producers: 1000 },
  { name: '500 × 100 B', entries: 500, entryBytes: 100, producers: 1 },
  { name: '500 × 100 B', entries: 500, entryBytes: 100, producers: 8 },
  { name: '500 × 1 KB', entries: 500, entryBytes: 1024, producers: 8 },
]

for (const durability of ['sync', 'os'] as const) {
  for (const load of LOADS) {
    const name = `${durability} ${load.name} c=${load.producers}`
    if (name.includes(values.only)) await measure(load, durability)
  }
}

async function measure(load: Load, durability: 'sync' | 'os'): Promise<void> {
  const directory = mkdtempSync(join(values.directory, 'millrace-bench-'))
  const engine = await openLocalEngine({
    directory,
    disk: nodeDisk(),
    clock: new ServiceClock(),
    random: systemRandom,
    logger: silentLogger,
    durability,
    seal: sealInWorker,
  })
  try {
    const logs = Array.from({ length: Math.min(load.producers, 16) }, (_, i) => i)
    const group = await engine.createGroup(1, logs)
    const cpu = process.cpuUsage()
    const started = performance.now()
    const until = started + runMs
    const latencies: number[] = []
    const producers = Array.from({ length: load.producers }, (_, i) =>
      produce(engine, group.log(logs[i % logs.length] ?? 0), load, until, latencies),
    )
    const appends = (await Promise.all(producers)).reduce((sum, count) => sum + count, 0)
    const seconds = (performance.now() - started) / 1000
    const { user, system } = process.cpuUsage(cpu)
    report(load, durability, engine, appends, seconds, (user + system) / 1e6, latencies)
  } finally {
    await engine.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function produce(
  engine: LocalEngine,
  log: Log,
  { entries, entryBytes }: Load,
  until: number,
  latencies: number[],
): Promise<number> {
  const payload = Buffer.alloc(entries * entryBytes, 'x')
  const block: Block = {
    log,
    lengths: new Uint32Array(entries).fill(entryBytes),
    count: entries,
    byteLength: payload.length,
    write: (target, at) => void payload.copy(target, at),
  }
  let appends = 0
  for (let now = performance.now(); now < until; ) {
    const [result] = await engine.append([block])
    if (result?.kind !== 'appended') throw result?.error ?? new Error('no result')
    const after = performance.now()
    latencies.push(after - now)
    now = after
    appends++
  }
  return appends
}

function report(
  load: Load,
  durability: string,
  engine: LocalEngine,
  appends: number,
  seconds: number,
  cpuSeconds: number,
  latencies: number[],
): void {
  latencies.sort((a, b) => a - b)
  const at = (part: number): string =>
    (latencies[Math.floor(latencies.length * part)] ?? 0).toFixed(2)
  const { commits } = engine.metrics()
  const perSecond = appends / seconds
  const megabytes = (perSecond * load.entries * load.entryBytes) / 1e6
  console.log(
    `${durability.padEnd(4)} ${load.name.padEnd(12)} c=${String(load.producers).padEnd(5)}` +
      ` ${Math.round(perSecond).toLocaleString('en').padStart(9)} appends/s` +
      ` ${Math.round(perSecond * load.entries)
        .toLocaleString('en')
        .padStart(11)} entries/s` +
      ` ${megabytes.toFixed(0).padStart(5)} MB/s  p50 ${at(0.5)} p99 ${at(0.99)} max ${at(1 - 1e-9)} ms` +
      `  ${(appends / commits).toFixed(1)} appends/commit  ${((perSecond * seconds) / cpuSeconds / 1000).toFixed(1)} k appends/cpu-s`,
  )
}
