// The AWS SDK for JavaScript v3, unchanged: h2c by prior knowledge (its default on http://), HTTP/1.1,
// and TLS with ALPN.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  AddTagsToStreamCommand,
  CreateStreamCommand,
  DecreaseStreamRetentionPeriodCommand,
  DeleteStreamCommand,
  DescribeStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  IncreaseStreamRetentionPeriodCommand,
  InvalidArgumentException,
  KinesisClient,
  ListShardsCommand,
  ListTagsForStreamCommand,
  ProvisionedThroughputExceededException,
  PutRecordCommand,
  PutRecordsCommand,
  ResourceInUseException,
  ResourceNotFoundException,
  waitUntilStreamExists,
  waitUntilStreamNotExists,
} from '@aws-sdk/client-kinesis'
import { NodeHttp2Handler, NodeHttpHandler } from '@smithy/node-http-handler'
import { removeDataFolder, startServer } from '../server.ts'

let server
before(async () => {
  server = await startServer()
})
after(async () => {
  await server.stop()
  removeDataFolder(server.dataFolder)
})

const transports = {
  'h2c (default)': () => ({ endpoint: server.url }),
  'HTTP/1.1': () => ({ endpoint: server.url, requestHandler: new NodeHttpHandler() }),
  'TLS and ALPN': () => {
    const { caFile } = JSON.parse(readFileSync(path.join(server.dataFolder, 'server.json'), 'utf8'))
    const ca = readFileSync(caFile, 'utf8')
    return {
      endpoint: `https://localhost:${server.port}`,
      requestHandler: new NodeHttp2Handler({ nodeHttp2ConnectOptions: { ca } }),
    }
  },
}
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }

for (const [name, transport] of Object.entries(transports)) {
  test(`JavaScript SDK v3 over ${name}: the seed scenario`, async (t) => {
    let options
    try {
      options = transport()
    } catch (error) {
      assert.fail(`the transport cannot be set up: ${error.message}`)
    }
    const client = new KinesisClient({
      region: 'us-east-1',
      credentials,
      maxAttempts: 8,
      ...options,
    })
    t.after(() => client.destroy())
    await scenario(client, `js-${name.replaceAll(/[^a-z0-9]/gi, '')}`)
  })
}

async function scenario(client, StreamName) {
  const send = (command) => client.send(command)

  await send(new CreateStreamCommand({ StreamName, ShardCount: 2 }))
  await waitUntilStreamExists({ client, maxWaitTime: 20, minDelay: 1 }, { StreamName })
  const { StreamDescription } = await send(new DescribeStreamCommand({ StreamName }))
  assert.equal(StreamDescription.StreamStatus, 'ACTIVE')
  assert.equal(StreamDescription.Shards.length, 2)
  assert.ok(Math.abs(Date.now() - StreamDescription.StreamCreationTimestamp.getTime()) < 120_000)
  const StreamARN = StreamDescription.StreamARN
  await assert.rejects(
    send(new CreateStreamCommand({ StreamName, ShardCount: 1 })),
    ResourceInUseException,
  )

  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
  const put = await send(
    new PutRecordCommand({ StreamARN, PartitionKey: 'k', ExplicitHashKey: '0', Data: bytes }),
  )
  assert.equal(put.ShardId, 'shardId-000000000000')
  const Records = Array.from({ length: 50 }, (_, i) => ({
    PartitionKey: `key-${i}`,
    ExplicitHashKey: '1',
    Data: Buffer.from(`value-${i}`),
  }))
  const many = await send(new PutRecordsCommand({ StreamName, Records }))
  assert.equal(many.FailedRecordCount, 0)

  const iterator = async (kind) => {
    const input = { StreamName, ShardId: 'shardId-000000000000', ...kind }
    return (await send(new GetShardIteratorCommand(input))).ShardIterator
  }
  const all = await send(
    new GetRecordsCommand({ ShardIterator: await iterator({ ShardIteratorType: 'TRIM_HORIZON' }) }),
  )
  assert.equal(all.Records.length, 51)
  assert.equal(all.MillisBehindLatest, 0)
  assert.deepEqual(new Uint8Array(all.Records[0].Data), bytes)
  assert.deepEqual(
    all.Records.slice(1).map((record) => record.SequenceNumber),
    many.Records.map((record) => record.SequenceNumber),
  )
  const StartingSequenceNumber = all.Records[10].SequenceNumber
  const Timestamp = all.Records[10].ApproximateArrivalTimestamp
  const counts = {}
  for (const kind of [
    { ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber },
    { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber },
    { ShardIteratorType: 'AT_TIMESTAMP', Timestamp },
    { ShardIteratorType: 'LATEST' },
  ]) {
    await sleep(250)
    const page = await send(new GetRecordsCommand({ ShardIterator: await iterator(kind) }))
    counts[kind.ShardIteratorType] = page.Records.length
  }
  assert.equal(counts.AT_SEQUENCE_NUMBER, 41)
  assert.equal(counts.AFTER_SEQUENCE_NUMBER, 40)
  assert.ok(counts.AT_TIMESTAMP >= 41)
  assert.equal(counts.LATEST, 0)

  const page = await send(new ListShardsCommand({ StreamName, MaxResults: 1 }))
  const rest = await send(new ListShardsCommand({ NextToken: page.NextToken }))
  assert.deepEqual(
    [page, rest].map(({ Shards }) => Shards[0].ShardId),
    ['shardId-000000000000', 'shardId-000000000001'],
  )
  await send(new AddTagsToStreamCommand({ StreamName, Tags: { stage: 'test' } }))
  assert.deepEqual((await send(new ListTagsForStreamCommand({ StreamName }))).Tags, [
    { Key: 'stage', Value: 'test' },
  ])
  await send(new IncreaseStreamRetentionPeriodCommand({ StreamName, RetentionPeriodHours: 72 }))
  await assert.rejects(
    send(new IncreaseStreamRetentionPeriodCommand({ StreamName, RetentionPeriodHours: 48 })),
    InvalidArgumentException,
  )
  await send(new DecreaseStreamRetentionPeriodCommand({ StreamName, RetentionPeriodHours: 24 }))
  const { StreamDescriptionSummary } = await send(new DescribeStreamSummaryCommand({ StreamARN }))
  assert.equal(StreamDescriptionSummary.RetentionPeriodHours, 24)

  await assert.rejects(send(new DescribeStreamCommand({ StreamName: 'missing' })), (error) => {
    assert.ok(error instanceof ResourceNotFoundException)
    assert.equal(error.message, 'Stream missing under account 000000000000 not found.')
    assert.match(error.$metadata.requestId, /^[0-9a-f-]{36}$/)
    return true
  })

  const large = {
    StreamName,
    PartitionKey: 't',
    ExplicitHashKey: '0',
    Data: Buffer.alloc(1_000_000),
  }
  const impatient = new KinesisClient({
    ...client.config,
    maxAttempts: 1,
    retryStrategy: undefined,
  })
  const results = await Promise.allSettled(
    [1, 2, 3].map(() => impatient.send(new PutRecordCommand(large))),
  )
  const refused = results.filter(({ status }) => status === 'rejected').map(({ reason }) => reason)
  assert.ok(refused.length > 0)
  for (const reason of refused)
    assert.ok(reason instanceof ProvisionedThroughputExceededException, reason)
  const patient = await Promise.all([1, 2].map(() => send(new PutRecordCommand(large))))
  assert.equal(patient.length, 2)

  await send(new DeleteStreamCommand({ StreamName }))
  await waitUntilStreamNotExists({ client, maxWaitTime: 20, minDelay: 1 }, { StreamName })
}

test('a body of plain text with the right target is refused as AWS refuses it', async () => {
  const status = await new Promise((resolve, reject) => {
    const request = http.request(server.url, {
      method: 'POST',
      headers: { 'X-Amz-Target': 'Kinesis_20131202.PutRecord', 'Content-Type': 'text/plain' },
    })
    request
      .on('response', (response) => resolve(response.resume().statusCode))
      .on('error', reject)
      .end('hello')
  })
  assert.equal(status, 404)
})
