// One producer process of the crash test: puts records with the real SDK as fast as they are
// acknowledged, and tells each acknowledgement on stdout as `name shard sequenceNumber`. A failed call
// is simply followed by the next; what became of its records is unknown, as for any client.
// Arguments: endpoint, stream, producer's name, seed.
import { setTimeout as sleep } from 'node:timers/promises'
import { KinesisClient, PutRecordCommand, PutRecordsCommand } from '../js/sdk.mjs'
import { recordData } from './record.mjs'

const [endpoint, StreamName, producer, seed] = process.argv.slice(2)
const client = new KinesisClient({
  endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  maxAttempts: 1,
})
let next = 0
let state = Number(seed) >>> 0

function random(below) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 0x1_0000_0000) * below)
}

function record() {
  const number = next++
  return {
    name: `${producer}:${number}`,
    PartitionKey: `${producer}-${random(1000)}`,
    Data: recordData(producer, number),
  }
}

async function putOne() {
  const { name, ...input } = record()
  const { ShardId, SequenceNumber } = await client.send(
    new PutRecordCommand({ StreamName, ...input }),
  )
  process.stdout.write(`${name} ${ShardId} ${SequenceNumber}\n`)
}

async function putMany() {
  const records = Array.from({ length: 1 + random(60) }, record)
  const Records = records.map(({ name, ...input }) => input)
  const answer = await client.send(new PutRecordsCommand({ StreamName, Records }))
  const lines = answer.Records.flatMap(({ ShardId, SequenceNumber, ErrorCode }, i) =>
    ErrorCode === undefined ? [`${records[i].name} ${ShardId} ${SequenceNumber}\n`] : [],
  )
  process.stdout.write(lines.join(''))
}

async function worker() {
  for (;;) {
    try {
      await (random(3) === 0 ? putOne() : putMany())
    } catch (error) {
      if (error.name === 'ResourceNotFoundException') throw error
      await sleep(20)
    }
  }
}

await Promise.all([worker(), worker(), worker()])
