// For tests of the data operations: short ways to make a stream, put into it and read it, over the slice
// of testing.ts. Replies are taken as a client would read them, out of their JSON.
import { strict as assert } from 'node:assert'
import { ServiceClock } from '@millrace/base/clock'
import { silentLogger } from '@millrace/base/logger'
import { seededRandom } from '@millrace/base/random'
import { openLocalEngine } from '@millrace/storage/open-local-engine'
import { SimulatedDisk } from '@millrace/storage/simulated-disk'
import type { OperationContract } from '@millrace/wire/contract'
import { BytesPayload, type Payload } from '@millrace/wire/payload'
import {
  type GetRecordsInput,
  type GetShardIteratorInput,
  kinesis,
  type PutRecordOutput,
  type PutRecordsOutput,
  type PutRecordsRequestEntry,
} from '@millrace/wire/services/kinesis'
import type { PreparedReply, RequestContext } from '../../../platform/operation.ts'
import { START_MS, type TestKinesis, testKinesis } from '../testing.ts'

export const STREAM = 'orders'

export interface ReadRecord {
  readonly SequenceNumber: string
  /** Seconds. */
  readonly ApproximateArrivalTimestamp: number
  /** Base64. */
  readonly Data: string
  readonly PartitionKey?: string
}

export interface ReadPage {
  readonly Records: readonly ReadRecord[]
  readonly NextShardIterator?: string
  readonly MillisBehindLatest: number
  readonly ChildShards?: readonly unknown[]
}

type Changes = Partial<RequestContext>

export function bytes(data: string | Uint8Array): Payload {
  return new BytesPayload(typeof data === 'string' ? Buffer.from(data) : data)
}

export function text(record: ReadRecord): string {
  return Buffer.from(record.Data, 'base64').toString()
}

/** The answer as a JSON client has it. */
export async function answer<I, O>(
  test: TestKinesis,
  contract: OperationContract<I, O>,
  input: I,
  changes?: Changes,
): Promise<unknown> {
  const output: unknown = await test.call(contract, input, changes)
  return isPrepared(output) ? JSON.parse(String(asText(output.encode('json')))) : output
}

export async function withStream(
  test: TestKinesis,
  shardCount = 1,
  name = STREAM,
): Promise<TestKinesis> {
  await test.call(kinesis.CreateStream, { StreamName: name, ShardCount: shardCount })
  return test
}

export async function put(
  test: TestKinesis,
  data: string | Uint8Array,
  more: Partial<Parameters<typeof putInput>[1]> = {},
  changes?: Changes,
): Promise<PutRecordOutput> {
  return (await answer(test, kinesis.PutRecord, putInput(data, more), changes)) as PutRecordOutput
}

function putInput(
  data: string | Uint8Array,
  more: {
    readonly StreamName?: string
    readonly PartitionKey?: string
    readonly ExplicitHashKey?: string
    readonly SequenceNumberForOrdering?: string
    readonly DryRun?: boolean
  },
) {
  return { StreamName: STREAM, PartitionKey: 'key', Data: bytes(data), ...more }
}

export async function putMany(
  test: TestKinesis,
  records: readonly PutRecordsRequestEntry[],
  changes?: Changes,
): Promise<PutRecordsOutput> {
  const input = { StreamName: STREAM, Records: records }
  return (await answer(test, kinesis.PutRecords, input, changes)) as PutRecordsOutput
}

export async function iterator(
  test: TestKinesis,
  input: Partial<GetShardIteratorInput> = {},
  changes?: Changes,
): Promise<string> {
  const output = await test.call(
    kinesis.GetShardIterator,
    { StreamName: STREAM, ShardId: '0', ShardIteratorType: 'TRIM_HORIZON', ...input },
    changes,
  )
  assert.ok(output.ShardIterator)
  return output.ShardIterator
}

export async function get(
  test: TestKinesis,
  shardIterator: string,
  input: Partial<GetRecordsInput> = {},
  changes?: Changes,
): Promise<ReadPage> {
  const whole = { ShardIterator: shardIterator, ...input }
  return (await answer(test, kinesis.GetRecords, whole, changes)) as ReadPage
}

/** All records from an iterator on, until a page is empty. */
export async function drain(
  test: TestKinesis,
  shardIterator: string,
  input: Partial<GetRecordsInput> = {},
): Promise<ReadRecord[]> {
  const records: ReadRecord[] = []
  let next: string | undefined = shardIterator
  while (next !== undefined) {
    const page: ReadPage = await get(test, next, input)
    if (page.Records.length === 0) break
    records.push(...page.Records)
    assert.notEqual(page.NextShardIterator, next)
    next = page.NextShardIterator
  }
  return records
}

function isPrepared(output: unknown): output is PreparedReply {
  return typeof output === 'object' && output !== null && 'isPrepared' in output
}

function asText(body: string | Uint8Array): string {
  return typeof body === 'string' ? body : Buffer.from(body).toString()
}

/** Closes shard 0 and halves its range among two children, as a split would leave the catalog. */
export async function splitFirstShard(test: TestKinesis): Promise<void> {
  const stream = test.streams.forControl({ StreamName: STREAM }, test.context())
  const { facts, group } = stream
  const parent = facts.shards[0]
  assert.ok(parent)
  const first = facts.shards.length
  await group.addLogs([first, first + 1])
  const nowMs = test.clock.now()
  parent.closed = { atMs: nowMs, endOffset: group.log(parent.number).next }
  const start = BigInt(parent.startingHashKey)
  const end = BigInt(parent.endingHashKey)
  const middle = (start + end) / 2n
  const child = {
    createdSeconds: Math.floor(nowMs / 1000) + 1,
    baseOffset: 0,
    parent: parent.number,
  }
  const ranges = [
    [start, middle],
    [middle + 1n, end],
  ] as const
  ranges.forEach(([from, to], index) => {
    facts.shards.push({
      ...child,
      number: first + index,
      startingHashKey: from.toString(),
      endingHashKey: to.toString(),
    })
  })
  facts.version++
}

/** The slice on a local engine over a simulated disk, with small files and next to no caches. */
export async function localKinesis(): Promise<{
  readonly kinesis: TestKinesis
  restart(kinesis: TestKinesis): Promise<TestKinesis>
  /** Stops the engine in use. */
  close(): Promise<void>
}> {
  const clock = new ServiceClock({ wall: () => START_MS })
  const disk = new SimulatedDisk({ random: seededRandom(3) })
  const open = () =>
    openLocalEngine({
      directory: '/data',
      disk,
      clock,
      random: seededRandom(7),
      logger: silentLogger,
      durability: 'sync',
      fileBytesMax: 16 * 1024,
      blocksMax: 8,
      cacheBytesMax: 0,
      segmentCacheBytesMax: 4096,
      reserveBytes: 4096,
    })
  let engine = await open()
  return {
    kinesis: await testKinesis({ engine, clock }),
    restart: (kinesis) =>
      kinesis.restarted(async () => {
        await engine.close()
        engine = await open()
        return engine
      }),
    close: () => engine.close(),
  }
}
