// `npm run soak -- --minutes M`: puts, tail reads, replays, streams that come and go, and retention at
// work (the service clock is moved five hours at a time), all at once, while memory, open files and
// disk are watched. Fails when one of them goes on growing.
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { install } from '../install.ts'
import { removeDataFolder, startServer } from '../server.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    engine: { type: 'string', default: 'local' },
  },
})
const minutes = Number(values.minutes)
const SHARDS = 8
const SAMPLE_MS = 5000
/** How much the last quarter's median may lie above the second quarter's, and still count as flat. */
const GROWTH_MAX = { ratio: 1.25, rssMiB: 40, files: 20, diskMiB: 300 }

install('js')
const { createClient } = await import('../crash/reader.mjs')
const sdk = await import('../js/sdk.mjs')
const server = await startServer({ args: ['--limits', 'none', '--engine', values.engine] })
const client = createClient(server.url)
const { kinesis } = client
const StreamName = 'soak'
await client.createStream(StreamName, SHARDS)
const shardIds: string[] = await client.shardIds(StreamName)
const endMs = performance.now() + minutes * 60_000
const done = { put: 0, tailed: 0, replayed: 0, streams: 0, advances: 0 }
const isOver = (): boolean => performance.now() >= endMs

async function put(): Promise<void> {
  const Data = Buffer.alloc(1000, 7)
  for (let i = 0; !isOver(); i++) {
    const Records = Array.from({ length: 200 }, (_, j) => ({ PartitionKey: `k${i}-${j}`, Data }))
    const answer = await kinesis.send(new sdk.PutRecordsCommand({ StreamName, Records }))
    done.put += Records.length - (answer.FailedRecordCount ?? 0)
    await sleep(40)
  }
}

async function iterate(ShardId: string, ShardIteratorType: string, pages: number): Promise<number> {
  const first = { StreamName, ShardId, ShardIteratorType }
  let { ShardIterator } = await kinesis.send(new sdk.GetShardIteratorCommand(first))
  let count = 0
  for (let page = 0; page < pages && !isOver(); page++) {
    const answer = await getRecords(ShardIterator)
    // The clock was moved past the iterator's five minutes: whoever reads begins anew.
    if (answer === undefined) return count
    count += answer.Records.length
    ShardIterator = answer.NextShardIterator
    if (answer.Records.length === 0) await sleep(50)
  }
  return count
}

async function getRecords(
  ShardIterator: string,
): Promise<{ Records: unknown[]; NextShardIterator: string } | undefined> {
  try {
    return await kinesis.send(new sdk.GetRecordsCommand({ ShardIterator, Limit: 2000 }))
  } catch (error) {
    if ((error as Error).name === 'ExpiredIteratorException') return undefined
    throw error
  }
}

async function tail(): Promise<void> {
  for (let i = 0; !isOver(); i++) done.tailed += await iterate(shardIds[i % SHARDS]!, 'LATEST', 100)
}

async function replay(): Promise<void> {
  for (let i = 0; !isOver(); i++) {
    done.replayed += await iterate(shardIds[(i * 3) % SHARDS]!, 'TRIM_HORIZON', 20)
    await sleep(200)
  }
}

async function comeAndGo(): Promise<void> {
  for (let i = 0; !isOver(); i++) {
    const name = `brief-${i}`
    await client.createStream(name, 4)
    const one = { StreamName: name, PartitionKey: 'k', Data: Buffer.from('x') }
    await kinesis.send(new sdk.PutRecordCommand(one))
    await client.deleteStream(name)
    done.streams++
    await sleep(100)
  }
}

async function age(): Promise<void> {
  while (!isOver()) {
    await sleep(15_000)
    const answer = await fetch(`${server.url}/_millrace/clock`, {
      method: 'POST',
      body: JSON.stringify({ advance: 'PT5H' }),
    })
    if (answer.status !== 200) throw new Error(`the clock control answered ${answer.status}`)
    done.advances++
  }
}

interface Sample {
  readonly rssMiB: number
  readonly files: number
  readonly sockets: number
  readonly diskMiB: number
}
const samples: Sample[] = []

function sample(): Sample {
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8')
  return {
    rssMiB: Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024),
    ...descriptors(),
    diskMiB: Math.round(bytesBelow(server.dataFolder) / 2 ** 20),
  }
}

/** Descriptors of files, and of sockets, of which the client decides how many it keeps. */
function descriptors(): { files: number; sockets: number } {
  const folder = `/proc/${server.pid}/fd`
  const targets = readdirSync(folder).map((name) => {
    try {
      return readlinkSync(path.join(folder, name))
    } catch {
      return 'closed meanwhile'
    }
  })
  const sockets = targets.filter((target) => target.startsWith('socket:')).length
  return { files: targets.length - sockets, sockets }
}

function bytesBelow(folder: string): number {
  let bytes = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const name = path.join(folder, entry.name)
    const stat = entry.isDirectory() ? undefined : statSync(name, { throwIfNoEntry: false })
    bytes += entry.isDirectory() ? bytesBelow(name) : (stat?.blocks ?? 0) * 512
  }
  return bytes
}

async function watch(): Promise<void> {
  while (!isOver()) {
    await sleep(SAMPLE_MS)
    const now = sample()
    samples.push(now)
    const words = `rss ${now.rssMiB} MiB, ${now.files} files, ${now.sockets} sockets, disk ${now.diskMiB} MiB`
    process.stdout.write(`soak: ${words}, ${JSON.stringify(done)}\n`)
  }
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}

await Promise.all([put(), put(), tail(), replay(), comeAndGo(), age(), watch()])
const code = await server.stop()
removeDataFolder(server.dataFolder)
const quarter = Math.floor(samples.length / 4)
const growing = (['rssMiB', 'files', 'diskMiB'] as const).filter((figure) => {
  const early = median(samples.slice(quarter, 2 * quarter).map((each) => each[figure]))
  const late = median(samples.slice(-quarter).map((each) => each[figure]))
  process.stdout.write(`soak: ${figure} ${early} in the second quarter, ${late} in the last\n`)
  return late > early * GROWTH_MAX.ratio && late > early + GROWTH_MAX[figure]
})
if (quarter === 0)
  process.stdout.write('soak: too short to judge growth; give it at least a minute\n')
process.stdout.write(
  `soak: ${minutes} minutes, ${JSON.stringify(done)}, server ended with ${code}\n`,
)
if (growing.length > 0) process.stderr.write(`soak: FAILED, still growing: ${growing.join(', ')}\n`)
process.exit(growing.length > 0 || code !== 0 ? 1 : 0)
