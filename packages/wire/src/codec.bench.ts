// What a PutRecords request costs before it means anything: parse, types, constraints, each by itself, in
// JSON and CBOR, for 500 records of 100 B to 10 KB; and the answers' encoding. Run it with
//   node packages/wire/src/codec.bench.ts
// Figures are the best of many rounds (machines are noisy): compare those of one run only.
import { codecOf, type Protocol, parseBody } from './codec.ts'
import { BytesPayload } from './payload.ts'
import { CborSink, writeAny } from './protocols/cbor-writer.ts'
import { kinesis } from './services/kinesis.ts'

const RECORDS = 500
const ROUNDS = 400

/** A body as the SDKs write it: Data before PartitionKey, stream last (CBOR: byte strings). */
function putRecordsBody(protocol: Protocol, dataBytes: number): Buffer {
  const datas = Array.from({ length: RECORDS }, (_, index) => {
    const data = Buffer.allocUnsafe(dataBytes)
    for (let at = 0; at < dataBytes; at++) data[at] = Math.imul(index * 31 + at, 0x9e3779b1) >>> 24
    return data
  })
  const key = (index: number): string => `partition-key-${index}`
  if (protocol === 'json') {
    const records = datas.map((data, index) => ({
      Data: data.toString('base64'),
      PartitionKey: key(index),
    }))
    return Buffer.from(JSON.stringify({ Records: records, StreamName: 'orders' }))
  }
  const sink = new CborSink()
  sink.head(5, 2)
  sink.text('Records')
  sink.head(4, RECORDS)
  for (const [index, data] of datas.entries()) {
    sink.head(5, 2)
    sink.text('Data')
    sink.bytes(new BytesPayload(data))
    sink.text('PartitionKey')
    writeAny(sink, key(index))
  }
  sink.text('StreamName')
  sink.text('orders')
  return Buffer.from(sink.take())
}

function bestNs(rounds: number, run: () => void): number {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint()
    run()
    best = Math.min(best, Number(process.hrtime.bigint() - start))
  }
  return best
}

const codec = codecOf(kinesis.PutRecords)

for (const protocol of ['json', 'cbor'] as const) {
  for (const dataBytes of [10_000, 1000, 200, 100]) {
    const body = putRecordsBody(protocol, dataBytes)
    const best = { parse: Infinity, types: Infinity, constraints: Infinity }
    for (let round = 0; round < ROUNDS; round++) {
      const start = process.hrtime.bigint()
      const value = parseBody(protocol, body, 'Kinesis_20131202.PutRecords')
      const parsed = process.hrtime.bigint()
      if (value === undefined) throw new Error('the body is not parsable')
      const input = codec.readTypes(value, protocol)
      const typed = process.hrtime.bigint()
      codec.checkConstraints(input)
      const checked = process.hrtime.bigint()
      best.parse = Math.min(best.parse, Number(parsed - start))
      best.types = Math.min(best.types, Number(typed - parsed))
      best.constraints = Math.min(best.constraints, Number(checked - typed))
    }
    const totalNs = best.parse + best.types + best.constraints
    const megabytesPerSecond = (RECORDS * dataBytes * 1000) / totalNs
    console.log(
      `${protocol} 500 × ${dataBytes} B: ${megabytesPerSecond.toFixed(0)} MB/s of data, ns per record: ` +
        Object.entries(best)
          .map(([step, ns]) => `${step} ${(ns / RECORDS).toFixed(0)}`)
          .join(', '),
    )
  }
}

const answer = {
  FailedRecordCount: 0,
  Records: Array.from({ length: RECORDS }, (_, index) => ({
    SequenceNumber: `4967402600285018821857622925947347644942929856422325${index}`,
    ShardId: 'shardId-000000000001',
  })),
}
for (const protocol of ['json', 'cbor'] as const) {
  const ns = bestNs(ROUNDS, () => codec.encode(answer, protocol))
  console.log(`${protocol} answer of PutRecords: ${(ns / RECORDS).toFixed(0)} ns per record`)
}
