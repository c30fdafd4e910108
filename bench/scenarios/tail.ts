// Tailing by polling: a producer puts small records one by one, a consumer asks for more 1 ms after each
// answer. Measured is the time from sending a record to holding it in a reply.
import { setTimeout as delay } from 'node:timers/promises'
import { putRecordBody, type RecordInput } from '../load/bodies.ts'
import { exchangeOnce } from '../load/channel.ts'
import { Latencies } from '../load/latencies.ts'
import { checkPutRecord, decodeReply } from '../load/replies.ts'
import { prepare } from '../load/request.ts'
import type { Run } from './run.ts'
import type { Measurement, Scenario } from './scenario.ts'

const stream = 'tail'
const shardId = 'shardId-000000000000'
const pollMs = 1
const putEveryMs = 10
const arrivalPatienceMs = 10_000

export const tail: Scenario = {
  name: 'tail-polling',
  title: 'Tail by polling each ms, put → read',
  unit: 'p50 ms',
  better: 'lower',
  needs: ['put', 'get', 'streams', 'http1'],
  measure: async (run) => {
    await run.start()
    await run.createStream(stream, 1)
    const iterator = await run.api.iterator(stream, shardId, 'TRIM_HORIZON')
    return new Tail(run, iterator).measure()
  },
}

class Tail {
  readonly #run: Run
  readonly #latencies = new Latencies()
  readonly #acknowledgements = new Latencies()
  /** When each record that has not come back yet was sent, by its partition key. */
  readonly #sentAt = new Map<string, number>()
  #iterator: string
  #isPutting = true

  constructor(run: Run, iterator: string) {
    this.#run = run
    this.#iterator = iterator
  }

  async measure(): Promise<Measurement> {
    const [producer, consumer] = await Promise.all([
      this.#run.open('http1', 1),
      this.#run.open('http1', 1),
    ])
    const { warmUpSeconds, seconds } = this.#run.options
    const putUntil = performance.now() + (warmUpSeconds + seconds) * 1000
    const countFrom = putUntil - seconds * 1000
    await Promise.race([
      Promise.all([this.#put(producer, putUntil), this.#poll(consumer, countFrom)]),
      producer.failure,
      consumer.failure,
    ])
    return {
      value: this.#latencies.percentile(0.5),
      p50Ms: this.#latencies.percentile(0.5),
      p99Ms: this.#latencies.percentile(0.99),
      details: {
        records: this.#latencies.count,
        acknowledgedP50Ms: this.#acknowledgements.percentile(0.5),
      },
    }
  }

  async #put(producer: Awaited<ReturnType<Run['open']>>, until: number): Promise<void> {
    for (let index = 0; performance.now() < until; index++) {
      const record: RecordInput = { data: Buffer.alloc(200, index), partitionKey: `event-${index}` }
      const body = putRecordBody(stream, record, { codec: 'json', isSwapped: false })
      const request = prepare(this.#run.host, {
        operation: 'PutRecord',
        codec: 'json',
        body: [body],
      })
      const sentAt = performance.now()
      this.#sentAt.set(record.partitionKey, sentAt)
      const reply = await exchangeOnce(producer.channels[0]!, request)
      checkPutRecord(decodeReply('json', reply.status, reply.body))
      this.#acknowledgements.add(performance.now() - sentAt)
      await delay(putEveryMs)
    }
    this.#isPutting = false
  }

  async #poll(consumer: Awaited<ReturnType<Run['open']>>, countFrom: number): Promise<void> {
    let quietSince = performance.now()
    while (this.#isPutting || this.#sentAt.size > 0) {
      const body = [Buffer.from(`{"ShardIterator":${JSON.stringify(this.#iterator)}}`)]
      const request = prepare(this.#run.host, { operation: 'GetRecords', codec: 'json', body })
      const reply = await exchangeOnce(consumer.channels[0]!, request)
      const readAt = performance.now()
      const page = decodeReply('json', reply.status, reply.body)
      for (const { PartitionKey: key } of page.Records as { PartitionKey: string }[]) {
        const sentAt = this.#sentAt.get(key)
        if (sentAt === undefined) throw new Error(`record ${key} came twice or was never put`)
        this.#sentAt.delete(key)
        if (sentAt >= countFrom) this.#latencies.add(readAt - sentAt)
        quietSince = readAt
      }
      if (readAt - quietSince > arrivalPatienceMs) {
        throw new Error(`${this.#sentAt.size} acknowledged records never came`)
      }
      this.#iterator = String(page.NextShardIterator)
      await delay(pollMs)
    }
  }
}
