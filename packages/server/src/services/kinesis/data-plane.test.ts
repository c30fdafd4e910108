// What a reader may rely on, whatever is put and however it is read (testing/history.ts says what), on
// the memory engine and on a local engine whose files and caches are so small that most reads go to disk.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { localKinesis, put, withStream } from './testing/data.ts'
import { anyHistory, DataPlane } from './testing/history.ts'
import { testKinesis } from './testing.ts'

test('every record is read once and in order, by any mix of puts, waits, restarts and iterators', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), anyHistory, async (shardCount, steps) => {
      const kinesis = await withStream(await testKinesis(), shardCount)
      await new DataPlane(kinesis, shardCount, (before) => before.restarted()).play(steps)
    }),
    { numRuns: 40 },
  )
})

test('the same holds on the local engine, over disk and restarts', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), anyHistory, async (shardCount, steps) => {
      const { kinesis, restart, close } = await localKinesis()
      await withStream(kinesis, shardCount)
      await new DataPlane(kinesis, shardCount, restart).play(steps)
      await close()
    }),
    { numRuns: 10 },
  )
})

test('numbers rise within a shard, and no two records share one', async () => {
  const kinesis = await withStream(await testKinesis(), 3)
  const last = new Map<string, bigint>()
  const all = new Set<string>()
  for (let i = 0; i < 200; i++) {
    if (i % 7 === 0) await kinesis.advance(i * 13)
    const { ShardId, SequenceNumber } = await put(kinesis, '', { PartitionKey: String(i) })
    assert.ok(BigInt(SequenceNumber) > (last.get(ShardId) ?? 0n))
    last.set(ShardId, BigInt(SequenceNumber))
    all.add(SequenceNumber)
  }
  assert.equal(all.size, 200)
})
