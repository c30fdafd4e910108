// The put scenarios: one record or a batch a request, at a given concurrency, over either transport and
// in either encoding. Replies are decoded whole before and after the load, recognised within it.
import type { Ability } from '../contestants/contestant.ts'
import { putRecordBody, putRecordsBody, randomRecords } from '../load/bodies.ts'
import { type Channel, exchangeOnce, type Transport } from '../load/channel.ts'
import { rotate } from '../load/closed-loop.ts'
import {
  type Accept,
  acceptConstant,
  acceptPutRecord,
  acceptPutRecords,
  checkPutRecord,
  checkPutRecords,
  decodeReply,
} from '../load/replies.ts'
import { type Codec, type Prepared, prepare } from '../load/request.ts'
import type { Run } from './run.ts'
import type { Measurement, Scenario } from './scenario.ts'

export type PutShape = {
  readonly transport: Transport
  readonly codec: Codec
  readonly concurrency: number
  /** 1 stands for PutRecord, more for PutRecords. */
  readonly recordCount: number
  readonly recordBytes: number
}

/** What of a load is reported as the value. */
export type PutUnit = 'p50 ms' | 'requests/s' | 'records/s' | 'MB/s'

const stream = 'bench'

export const puts: readonly Scenario[] = [
  putScenario({
    name: 'put-record-c1',
    title: 'PutRecord 200 B, c=1',
    unit: 'p50 ms',
    shape: shape({ concurrency: 1, recordCount: 1, recordBytes: 200 }),
  }),
  putScenario({
    name: 'put-record-c32',
    title: 'PutRecord 200 B, c=32',
    unit: 'requests/s',
    shape: shape({ concurrency: 32, recordCount: 1, recordBytes: 200 }),
  }),
  putScenario({
    name: 'put-records-1k',
    title: 'PutRecords 500 × 1 KiB, c=8',
    unit: 'MB/s',
    shape: shape({ recordBytes: 1024 }),
  }),
  putScenario({
    name: 'put-records-100b',
    title: 'PutRecords 500 × 100 B, c=8',
    unit: 'records/s',
    shape: shape({ recordBytes: 100 }),
  }),
  putScenario({
    name: 'put-records-1k-h2',
    base: 'put-records-1k',
    title: 'PutRecords 500 × 1 KiB, c=8, HTTP/2',
    unit: 'MB/s',
    shape: shape({ recordBytes: 1024, transport: 'http2' }),
  }),
  putScenario({
    name: 'put-records-100b-h2',
    base: 'put-records-100b',
    title: 'PutRecords 500 × 100 B, c=8, HTTP/2',
    unit: 'records/s',
    shape: shape({ recordBytes: 100, transport: 'http2' }),
  }),
  putScenario({
    name: 'put-records-1k-cbor',
    base: 'put-records-1k',
    title: 'PutRecords 500 × 1 KiB, c=8, CBOR',
    unit: 'MB/s',
    shape: shape({ recordBytes: 1024, codec: 'cbor' }),
  }),
]

function shape(some: Partial<PutShape>): PutShape {
  return {
    transport: 'http1',
    codec: 'json',
    concurrency: 8,
    recordCount: 500,
    recordBytes: 1024,
    ...some,
  }
}

function putScenario(put: {
  name: string
  title: string
  unit: PutUnit
  base?: string
  shape: PutShape
}): Scenario {
  const needs: Ability[] = ['put', put.shape.transport]
  if (put.shape.codec === 'cbor') needs.push('cbor')
  return {
    name: put.name,
    title: put.title,
    unit: put.unit,
    better: put.unit === 'p50 ms' ? 'lower' : 'higher',
    needs,
    ...(put.base !== undefined && { base: put.base }),
    measure: async (run) => {
      await run.start()
      await run.createStream(stream, run.options.shardCount)
      return measurePuts(run, put.shape, put.unit, putRequests(run, put.shape, stream))
    },
  }
}

/** A rotation long enough that no cache of bodies or keys could live on it. */
export function putRequests(run: Run, put: PutShape, streamName: string): Prepared[] {
  const variants = put.recordCount === 1 ? 1024 : 32
  return Array.from({ length: variants }, (_, variant) => {
    const records = randomRecords(put.recordCount, put.recordBytes, variant)
    const form = { codec: put.codec, isSwapped: variant % 2 === 1 }
    const body =
      put.recordCount === 1
        ? putRecordBody(streamName, records[0]!, form)
        : putRecordsBody(streamName, records, form)
    return prepare(run.host, { operation: operationOf(put), codec: put.codec, body: [body] })
  })
}

export async function measurePuts(
  run: Run,
  put: PutShape,
  unit: PutUnit,
  requests: readonly Prepared[],
): Promise<Measurement> {
  const { channels, failure } = await run.open(put.transport, put.concurrency)
  const next = rotate(requests)
  const check = () => Promise.race([checkReplies(run, put, channels[0]!, next), failure])
  await check()
  const result = await run.load({ channels, failure, next, accept: acceptOf(run, put) })
  await check()
  const perRecord = unit === 'MB/s' ? put.recordBytes / 1e6 : 1
  const work = result.acknowledged * perRecord
  return {
    value: unit === 'p50 ms' ? result.latencies.percentile(0.5) : work / result.seconds,
    ...(result.cpuSeconds > 0 && { perCpuSecond: work / result.cpuSeconds }),
    p50Ms: result.latencies.percentile(0.5),
    p99Ms: result.latencies.percentile(0.99),
    generatorBusy: result.generatorBusy,
    refusedCount: result.refusedCount,
    ...(result.firstRefusal !== undefined && { note: result.firstRefusal }),
  }
}

/** Decodes three replies whole; throws on the first thing that is not as it must be. */
async function checkReplies(
  run: Run,
  put: PutShape,
  channel: Channel,
  next: () => Prepared,
): Promise<void> {
  for (let count = 0; count < 3; count++) {
    const { status, body } = await exchangeOnce(channel, next())
    if (run.contestant.isConstant === true) {
      if (status !== 200) throw new Error(`status ${status} from a constant server`)
      continue
    }
    const reply = decodeReply(put.codec, status, body)
    if (put.recordCount === 1) checkPutRecord(reply)
    else checkPutRecords(reply, put.recordCount)
  }
}

function acceptOf(run: Run, put: PutShape): Accept {
  if (run.contestant.isConstant === true) return acceptConstant(put.recordCount)
  if (put.recordCount === 1) return acceptPutRecord(put.codec)
  return acceptPutRecords(put.codec, put.recordCount)
}

function operationOf(put: PutShape): string {
  return put.recordCount === 1 ? 'PutRecord' : 'PutRecords'
}
