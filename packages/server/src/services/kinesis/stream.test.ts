import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashKeyOf, readHashKey } from '@millrace/wire/hash-key'
import fc from 'fast-check'
import { evenShards } from './new-stream.ts'
import type { Stream } from './stream.ts'
import { START_MS, testKinesis } from './testing.ts'

const RING = 1n << 128n
const HOUR_MS = 3_600_000

async function streamOf(...args: Parameters<typeof evenShards>): Promise<Stream> {
  const kit = await testKinesis()
  const { groupId } = await kit.addStream({ shards: evenShards(...args) })
  const stream = kit.streams.byGroup(groupId)
  assert.ok(stream)
  return stream
}

test('an even split covers every hash key once, with equal parts but the last', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), (count) => {
      const shards = evenShards(count, 7)
      let next = 0n
      for (const shard of shards) {
        assert.equal(BigInt(shard.startingHashKey), next)
        next = BigInt(shard.endingHashKey) + 1n
        if (shard.number < count - 1) {
          assert.equal(next - BigInt(shard.startingHashKey), RING / BigInt(count))
        }
      }
      assert.equal(next, RING)
    }),
  )
})

test('a hash key is routed to the open shard whose range holds it', async () => {
  const words = new Uint32Array(4)
  const hashKey = fc.oneof(
    fc.bigInt({ min: 0n, max: RING - 1n }),
    fc.constantFrom(0n, RING - 1n),
    // At and beside the bounds of shards.
    fc.tuple(fc.nat(13), fc.constantFrom(-1n, 0n, 1n)).map(([i, by]) => {
      const key = BigInt(i) * (RING / 13n) + by
      return key < 0n ? 0n : key
    }),
  )
  for (const count of [1, 2, 3, 13]) {
    const stream = await streamOf(count, 1)
    fc.assert(
      fc.property(hashKey, (key) => {
        assert.ok(readHashKey(String(key), words))
        assert.equal(hashKeyOf(words), key)
        const { facts } = stream.route(words)
        assert.ok(BigInt(facts.startingHashKey) <= key && key <= BigInt(facts.endingHashKey))
      }),
    )
  }
})

test('closed shards take no keys, and the table follows the facts', async () => {
  const stream = await streamOf(1, 1)
  const parent = stream.onlyShard
  assert.equal(parent?.facts.number, 0)
  assert.equal(stream.openShardCount, 1)
  const [facts] = stream.facts.shards
  assert.ok(facts)
  const children = evenShards(2, 2).map((shard) => ({ ...shard, number: shard.number + 1 }))
  facts.closed = { atMs: START_MS, endOffset: 0 }
  await stream.group.addLogs(children.map((shard) => shard.number))
  stream.facts.shards = [facts, ...children]
  stream.facts.version++
  assert.equal(stream.onlyShard, undefined)
  assert.equal(stream.openShardCount, 2)
  assert.equal(stream.route(new Uint32Array(4)).facts.number, 1)
  assert.equal(stream.route(new Uint32Array(4).fill(0xffffffff)).facts.number, 2)
  assert.equal(stream.shard(0), parent)
  assert.equal(stream.shard(2), stream.route(new Uint32Array(4).fill(0xffffffff)))
  assert.equal(stream.shard(3), undefined)
})

test('the horizon follows the retention and never comes back', async () => {
  const kit = await testKinesis()
  const { groupId } = await kit.addStream({ retentionHours: 48, expiredBeforeMs: START_MS })
  const stream = kit.streams.byGroup(groupId)
  assert.equal(stream?.horizonMs(START_MS + HOUR_MS), START_MS)
  assert.equal(stream?.horizonMs(START_MS + 50 * HOUR_MS), START_MS + 2 * HOUR_MS)
})
