// One shard's replay: the same 16 MB in one shard, put among so much for so many other shards, then read
// from the horizon with the file pages out of the cache. Pages of 1000 records make every case's replies
// equally large, so that the cases differ only in where the bytes lie. A server that keeps its data only
// in memory reads it from there, which its durability column explains.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { putRecordsBody, type RecordInput, randomRecords } from '../load/bodies.ts'
import { exchangeOnce } from '../load/channel.ts'
import { acceptPutRecords } from '../load/replies.ts'
import { type Prepared, prepare } from '../load/request.ts'
import { cpuSeconds } from '../proc.ts'
import { measurePasses, type Pages, ShardReader } from './drain.ts'
import type { Run } from './run.ts'
import type { Measurement, Scenario } from './scenario.ts'

const stream = 'replay'
const targetShardId = 'shardId-000000000000'
const targetCount = 16_000
const recordBytes = 1024
const batchCount = 500
const pageCount = 1000
/** So many that `variants × batchCount` exceeds the largest shard count. */
const variants = 32
const quietPatienceMs = 120_000

type Case = {
  name: string
  title: string
  shardCount: number
  /** Gigabytes by `--retained-gb`, or what the target and nine times as much elsewhere take. */
  amount: 'little' | 'much'
  /** Hot: right after the puts, from whatever the server keeps in memory. */
  isHot?: true
}

export const replay: readonly Scenario[] = [
  replayScenario({
    name: 'replay-hot',
    title: 'Replay of a shard just written',
    shardCount: 1,
    amount: 'little',
    isHot: true,
  }),
  ...(['little', 'much'] as const).flatMap((amount) =>
    [1, 1000, 10_000].map((shardCount) =>
      replayScenario({
        name: `replay-${shardCount}-${amount}`,
        title: `Cold replay of one of ${shardCount} shards, ${amount === 'much' ? 'GBs' : 'MBs'} retained`,
        shardCount,
        amount,
      }),
    ),
  ),
]

function replayScenario({ name, title, shardCount, amount, isHot }: Case): Scenario {
  return {
    name,
    title,
    unit: 'MB/s',
    better: 'higher',
    ...(isHot !== true && { base: 'replay-hot' }),
    needs: ['put', 'get', 'streams', 'http1', ...(amount === 'much' ? ['retains' as const] : [])],
    isHeavy: true,
    measure: async (run) => {
      await run.start()
      await run.createStream(stream, shardCount)
      const bytes =
        amount === 'much'
          ? run.options.retainedGigabytes * 1e9
          : targetCount * recordBytes * (shardCount === 1 ? 1 : 10)
      const put = await spread(run, shardCount, bytes)
      if (isHot === true) return readHot(run, put)
      await settle(run)
      return readCold(run, put)
    },
  }
}

type Put = { inTarget: number; megabytes: number }

/** Batches over all shards, with the target's records dealt out evenly among them. */
async function spread(run: Run, shardCount: number, bytes: number): Promise<Put> {
  const batches = Math.max(Math.ceil(bytes / (batchCount * recordBytes)), targetCount / batchCount)
  const accept = acceptPutRecords('json', batchCount)
  const { channels, failure } = await run.open('http1', 4)
  const ready = batchesByTargets(run, shardCount)
  let sent = 0
  let targeted = 0
  const lanes = channels.map(async (channel) => {
    while (sent < batches) {
      sent++
      const due = Math.round((sent / batches) * targetCount) - targeted
      const inThis = shardCount === 1 ? batchCount : due
      targeted += inThis
      const { status, body } = await exchangeOnce(channel, ready(inThis))
      if (accept(status, body) !== batchCount) throw new Error('a batch was not taken whole')
    }
  })
  await Promise.race([Promise.all(lanes), failure])
  return { inTarget: targeted, megabytes: (sent * batchCount * recordBytes) / 1e6 }
}

/** Requests with so many records for the target shard, made when first asked for, 32 of each. */
function batchesByTargets(run: Run, shardCount: number): (targets: number) => Prepared {
  const made = new Map<string, Prepared>()
  let turn = 0
  return (targets) => {
    const variant = turn++ % variants
    const key = `${targets} ${variant}`
    const known = made.get(key)
    if (known !== undefined) return known
    const records = batchOf(shardCount, targets, variant)
    const body = [putRecordsBody(stream, records, { codec: 'json', isSwapped: false })]
    const request = prepare(run.host, { operation: 'PutRecords', codec: 'json', body })
    made.set(key, request)
    return request
  }
}

/** The first so many go to shard 0, the others round all the rest. */
function batchOf(shardCount: number, targets: number, variant: number): RecordInput[] {
  const width = 2n ** 128n / BigInt(shardCount)
  return randomRecords(batchCount, recordBytes, variant).map((record, index) => {
    const other = 1 + ((index * variants + variant) % Math.max(1, shardCount - 1))
    const shard = index < targets || shardCount === 1 ? 0 : other
    return { ...record, explicitHashKey: String(BigInt(shard) * width + 1n) }
  })
}

/** Waits until background work has ended: a second in which the server used almost no processor. */
async function settle(run: Run): Promise<void> {
  const deadline = performance.now() + quietPatienceMs
  const { pid } = run.server
  for (let used = cpuSeconds(pid); performance.now() < deadline; ) {
    await delay(1000)
    const now = cpuSeconds(pid)
    if (now - used <= 0.05) return
    used = now
  }
}

async function readHot(run: Run, put: Put): Promise<Measurement> {
  return withRetained(put, await measurePasses(run, await openReader(run), put.inTarget))
}

/** Before each pass, and outside its time, all files are dropped from the kernel's cache. */
async function readCold(run: Run, put: Put): Promise<Measurement> {
  if (run.contestant.abilities.includes('retains')) {
    await run.stop()
    await run.start()
    await settle(run)
  }
  const reader = await openReader(run)
  const pages: Pages = {
    beforePass: () => dropFromCache(run.dataDir),
    horizon: () => reader.horizon(),
    page: (iterator, read) => reader.page(iterator, read),
  }
  return withRetained(put, await measurePasses(run, pages, put.inTarget))
}

function openReader(run: Run): Promise<ShardReader> {
  return ShardReader.open(run, { stream, shardId: targetShardId, limit: pageCount })
}

function withRetained(put: Put, measurement: Measurement): Measurement {
  return { ...measurement, details: { ...measurement.details, retainedMb: put.megabytes } }
}

function dropFromCache(dir: string): void {
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = path.join(entry.parentPath, entry.name)
    spawnSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0', 'status=none'])
  }
}
