// What a reader may rely on, whatever is put and however it is read: every record once, in order, under
// the number that its producer was told, and iterators that always move on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  bytes,
  get,
  iterator,
  put,
  putMany,
  type ReadRecord,
  text,
  withStream,
} from './data-testing.ts'
import { type TestKinesis, testKinesis } from './testing.ts'

interface Known {
  readonly shard: string
  readonly number: string
  readonly timeMs: number
  readonly text: string
}

type Step =
  | { readonly kind: 'put' }
  | { readonly kind: 'put-many'; readonly count: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'read'; readonly limit: number }
  | { readonly kind: 'begin'; readonly how: number; readonly at: number; readonly limit: number }

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('put' as const) }),
  fc.record({ kind: fc.constant('put-many' as const), count: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 3000 }) }),
  fc.record({ kind: fc.constant('read' as const), limit: fc.integer({ min: 1, max: 12 }) }),
  fc.record({
    kind: fc.constant('begin' as const),
    how: fc.nat({ max: 4 }),
    at: fc.nat(),
    limit: fc.integer({ min: 1, max: 12 }),
  }),
)

/** Reads on from an iterator until a page is empty; each page must move. */
async function readOn(
  kinesis: TestKinesis,
  from: string,
  limit: number,
): Promise<{ records: ReadRecord[]; next: string }> {
  const records: ReadRecord[] = []
  let next = from
  for (;;) {
    const page = await get(kinesis, next, { Limit: limit })
    assert.ok(page.NextShardIterator, 'an open shard always has a next iterator')
    assert.notEqual(page.NextShardIterator, next)
    next = page.NextShardIterator
    if (page.Records.length === 0) {
      assert.equal(page.MillisBehindLatest, 0)
      return { records, next }
    }
    assert.ok(page.Records.length <= limit)
    records.push(...page.Records)
  }
}

function same(records: readonly ReadRecord[], known: readonly Known[]): void {
  assert.deepEqual(
    records.map((record) => ({ number: record.SequenceNumber, text: text(record) })),
    known.map(({ number, text }) => ({ number, text })),
  )
}

/** An iterator of one of the five types, and what it must give, from what is known of the shard. */
async function begin(
  kinesis: TestKinesis,
  ShardId: string,
  inShard: readonly Known[],
  how: number,
  at: number,
): Promise<{ start: string; expected: readonly Known[] }> {
  const chosen = inShard[at % Math.max(inShard.length, 1)]
  if (how === 0) return { start: await iterator(kinesis, { ShardId }), expected: inShard }
  if (how === 1 || chosen === undefined) {
    const start = await iterator(kinesis, { ShardId, ShardIteratorType: 'LATEST' })
    return { start, expected: [] }
  }
  if (how === 2) {
    const Timestamp = chosen.timeMs
    const start = await iterator(kinesis, { ShardId, ShardIteratorType: 'AT_TIMESTAMP', Timestamp })
    return { start, expected: inShard.filter((record) => record.timeMs >= Timestamp) }
  }
  const ShardIteratorType = how === 3 ? 'AT_SEQUENCE_NUMBER' : 'AFTER_SEQUENCE_NUMBER'
  const StartingSequenceNumber = chosen.number
  const start = await iterator(kinesis, { ShardId, ShardIteratorType, StartingSequenceNumber })
  return { start, expected: inShard.slice(inShard.indexOf(chosen) + (how === 3 ? 0 : 1)) }
}

test('every record is read once and in order, by any mix of puts, waits and iterators', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(anyStep, { minLength: 5, maxLength: 40 }),
      async (shardCount, steps) => {
        const kinesis = await withStream(await testKinesis(), shardCount)
        const shards = Array.from({ length: shardCount }, (_, i) => `shardId-00000000000${i}`)
        const known: Known[] = []
        const inShard = (shard: string) => known.filter((record) => record.shard === shard)
        let made = 0
        const learn = (shard: string | undefined, number: string | undefined, data: string) => {
          assert.ok(shard !== undefined && number !== undefined)
          known.push({ shard, number, timeMs: kinesis.clock.now(), text: data })
        }
        // One reader per shard reads along; what it was given must be all there is, each time.
        const along = new Map<string, { next: string; seen: number }>()
        for (const shard of shards) {
          along.set(shard, { next: await iterator(kinesis, { ShardId: shard }), seen: 0 })
        }
        const readAlong = async (limit: number): Promise<void> => {
          for (const shard of shards) {
            const reader = along.get(shard)
            assert.ok(reader)
            const { records, next } = await readOn(kinesis, reader.next, limit)
            const all = inShard(shard)
            same(records, all.slice(reader.seen))
            along.set(shard, { next, seen: all.length })
          }
        }
        for (const step of steps) {
          if (step.kind === 'put') {
            const data = `record ${made++}`
            const { ShardId, SequenceNumber } = await put(kinesis, data, { PartitionKey: data })
            learn(ShardId, SequenceNumber, data)
          } else if (step.kind === 'put-many') {
            const texts = Array.from({ length: step.count }, () => `record ${made++}`)
            const records = texts.map((data) => ({ PartitionKey: data, Data: bytes(data) }))
            const answer = await putMany(kinesis, records)
            answer.Records.forEach(({ ShardId, SequenceNumber }, i) => {
              learn(ShardId, SequenceNumber, texts[i] ?? '')
            })
          } else if (step.kind === 'wait') await kinesis.advance(step.ms)
          else if (step.kind === 'read') await readAlong(step.limit)
          else {
            const shard = shards[step.at % shardCount] ?? ''
            const { start, expected } = await begin(
              kinesis,
              shard,
              inShard(shard),
              step.how,
              step.at,
            )
            same((await readOn(kinesis, start, step.limit)).records, expected)
          }
        }
        await readAlong(7)
        const read = [...along.values()].reduce((sum, reader) => sum + reader.seen, 0)
        assert.equal(read, made)
      },
    ),
    { numRuns: 40 },
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
