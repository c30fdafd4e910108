// The naive durable floor: what one would write first for a durable PutRecords. node:http, JSON.parse, a
// Buffer and an MD5 per record, one growing file, one fdatasync for all requests that gathered while
// the last one ran. No validation, no limits, no reads. Arguments: port, data folder.
import { hash } from 'node:crypto'
import { open } from 'node:fs/promises'
import http from 'node:http'
import path from 'node:path'

type RecordInput = { Data: string; PartitionKey: string; ExplicitHashKey?: string }
type Input = { StreamName: string; ShardCount?: number; Records?: RecordInput[] } & RecordInput

const [port = '0', dataDir = '.'] = process.argv.slice(2)
const file = await open(path.join(dataDir, 'log'), 'a')
const shardCounts = new Map<string, number>()
let counter = 0

let waiting: { bytes: Buffer[]; done: () => void }[] = []
let isCommitting = false

/** Resolves when the bytes are on the disk. */
function append(bytes: Buffer[]): Promise<void> {
  return new Promise((done, failed) => {
    waiting.push({ bytes, done })
    if (!isCommitting) commit().catch(failed)
  })
}

async function commit(): Promise<void> {
  isCommitting = true
  while (waiting.length > 0) {
    const group = waiting
    waiting = []
    await file.write(Buffer.concat(group.flatMap(({ bytes }) => bytes)))
    await file.datasync()
    for (const { done } of group) done()
  }
  isCommitting = false
}

async function putRecords(stream: string, records: RecordInput[]) {
  const shardCount = shardCounts.get(stream) ?? 1
  const bytes: Buffer[] = []
  const answers = records.map((record) => {
    const data = Buffer.from(record.Data, 'base64')
    const key = hash('md5', record.PartitionKey)
    const shard = Math.floor((Number.parseInt(key.slice(0, 8), 16) / 2 ** 32) * shardCount)
    const header = Buffer.alloc(16)
    header.writeUInt32LE(data.length, 0)
    header.writeUInt32LE(shard, 4)
    header.writeDoubleLE(++counter, 8)
    bytes.push(header, Buffer.from(record.PartitionKey), data)
    return {
      ShardId: `shardId-${String(shard).padStart(12, '0')}`,
      SequenceNumber: `4967402600285018821857622925947347644942${String(counter).padStart(16, '0')}`,
    }
  })
  await append(bytes)
  return answers
}

async function answer(operation: string, input: Input): Promise<object> {
  switch (operation) {
    case 'PutRecord':
      return (await putRecords(input.StreamName, [input]))[0] ?? {}
    case 'PutRecords':
      return {
        FailedRecordCount: 0,
        Records: await putRecords(input.StreamName, input.Records ?? []),
      }
    case 'CreateStream':
      shardCounts.set(input.StreamName, input.ShardCount ?? 1)
      return {}
    case 'DescribeStreamSummary':
      return { StreamDescriptionSummary: { StreamStatus: 'ACTIVE' } }
    case 'ListStreams':
      return { StreamNames: [...shardCounts.keys()], HasMoreStreams: false }
    default:
      throw new Error(`the naive floor knows no ${operation}`)
  }
}

const server = http.createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', async () => {
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? ''
    let status = 200
    let output: object
    try {
      output = await answer(operation, JSON.parse(Buffer.concat(chunks).toString()))
    } catch (error) {
      status = 500
      output = { __type: 'InternalFailure', message: String(error) }
    }
    const body = JSON.stringify(output)
    response.writeHead(status, {
      'Content-Type': 'application/x-amz-json-1.1',
      'Content-Length': Buffer.byteLength(body),
    })
    response.end(body)
  })
})
server.keepAliveTimeout = 75_000
server.listen(Number(port), '127.0.0.1')
