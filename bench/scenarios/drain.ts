// GetRecords from the horizon to the tail, page by page, over and over. The first pass is decoded whole and
// compared with what was put; the measured ones are counted by their sequence numbers.
import { Latencies } from '../load/latencies.ts'
import { decodeReply } from '../load/replies.ts'
import { prepare } from '../load/request.ts'
import { cpuSeconds } from '../proc.ts'
import { type Filled, fill, fillRecordBytes } from './fill.ts'
import type { Run } from './run.ts'
import type { Measurement, Scenario } from './scenario.ts'

const stream = 'drain'
const shardId = 'shardId-000000000000'

export const drain: Scenario = {
  name: 'get-records-drain',
  title: 'GetRecords drain, pages of 10 000 × 1 KiB',
  unit: 'MB/s',
  better: 'higher',
  needs: ['get', 'http1'],
  measure: async (run) => {
    await run.start()
    if (run.contestant.isConstant === true) return measureConstant(run)
    await run.createStream(stream, 1)
    const filled = await fill(run, stream, {
      bytes: run.options.drainMegabytes * 1e6,
      patienceMs: Math.max(3, 2 * run.options.seconds) * 1000,
    })
    const reader = await ShardReader.open(run, { stream, shardId, limit: 10_000 })
    const present = await checkPass(reader, filled)
    const lost = filled.recordCount - present
    if (lost === 0) return measurePasses(run, reader, present)
    const note = `${lost} of ${filled.recordCount} acknowledged records were not there`
    if (run.contestant.kind === 'millrace') throw new Error(note)
    return { ...(await measurePasses(run, reader, present)), note }
  },
}

/** Where pages come from. */
export type Pages = {
  /** Not measured. */
  beforePass?(): void
  horizon(): Promise<string>
  /** What `read` makes of the reply's bytes, which are its own only until it returns. */
  page<T>(iterator: string, read: (page: Buffer) => T): Promise<T>
}

export class ShardReader implements Pages {
  readonly #run: Run
  readonly #place: { stream: string; shardId: string; limit: number }
  readonly #channel: Awaited<ReturnType<Run['open']>>

  private constructor(
    run: Run,
    place: { stream: string; shardId: string; limit: number },
    channel: Awaited<ReturnType<Run['open']>>,
  ) {
    this.#run = run
    this.#place = place
    this.#channel = channel
  }

  static async open(
    run: Run,
    place: { stream: string; shardId: string; limit: number },
  ): Promise<ShardReader> {
    return new ShardReader(run, place, await run.open('http1', 1))
  }

  horizon(): Promise<string> {
    return this.#run.api.iterator(this.#place.stream, this.#place.shardId, 'TRIM_HORIZON')
  }

  /** Throws on any status but 200. The bytes are not copied: a page has many megabytes. */
  async page<T>(iterator: string, read: (page: Buffer) => T): Promise<T> {
    const body = [
      Buffer.from(`{"ShardIterator":${JSON.stringify(iterator)},"Limit":${this.#place.limit}}`),
    ]
    const request = prepare(this.#run.host, { operation: 'GetRecords', codec: 'json', body })
    const { channels, failure } = this.#channel
    const answer = new Promise<T>((resolve, reject) => {
      channels[0]!.exchange(request, (status, body) => {
        try {
          if (status !== 200) decodeReply('json', status, body)
          resolve(read(body))
        } catch (error) {
          reject(error)
        }
      })
    })
    return Promise.race([answer, failure])
  }
}

/** Reads whole passes until the window's time is over; every pass must find every record. */
export async function measurePasses(
  run: Run,
  reader: Pages,
  recordCount: number,
): Promise<Measurement> {
  const latencies = new Latencies()
  const { pid } = run.server
  const usedBefore = cpuSeconds(pid)
  const own = process.cpuUsage()
  let seconds = 0
  let read = 0
  let pages = 0
  while (seconds < run.options.seconds) {
    reader.beforePass?.()
    const startedAt = performance.now()
    let iterator = await reader.horizon()
    let inPass = 0
    let emptyPages = 0
    while (inPass < recordCount) {
      const askedAt = performance.now()
      const { count, next, receivedAt } = await reader.page(iterator, (page) => ({
        receivedAt: performance.now(),
        count: countRecords(page),
        next: nextIterator(page),
      }))
      latencies.add(receivedAt - askedAt)
      emptyPages = count === 0 ? emptyPages + 1 : 0
      if (emptyPages === 100) throw new Error(`only ${inPass} of ${recordCount} records came`)
      iterator = next
      inPass += count
      pages++
    }
    if (inPass !== recordCount) throw new Error(`${inPass} records came instead of ${recordCount}`)
    read += inPass
    seconds += (performance.now() - startedAt) / 1000
  }
  const used = process.cpuUsage(own)
  const cpu = cpuSeconds(pid) - usedBefore
  const megabytes = (read * fillRecordBytes) / 1e6
  return {
    value: megabytes / seconds,
    ...(cpu > 0 && { perCpuSecond: megabytes / cpu }),
    p50Ms: latencies.percentile(0.5),
    p99Ms: latencies.percentile(0.99),
    generatorBusy: (used.user + used.system) / 1e6 / seconds,
    details: { recordsPerPage: Math.round(read / pages) },
  }
}

/** One pass decoded whole: data as put, numbers rising, no more records than put. How many came. */
async function checkPass(reader: Pages, filled: Filled): Promise<number> {
  let iterator = await reader.horizon()
  let count = 0
  let last = 0n
  for (let emptyPages = 0; count < filled.recordCount && emptyPages < 100; ) {
    const page = await reader.page(iterator, (bytes) => decodeReply('json', 200, bytes))
    const records = page.Records as { Data: string; PartitionKey: string; SequenceNumber: string }[]
    for (const { Data: data, PartitionKey: key, SequenceNumber: number } of records) {
      if (data !== filled.dataByKey.get(key)) throw new Error(`other data than put under ${key}`)
      if (BigInt(number) <= last) throw new Error(`sequence number ${number} does not rise`)
      last = BigInt(number)
    }
    count += records.length
    emptyPages = records.length === 0 ? emptyPages + 1 : 0
    iterator = String(page.NextShardIterator)
  }
  if (count > filled.recordCount) throw new Error('more records came than were acknowledged')
  return count
}

async function measureConstant(run: Run): Promise<Measurement> {
  const reader = await ShardReader.open(run, { stream, shardId, limit: 10_000 })
  const endless: Pages = {
    horizon: async () => 'again',
    page: (iterator, read) => reader.page(iterator, read),
  }
  return measurePasses(run, endless, 50_000)
}

const recordMark = Buffer.from('"SequenceNumber"')
/** Between two marks there is at least one record's data, which need not be looked through. */
const markDistanceMin = Math.ceil(fillRecordBytes / 3) * 4

function countRecords(page: Buffer): number {
  let count = 0
  let at = page.indexOf(recordMark)
  while (at >= 0) {
    count++
    at = page.indexOf(recordMark, at + markDistanceMin)
  }
  return count
}

/** The member stands before or behind the records, so the page's ends are looked at first. */
function nextIterator(page: Buffer): string {
  const ends = [page.subarray(0, 4096), page.subarray(-4096), page]
  for (const part of ends) {
    const head = part.indexOf('"NextShardIterator"')
    if (head < 0) continue
    const text = part.subarray(head, head + 4096).toString()
    const found = /^"NextShardIterator" ?: ?"([^"]+)"/.exec(text)?.[1]
    if (found !== undefined) return found
  }
  throw new Error('a page without NextShardIterator')
}
