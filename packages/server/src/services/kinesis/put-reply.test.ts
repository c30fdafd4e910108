import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceClock } from '@millrace/base/clock'
import { MemoryEngine } from '@millrace/storage/memory-engine'
import { codecOf } from '@millrace/wire/codec'
import { formatSequenceNumber } from '@millrace/wire/sequence-number'
import { kinesis } from '@millrace/wire/services/kinesis'
import fc from 'fast-check'
import { PutRecordReply, PutRecordsReply, type StoredRun } from './put-reply.ts'
import { Shard } from './shard.ts'
import type { ShardFacts } from './stream-facts.ts'

const clock = new ServiceClock({ wall: () => 1_777_000_000_000 })
const engine = new MemoryEngine({ clock })
const group = await engine.createGroup(1, [0])

const anyFacts: fc.Arbitrary<ShardFacts> = fc.record({
  number: fc.nat(),
  startingHashKey: fc.constant('0'),
  endingHashKey: fc.constant('1'),
  createdSeconds: fc.integer({ min: 0, max: 2 ** 33 }),
  baseOffset: fc.nat({ max: 1000 }),
})

const anyRun: fc.Arbitrary<StoredRun> = fc
  .tuple(anyFacts, fc.nat({ max: 2 ** 50 }), fc.nat({ max: 2 ** 43 }))
  .map(([facts, offset, timeMs]) => ({
    shard: new Shard(
      { name: 's', account: '123456789012', horizonMs: () => 0 },
      facts,
      group.log(0),
      { limits: 'none' },
      clock,
    ),
    firstOffset: facts.baseOffset + offset,
    timeMs,
  }))

function numberAt({ shard, firstOffset, timeMs }: StoredRun, index: number): string {
  const { createdSeconds, number, baseOffset } = shard.facts
  return formatSequenceNumber({
    createdSeconds,
    shardNumber: number,
    counter: firstOffset + index - baseOffset + 1,
    timeSeconds: Math.floor(timeMs / 1000),
  })
}

function sameBytes(actual: string | Uint8Array, expected: string | Uint8Array): void {
  assert.equal(Buffer.from(actual).toString('latin1'), Buffer.from(expected).toString('latin1'))
}

for (const protocol of ['json', 'cbor'] as const) {
  test(`the answer of PutRecord is what the codec writes in ${protocol}`, () => {
    const codec = codecOf(kinesis.PutRecord)
    fc.assert(
      fc.property(anyRun, (run) => {
        const expected = { ShardId: run.shard.id, SequenceNumber: numberAt(run, 0) }
        sameBytes(new PutRecordReply(run).encode(protocol), codec.encode(expected, protocol))
      }),
    )
  })

  test(`the answer of PutRecords is what the codec writes in ${protocol}`, () => {
    const codec = codecOf(kinesis.PutRecords)
    const anyRuns = fc.array(anyRun, { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(
        anyRuns,
        fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 500, size: 'max' }),
        (runs, places) => {
          const runOf = Uint16Array.from(places, (place) => place % runs.length)
          const done = runs.map(() => 0)
          const records = Array.from(runOf, (index) => {
            const run = runs[index]
            assert.ok(run)
            const position = done[index] ?? 0
            done[index] = position + 1
            return { SequenceNumber: numberAt(run, position), ShardId: run.shard.id }
          })
          const reply = new PutRecordsReply(runs, runOf.length, runOf)
          const expected = codec.encode({ FailedRecordCount: 0, Records: records }, protocol)
          sameBytes(reply.encode(protocol), expected)
        },
      ),
      { numRuns: 40 },
    )
  })
}
