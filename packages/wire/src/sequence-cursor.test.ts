import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SequenceCursor } from './sequence-cursor.ts'
import { formatSequenceNumber, SEQUENCE_NUMBER_DIGITS } from './sequence-number.ts'

const anyShard = fc.record({
  createdSeconds: fc.integer({ min: 0, max: 16_025_174_999 }),
  shardNumber: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
})

test('a run of consecutive numbers equals the BigInt formula digit by digit', () => {
  fc.assert(
    fc.property(
      anyShard,
      fc.nat({ max: 2 ** 50 }),
      fc.nat({ max: 2 ** 32 }),
      (shard, counter, timeSeconds) => {
        const cursor = new SequenceCursor(shard.createdSeconds, shard.shardNumber)
        cursor.moveTo(counter, timeSeconds)
        for (let i = 0; i < 50; i++) {
          const expected = formatSequenceNumber({ ...shard, counter: counter + i, timeSeconds })
          assert.equal(cursor.toString(), expected)
          cursor.advance()
        }
      },
    ),
    { numRuns: 50 },
  )
})

test('any walk through counters and times, near and far, ahead and back, prints the formula', () => {
  const step = fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 2 ** 29 }), fc.nat({ max: 2 ** 51 }))
  const move = fc.record({
    counter: step,
    timeSeconds: fc.oneof(fc.nat({ max: 2 }), fc.nat({ max: 2 ** 33 })),
    isBack: fc.boolean(),
  })
  fc.assert(
    fc.property(anyShard, fc.array(move, { maxLength: 20 }), (shard, moves) => {
      const cursor = new SequenceCursor(shard.createdSeconds, shard.shardNumber)
      let counter = 0
      let timeSeconds = 0
      for (const to of moves) {
        counter = Math.min(to.isBack ? to.counter : counter + to.counter, Number.MAX_SAFE_INTEGER)
        timeSeconds = to.isBack ? to.timeSeconds : timeSeconds + to.timeSeconds
        timeSeconds = Math.min(timeSeconds, 2 ** 36 - 1)
        cursor.moveTo(counter, timeSeconds)
        assert.equal(cursor.toString(), formatSequenceNumber({ ...shard, counter, timeSeconds }))
      }
    }),
  )
})

test('digits are written in place and nowhere else', () => {
  const cursor = new SequenceCursor(1_777_000_000, 5)
  cursor.moveTo(12, 1_777_000_001)
  const target = Buffer.alloc(SEQUENCE_NUMBER_DIGITS + 2, 'x')
  cursor.writeTo(target, 1)
  assert.equal(target.toString('latin1'), `x${cursor.toString()}x`)
})

test('a counter that is no safe integer is refused', () => {
  const cursor = new SequenceCursor(0, 0)
  assert.throws(() => cursor.moveTo(2 ** 53, 0), /safe integers/)
  assert.throws(() => cursor.moveTo(-1, 0), /safe integers/)
})
