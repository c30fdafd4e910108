// What the slice adds to a PutRecords and a PutRecord: checks, hashing, routing, rates, writing the block,
// shaping the answer; without wire and disk. Run it with
//   node packages/server/src/services/kinesis/put.bench.ts
// Figures are the best of many rounds (machines are noisy): compare those of one run only.
import { ServiceClock } from '@millrace/base/clock'
import { Base64Payload, type Payload, RangePayload } from '@millrace/wire/payload'
import { kinesis as api, type PutRecordsRequestEntry } from '@millrace/wire/services/kinesis'
import { putRecord, putRecords } from './put.ts'
import { PutRecordReply, PutRecordsReply } from './put-reply.ts'
import { STREAM, withStream } from './testing/data.ts'
import { SinkEngine } from './testing/sink-engine.ts'
import { START_MS, testKinesis } from './testing.ts'

const RECORDS = 500
const ROUNDS = 3000

function records(protocol: 'json' | 'cbor', dataBytes: number): PutRecordsRequestEntry[] {
  const body = Buffer.alloc(RECORDS * dataBytes, 'some bytes of a body')
  return Array.from({ length: RECORDS }, (_, i) => {
    const start = i * dataBytes
    const text = body.toString('base64', start, start + dataBytes)
    const Data: Payload =
      protocol === 'json'
        ? new Base64Payload(text, dataBytes)
        : new RangePayload(body, start, dataBytes)
    return { Data, PartitionKey: `partition-key-${i}` }
  })
}

interface Best {
  store: number
  answer: number
}

async function best(rounds: number, run: () => Promise<[number, number]>): Promise<Best> {
  const found = { store: Infinity, answer: Infinity }
  for (let round = 0; round < rounds; round++) {
    const [store, answer] = await run()
    found.store = Math.min(found.store, store)
    found.answer = Math.min(found.answer, answer)
  }
  return found
}

function print(name: string, { store, answer }: Best, count: number, dataBytes: number): void {
  const total = store + answer
  const rate = (count / total) * 1000
  const megabytes = (count * dataBytes * 1000) / total
  console.log(
    `${name.padEnd(36)} ${rate.toFixed(2).padStart(6)} M records/s  ${megabytes.toFixed(0).padStart(5)} MB/s   ` +
      `ns per record: store ${(store / count).toFixed(0)}, answer ${(answer / count).toFixed(0)}`,
  )
}

for (const limits of ['none', 'aws'] as const) {
  for (const shardCount of [1, 16, 1000]) {
    if (limits === 'aws' && shardCount !== 16) continue
    for (const protocol of ['json', 'cbor'] as const) {
      for (const dataBytes of [100, 1000]) {
        const clock = new ServiceClock({ wall: () => START_MS })
        const engine = new SinkEngine({ clock })
        const test = await withStream(await testKinesis({ engine, clock, limits }), shardCount)
        engine.isSinking = true
        const stream = test.streams.forData({ StreamName: STREAM }, test.context())
        const input = { StreamName: STREAM, Records: records(protocol, dataBytes) }
        let nowMs = START_MS
        const found = await best(ROUNDS, async () => {
          // Far enough apart for the rates to let everything through.
          nowMs += 10_000
          const start = process.hrtime.bigint()
          const appended = putRecords(engine, stream, input, nowMs)
          const stored = process.hrtime.bigint()
          const reply = await appended
          if (!(reply instanceof PutRecordsReply)) throw new Error('a record failed')
          const resumed = process.hrtime.bigint()
          reply.encode(protocol)
          const done = process.hrtime.bigint()
          return [Number(stored - start), Number(done - resumed)]
        })
        print(
          `${protocol} 500 × ${dataBytes} B, ${shardCount} shards, ${limits}`,
          found,
          RECORDS,
          dataBytes,
        )
      }
    }
  }
}

for (const shardCount of [1, 16]) {
  const clock = new ServiceClock({ wall: () => START_MS })
  const engine = new SinkEngine({ clock })
  const test = await withStream(await testKinesis({ engine, clock }), shardCount)
  engine.isSinking = true
  const [record] = records('json', 200)
  const input = { StreamName: STREAM, ...record, Data: record?.Data ?? new Base64Payload('', 0) }
  const found = await best(20, async () => {
    const COUNT = 2000
    let store = 0
    let answer = 0
    for (let i = 0; i < COUNT; i++) {
      const start = process.hrtime.bigint()
      const stream = test.streams.forData(input, test.context())
      const appended = putRecord(engine, stream, input, START_MS)
      const stored = process.hrtime.bigint()
      const reply = await appended
      if (!(reply instanceof PutRecordReply)) throw new Error('the record failed')
      const resumed = process.hrtime.bigint()
      reply.encode('json')
      const done = process.hrtime.bigint()
      store += Number(stored - start)
      answer += Number(done - resumed)
    }
    return [store / COUNT, answer / COUNT]
  })
  print(`${api.PutRecord.name} json 200 B, ${shardCount} shards`, found, 1, 200)
}
