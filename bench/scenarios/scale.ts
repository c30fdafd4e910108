// Does put throughput hold as a stream gets more shards, and an account more streams? Batches spread over
// all shards of one stream; batches, and single records, in rotation over many streams of one shard.
import { putRecordBody, putRecordsBody, randomRecords } from '../load/bodies.ts'
import { type Prepared, prepare } from '../load/request.ts'
import { measurePuts, type PutShape, putRequests } from './puts.ts'
import type { Run } from './run.ts'
import type { Scenario } from './scenario.ts'

const batch: PutShape = {
  transport: 'http1',
  codec: 'json',
  concurrency: 8,
  recordCount: 500,
  recordBytes: 1024,
}
const single: PutShape = { ...batch, concurrency: 32, recordCount: 1, recordBytes: 200 }

export const scale: readonly Scenario[] = [
  ...[1, 100, 1000, 10_000].map(overShards),
  ...[1, 100, 1000].map((count) => overStreams(count, 'batches')),
  ...[1, 100, 1000].map((count) => overStreams(count, 'singles')),
]

function overShards(shardCount: number): Scenario {
  return {
    name: `shards-${shardCount}`,
    ...(shardCount > 1 && { base: 'shards-1' }),
    title: `PutRecords 500 × 1 KiB, c=8, ${shardCount} shards`,
    unit: 'MB/s',
    better: 'higher',
    needs: ['put', 'streams', 'http1'],
    isHeavy: true,
    measure: async (run) => {
      await run.start()
      await run.createStream('bench', shardCount)
      return measurePuts(run, batch, 'MB/s', putRequests(run, batch, 'bench'))
    },
  }
}

function overStreams(streamCount: number, kind: 'batches' | 'singles'): Scenario {
  const isBatch = kind === 'batches'
  return {
    name: `streams-${streamCount}-${kind}`,
    ...(streamCount > 1 && { base: `streams-1-${kind}` }),
    title: isBatch
      ? `PutRecords 500 × 1 KiB, c=8, ${streamCount} streams`
      : `PutRecord 200 B, c=32, ${streamCount} streams`,
    unit: isBatch ? 'MB/s' : 'requests/s',
    better: 'higher',
    needs: ['put', 'streams', 'http1'],
    isHeavy: true,
    measure: async (run) => {
      await run.start()
      const names = Array.from({ length: streamCount }, (_, index) => `bench-${index}`)
      for (const name of names) await run.createStream(name, 1)
      const requests = isBatch ? batchesOver(run, names) : singlesOver(run, names)
      return measurePuts(run, isBatch ? batch : single, isBatch ? 'MB/s' : 'requests/s', requests)
    },
  }
}

/** Each stream's request has its own beginning and shares its 700 KB of records with others. */
function batchesOver(run: Run, names: readonly string[]): Prepared[] {
  const tails = Array.from({ length: 32 }, (_, variant) => {
    const records = randomRecords(batch.recordCount, batch.recordBytes, variant)
    const body = putRecordsBody('', records, { codec: 'json', isSwapped: false })
    return body.subarray(body.indexOf('"Records"'))
  })
  return Array.from({ length: Math.max(32, names.length) }, (_, index) => {
    const head = Buffer.from(`{"StreamName":"${names[index % names.length]}",`)
    const body = [head, tails[index % tails.length]!]
    return prepare(run.host, { operation: 'PutRecords', codec: 'json', body })
  })
}

function singlesOver(run: Run, names: readonly string[]): Prepared[] {
  return Array.from({ length: Math.max(1024, names.length * 2) }, (_, index) => {
    const record = randomRecords(1, single.recordBytes, index)[0]!
    const name = names[index % names.length]!
    const body = putRecordBody(name, record, { codec: 'json', isSwapped: index % 2 === 1 })
    return prepare(run.host, { operation: 'PutRecord', codec: 'json', body: [body] })
  })
}
