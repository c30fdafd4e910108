import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceClock } from '@millrace/base/clock'
import { MemoryEngine } from '@millrace/storage/memory-engine'
import { codecOf } from '@millrace/wire/codec'
import { formatSequenceNumber } from '@millrace/wire/sequence-number'
import { type GetRecordsOutput, kinesis, type Record } from '@millrace/wire/services/kinesis'
import fc from 'fast-check'
import type { PageEnd } from './page.ts'
import { PageReply } from './page-reply.ts'
import { partitionKeyBytes } from './record.ts'
import { Shard } from './shard.ts'
import { BatchBlock, RecordBlock, ShardBatch } from './shard-batch.ts'
import { bytes } from './testing/data.ts'

const CREATED_SECONDS = 1_777_000_000
const codec = codecOf(kinesis.GetRecords)

const anyKey = fc.option(
  fc.oneof(
    fc.string({ unit: 'binary-ascii', maxLength: 40 }),
    fc.string({ unit: 'grapheme', maxLength: 256 }),
    fc.constantFrom('"', '\\', '\n', '\u007f', '\u2028', '\u0001'.repeat(256), 'k'.repeat(24)),
  ),
  { nil: undefined },
)
const anyRecord = fc.record({
  PartitionKey: anyKey,
  data: fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.constantFrom(65_535, 65_536, 65_537).map((length) => new Uint8Array(length).fill(length)),
  ),
})
const anyBlocks = fc.array(
  fc.record({
    records: fc.array(anyRecord, { minLength: 1, maxLength: 8 }),
    laterMs: fc.nat({ max: 5000 }),
  }),
  { maxLength: 5 },
)
const anyEnd: fc.Arbitrary<PageEnd> = fc.record({
  nextShardIterator: fc.option(fc.base64String({ minLength: 4 }), { nil: undefined }),
  millisBehindLatest: fc.nat(),
  childShards: fc.option(
    fc.constant([
      {
        ShardId: 'shardId-000000000007',
        ParentShards: ['shardId-000000000001', 'shardId-000000000002'],
        HashKeyRange: {
          StartingHashKey: '0',
          EndingHashKey: '340282366920938463463374607431768211455',
        },
      },
    ]),
    { nil: undefined },
  ),
})

for (const protocol of ['json', 'cbor'] as const) {
  test(`a page is what the codec writes in ${protocol}`, async () => {
    await fc.assert(
      fc.asyncProperty(anyBlocks, anyEnd, async (blocks, end) => {
        let nowMs = CREATED_SECONDS * 1000
        const clock = new ServiceClock({ wall: () => nowMs })
        const engine = new MemoryEngine({ clock })
        const log = (await engine.createGroup(1, [3])).log(3)
        const facts = {
          number: 3,
          startingHashKey: '0',
          endingHashKey: '1',
          createdSeconds: CREATED_SECONDS,
          baseOffset: 0,
        }
        const owner = { name: 's', account: '123456789012', horizonMs: () => 0 }
        const shard = new Shard(owner, facts, log, { limits: 'none' }, clock)
        const expected: Record[] = []
        for (const { records, laterMs } of blocks) {
          nowMs += laterMs
          const batch = new ShardBatch()
          const inputs = records.map(({ PartitionKey, data }) => ({
            Data: bytes(data),
            ...(PartitionKey === undefined ? {} : { PartitionKey }),
          }))
          batch.begin(inputs)
          inputs.forEach((input, index) => {
            batch.add(index, partitionKeyBytes(input.PartitionKey ?? ''), input.Data.byteLength)
            expected.push({
              SequenceNumber: formatSequenceNumber({
                createdSeconds: CREATED_SECONDS,
                shardNumber: 3,
                counter: expected.length + 1,
                timeSeconds: Math.floor(nowMs / 1000),
              }),
              ApproximateArrivalTimestamp: nowMs,
              ...input,
            })
          })
          await engine.append([new BatchBlock(shard, batch)])
        }
        const page = await shard.read(0, 10_000, nowMs)
        assert.equal(page.count, expected.length)
        const output: GetRecordsOutput = {
          Records: expected,
          MillisBehindLatest: end.millisBehindLatest,
          ...(end.nextShardIterator === undefined
            ? {}
            : { NextShardIterator: end.nextShardIterator }),
          ...(end.childShards === undefined ? {} : { ChildShards: end.childShards }),
        }
        const actual = Buffer.from(new PageReply(shard, page, end).encode(protocol))
        assert.equal(actual.compare(Buffer.from(codec.encode(output, protocol))), 0)
      }),
      { numRuns: 60 },
    )
  })
}

test('a page lets its buffers go when it has been encoded, and is encoded once', async () => {
  const clock = new ServiceClock({ wall: () => 0 })
  const engine = new MemoryEngine({ clock })
  const log = (await engine.createGroup(1, [0])).log(0)
  const facts = {
    number: 0,
    startingHashKey: '0',
    endingHashKey: '1',
    createdSeconds: 0,
    baseOffset: 0,
  }
  const owner = { name: 's', account: '123456789012', horizonMs: () => 0 }
  const shard = new Shard(owner, facts, log, { limits: 'none' }, clock)
  await engine.append([new RecordBlock(log, { PartitionKey: 'k', Data: bytes('a') }, 1)])
  const page = await shard.read(0, 1, 0)
  let released = 0
  const end = { nextShardIterator: 'x', millisBehindLatest: 0, childShards: undefined }
  const reply = new PageReply(shard, { ...page, release: () => released++ }, end)
  reply.encode('json')
  assert.equal(released, 1)
  assert.throws(() => reply.encode('json'), /encoded once/)
})
