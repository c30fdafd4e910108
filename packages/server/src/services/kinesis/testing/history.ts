// Histories of puts, waits, reads and restarts for tests and fuzzing, and what a reader may rely on in any
// of them: every record once and in order, under the number that its producer was told; iterators that
// always move on, also over a restart.
import { strict as assert } from 'node:assert'
import fc from 'fast-check'
import type { TestKinesis } from '../testing.ts'
import { bytes, get, iterator, put, putMany, type ReadRecord, text } from './data.ts'

interface Known {
  readonly shard: string
  readonly number: string
  readonly timeMs: number
  readonly text: string
}

export type Step =
  | { readonly kind: 'put' }
  | { readonly kind: 'put-many'; readonly count: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'restart' }
  | { readonly kind: 'read'; readonly limit: number }
  | { readonly kind: 'begin'; readonly how: number; readonly at: number; readonly limit: number }

/** Iterators live for five minutes: no wait is longer. */
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('put' as const) }),
  fc.record({ kind: fc.constant('put-many' as const), count: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 3000 }) }),
  fc.record({ kind: fc.constant('restart' as const) }),
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

export const anyHistory: fc.Arbitrary<Step[]> = fc.array(anyStep, { minLength: 5, maxLength: 40 })

/** Plays a history on a fresh stream and throws when a promise is broken. */
export class DataPlane {
  #kinesis: TestKinesis
  readonly #restart: (kinesis: TestKinesis) => Promise<TestKinesis>
  readonly #shards: readonly string[]
  readonly #known: Known[] = []
  /** One reader per shard reads along; what it was given must be all there is, each time. */
  readonly #along = new Map<string, { next: string; seen: number }>()
  #made = 0

  /** The slice has the stream of data.ts already, with so many shards. */
  constructor(
    kinesis: TestKinesis,
    shardCount: number,
    restart: (kinesis: TestKinesis) => Promise<TestKinesis>,
  ) {
    this.#kinesis = kinesis
    this.#restart = restart
    this.#shards = Array.from({ length: shardCount }, (_, i) => `shardId-00000000000${i}`)
  }

  async play(steps: readonly Step[]): Promise<void> {
    for (const ShardId of this.#shards) {
      this.#along.set(ShardId, { next: await iterator(this.#kinesis, { ShardId }), seen: 0 })
    }
    for (const step of steps) await this.#take(step)
    await this.#readAlong(7)
    const seen = [...this.#along.values()].reduce((sum, reader) => sum + reader.seen, 0)
    assert.equal(seen, this.#made)
  }

  async #take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'put': {
        const data = this.#text()
        const { ShardId, SequenceNumber } = await put(this.#kinesis, data, { PartitionKey: data })
        return this.#learn(ShardId, SequenceNumber, data)
      }
      case 'put-many': {
        const texts = Array.from({ length: step.count }, () => this.#text())
        const records = texts.map((data) => ({ PartitionKey: data, Data: bytes(data) }))
        const { Records } = await putMany(this.#kinesis, records)
        return Records.forEach(({ ShardId, SequenceNumber }, i) => {
          this.#learn(ShardId, SequenceNumber, texts[i] ?? '')
        })
      }
      case 'wait':
        return this.#kinesis.advance(step.ms)
      case 'restart':
        this.#kinesis = await this.#restart(this.#kinesis)
        return
      case 'read':
        return this.#readAlong(step.limit)
      case 'begin': {
        const shard = this.#shards[step.at % this.#shards.length] ?? ''
        const { start, expected } = await begin(
          this.#kinesis,
          shard,
          this.#inShard(shard),
          step.how,
          step.at,
        )
        same((await readOn(this.#kinesis, start, step.limit)).records, expected)
      }
    }
  }

  async #readAlong(limit: number): Promise<void> {
    for (const shard of this.#shards) {
      const reader = this.#along.get(shard)
      assert.ok(reader)
      const { records, next } = await readOn(this.#kinesis, reader.next, limit)
      const all = this.#inShard(shard)
      same(records, all.slice(reader.seen))
      this.#along.set(shard, { next, seen: all.length })
    }
  }

  #text(): string {
    return `record ${this.#made++}`
  }

  #inShard(shard: string): readonly Known[] {
    return this.#known.filter((record) => record.shard === shard)
  }

  #learn(shard: string | undefined, number: string | undefined, data: string): void {
    assert.ok(shard !== undefined && number !== undefined)
    this.#known.push({ shard, number, timeMs: this.#kinesis.clock.now(), text: data })
  }
}
