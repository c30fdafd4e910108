import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { Placement } from './placement.ts'
import type { Stream } from './stream.ts'
import { STREAM, withStream } from './testing/data.ts'
import { testKinesis } from './testing.ts'

const RING = 1n << 128n
const placement = new Placement()

async function streamOf(shardCount: number): Promise<Stream> {
  const kinesis = await withStream(await testKinesis(), shardCount)
  return kinesis.streams.forData({ StreamName: STREAM }, kinesis.context())
}

/** By the definition: the shard whose inclusive range holds the key. */
function holder(stream: Stream, key: bigint): number {
  const found = stream.facts.shards.filter(
    (shard) => BigInt(shard.startingHashKey) <= key && key <= BigInt(shard.endingHashKey),
  )
  assert.equal(found.length, 1)
  return found[0]?.number ?? -1
}

test('partition keys go where the MD5 of their UTF-8 bytes lies, on any number of shards', async () => {
  for (const shardCount of [1, 2, 3, 7, 100]) {
    const stream = await streamOf(shardCount)
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 256 }), (key) => {
        const hash = BigInt(`0x${createHash('md5').update(key, 'utf8').digest('hex')}`)
        const shard = placement.place(stream, stream.onlyShard, key, undefined)
        assert.equal(shard.facts.number, holder(stream, hash))
        assert.equal(placement.keyBytes, Buffer.byteLength(key))
      }),
      { numRuns: 30 },
    )
  }
})

test('explicit hash keys go where they lie, whatever the partition key', async () => {
  for (const shardCount of [1, 2, 3, 7, 100]) {
    const stream = await streamOf(shardCount)
    const edges = stream.facts.shards.flatMap((shard) => [
      BigInt(shard.startingHashKey),
      BigInt(shard.endingHashKey),
    ])
    const anyHashKey = fc.oneof(fc.bigInt({ min: 0n, max: RING - 1n }), fc.constantFrom(...edges))
    fc.assert(
      fc.property(anyHashKey, (key) => {
        const shard = placement.place(stream, stream.onlyShard, 'k', key.toString())
        assert.equal(shard.facts.number, holder(stream, key))
      }),
    )
  }
})

test('records that the stream spreads itself come to all shards alike', async () => {
  const stream = await streamOf(7)
  const counts = new Map<number, number>()
  for (let i = 0; i < 7000; i++) {
    const { number } = placement.spread(stream, undefined).facts
    counts.set(number, (counts.get(number) ?? 0) + 1)
  }
  assert.equal(counts.size, 7)
  for (const count of counts.values()) assert.ok(Math.abs(count - 1000) < 20, String(count))
})
