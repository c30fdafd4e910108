// The reading side of the crash and soak tests, with the real SDK. Calls that meet a server which is
// just coming up again are repeated for a while; an answer that is wrong is never repeated.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateStreamCommand,
  DeleteStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  ListStreamsCommand,
} from '../js/sdk.mjs'
import { recordName } from './record.mjs'

/** The calls the tests need, on one endpoint. */
export function createClient(endpoint) {
  const kinesis = new KinesisClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 10,
  })
  return {
    kinesis,
    async createStream(StreamName, ShardCount) {
      await kinesis.send(new CreateStreamCommand({ StreamName, ShardCount }))
    },
    async deleteStream(StreamName) {
      await kinesis.send(new DeleteStreamCommand({ StreamName }))
    },
    async shardIds(StreamName) {
      const { Shards } = await kinesis.send(new ListShardsCommand({ StreamName }))
      return Shards.map(({ ShardId }) => ShardId)
    },
    async streamNames() {
      const names = []
      let ExclusiveStartStreamName
      for (;;) {
        const page = await kinesis.send(
          new ListStreamsCommand({ ExclusiveStartStreamName, Limit: 1000 }),
        )
        names.push(...page.StreamNames)
        if (!page.HasMoreStreams) return names
        ExclusiveStartStreamName = page.StreamNames.at(-1)
      }
    },
  }
}

/**
 * Every record of a shard from the trim horizon to the tip as it is met, even while producers go on: its
 * name (undefined when not whole) and number.
 */
export async function readAll({ kinesis }, StreamName, ShardId) {
  const seen = []
  const first = { StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' }
  let { ShardIterator } = await kinesis.send(new GetShardIteratorCommand(first))
  for (;;) {
    const page = await kinesis.send(new GetRecordsCommand({ ShardIterator, Limit: 10_000 }))
    for (const { Data, SequenceNumber } of page.Records) {
      seen.push({ name: recordName(Data), sequenceNumber: SequenceNumber })
    }
    if (page.MillisBehindLatest === 0) return seen
    if (page.Records.length === 0) await sleep(5)
    ShardIterator = page.NextShardIterator
  }
}
