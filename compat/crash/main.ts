// `npm run crash -- --cycles N --seed S`: producers in several processes write with the real SDK while
// the server is killed with SIGKILL at random moments and started again on its data. After each start a
// reader checks what has come since, and at the end everything once more, against what was acknowledged.
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { seededRandom } from '@millrace/base/random'
import { install } from '../install.ts'
import { newDataFolder, type RunningServer, removeDataFolder, startServer } from '../server.ts'
import { Ledger } from './ledger.ts'

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    producers: { type: 'string', default: '3' },
    shards: { type: 'string', default: '4' },
  },
})
const cycles = Number(values.cycles)
const seed = Number(values.seed)
/** Reading everything takes its time, in which producers stand still. */
const FULL_READ_EVERY = 50
const StreamName = 'crash'

install('js')
const { createClient, readAll } = await import('./reader.mjs')
const random = seededRandom(seed)
const dataFolder = newDataFolder()
const port = await freePort()
const endpoint = `http://127.0.0.1:${port}`
const ledger = new Ledger()
const client = createClient(endpoint)
const start = (): Promise<RunningServer> =>
  startServer({ port, dataFolder, args: ['--limits', 'none', '--log', 'json'] })
process.stdout.write(`crash: ${cycles} cycles, seed ${seed}, data in ${dataFolder}\n`)

let server = await start()
await client.createStream(StreamName, Number(values.shards))
const producers = Array.from({ length: Number(values.producers) }, (_, i) =>
  produce(`p${i}`, seed + i),
)
const churned = { kept: new Set<string>(), deleted: new Set<string>() }
let untold = 0
let startMsMax = 0
try {
  for (let cycle = 1; cycle <= cycles; cycle++) {
    await Promise.race([churn(cycle), sleep(150 + random.integer(900))])
    await sleep(random.integer(400))
    await server.kill()
    const from = performance.now()
    server = await start()
    startMsMax = Math.max(startMsMax, performance.now() - from)
    if (cycle % FULL_READ_EVERY === 0) {
      for (const producer of producers) producer.child.kill('SIGSTOP')
      untold = await checkAll()
      for (const producer of producers) producer.child.kill('SIGCONT')
    }
    if (cycle % 10 === 0)
      process.stdout.write(`crash: cycle ${cycle}, ${ledger.count} acknowledged\n`)
  }
  for (const producer of producers) producer.child.kill('SIGKILL')
  await Promise.all(producers.map((producer) => producer.drained))
  untold = await checkAll()
  await server.stop()
  server = await start()
  untold = await checkAll()
  await server.stop()
} catch (error) {
  for (const producer of producers) producer.child.kill('SIGKILL')
  await server.kill()
  process.stderr.write(
    `crash: FAILED, data kept in ${dataFolder}; again with --seed ${seed} --cycles ${cycles}\n${error instanceof Error ? error.stack : error}\n--- server's log ---\n${server.logs().slice(-5000)}\n`,
  )
  process.exit(1)
}
removeDataFolder(dataFolder)
process.stdout.write(
  `crash: ${cycles} kills survived: ${ledger.count} acknowledged records, each read once and in order; ${untold} more that nobody was told of, all whole; slowest restart ${Math.round(startMsMax)} ms\n`,
)
if (ledger.count < cycles * 5) {
  process.stderr.write('crash: too few records were acknowledged for this to prove anything\n')
  process.exit(1)
}
process.exit(0)

/** Reads everything twice over: what was acknowledged before the reading began must be in it. */
async function checkAll(): Promise<number> {
  const told = ledger.copy()
  let more = 0
  for (const shardId of await client.shardIds(StreamName)) {
    more += told.check(shardId, await readAll(client, StreamName, shardId))
  }
  const names = new Set(await client.streamNames())
  for (const name of churned.kept) if (!names.has(name)) throw new Error(`stream ${name} is lost`)
  for (const name of churned.deleted) {
    if (names.has(name)) throw new Error(`deleted stream ${name} is back`)
  }
  return more
}

/** Streams come and go as well; what was acknowledged of that must hold after the kill. */
async function churn(cycle: number): Promise<void> {
  const name = `churn-${cycle}`
  try {
    await client.createStream(name, 1)
    churned.kept.add(name)
    const victim = [...churned.kept][0]
    if (victim === undefined || churned.kept.size < 5) return
    churned.kept.delete(victim)
    await client.deleteStream(victim)
    churned.deleted.add(victim)
  } catch {
    // The server was killed under the call: what became of it is unknown, so nothing is noted.
  }
}

function produce(
  name: string,
  producerSeed: number,
): { child: ChildProcess; drained: Promise<void> } {
  const script = path.join(import.meta.dirname, 'producer.mjs')
  const child = spawn(
    process.execPath,
    [script, endpoint, StreamName, name, String(producerSeed)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const lines = createInterface({ input: child.stdout! })
  lines.on('line', (line) => {
    const [record, shardId, sequenceNumber] = line.split(' ')
    if (record && shardId && sequenceNumber) ledger.acknowledge(record, shardId, sequenceNumber)
  })
  return { child, drained: new Promise((resolve) => lines.on('close', resolve)) }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().on('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
