import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  COUNTER_MAX,
  endingSequenceNumber,
  formatSequenceNumber,
  parseSequenceNumber,
  SEQUENCE_NUMBER_DIGITS,
  type SequenceNumberParts,
  sequenceNumberOf,
  startingSequenceNumber,
} from './sequence-number.ts'

const SECONDS_2026 = Date.parse('2026-04-27T19:47:17Z') / 1000

const anyParts: fc.Arbitrary<SequenceNumberParts> = fc.record({
  createdSeconds: fc.integer({ min: 0, max: 16_025_174_999 }),
  shardNumber: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  counter: fc.bigInt({ min: 0n, max: COUNTER_MAX }),
  timeSeconds: fc.integer({ min: 0, max: 2 ** 36 - 1 }),
})

test('a real number of 2026 decodes to its shard, times and counter, and back', () => {
  const text = '49674026002850188218576229259473476449429298564223254594'
  const parsed = parseSequenceNumber(text)
  assert.ok(parsed)
  assert.equal(parsed.version, 2)
  assert.equal(parsed.shardNumber, 3076)
  assert.equal(parsed.createdSeconds, SECONDS_2026)
  assert.equal(parsed.counter, 21_689_507_110n)
  assert.equal(parsed.timeSeconds, Date.parse('2026-04-27T20:00:18Z') / 1000)
  assert.equal(
    formatSequenceNumber({
      createdSeconds: SECONDS_2026,
      shardNumber: 3076,
      counter: 21_689_507_110,
      timeSeconds: Date.parse('2026-04-27T20:00:18Z') / 1000,
    }),
    text,
  )
})

test('a real starting number decodes to counter 0 and the time of creation', () => {
  const parsed = parseSequenceNumber('49585974035301860685514275932246417411094727421581066354')
  assert.ok(parsed)
  assert.equal(parsed.shardNumber, 7)
  assert.equal(parsed.counter, 0n)
  assert.equal(parsed.createdSeconds, Date.parse('2018-07-02T15:24:23Z') / 1000)
  assert.equal(parsed.timeSeconds, parsed.createdSeconds)
})

test('what was put together comes apart again', () => {
  fc.assert(
    fc.property(anyParts, (parts) => {
      const text = formatSequenceNumber(parts)
      assert.equal(text.length, SEQUENCE_NUMBER_DIGITS)
      assert.deepEqual(parseSequenceNumber(text), {
        ...parts,
        version: 2,
        value: sequenceNumberOf(parts),
      })
    }),
  )
})

test('every record of a shard lies between its starting and its ending number', () => {
  fc.assert(
    fc.property(anyParts, (parts) => {
      const { createdSeconds, shardNumber } = parts
      fc.pre(BigInt(parts.counter) > 0n && BigInt(parts.counter) < COUNTER_MAX)
      const number = sequenceNumberOf(parts)
      assert.ok(BigInt(startingSequenceNumber(createdSeconds, shardNumber)) < number)
      assert.ok(BigInt(endingSequenceNumber(createdSeconds, 0, shardNumber)) > number)
    }),
  )
})

test('the starting number of a real shard is printed as AWS printed it', () => {
  const createdSeconds = Date.parse('2018-07-02T15:24:23Z') / 1000
  assert.equal(
    startingSequenceNumber(createdSeconds, 7),
    '49585974035301860685514275932246417411094727421581066354',
  )
})

test('numbers of a shard rise with the counter, whatever the times', () => {
  fc.assert(
    fc.property(anyParts, anyParts, (a, b) => {
      fc.pre(BigInt(a.counter) < BigInt(b.counter))
      const one = sequenceNumberOf(a)
      const other = sequenceNumberOf({
        ...b,
        createdSeconds: a.createdSeconds,
        shardNumber: a.shardNumber,
      })
      assert.ok(one < other)
    }),
  )
})

test('numbers of an earlier created shard are smaller', () => {
  fc.assert(
    fc.property(anyParts, anyParts, (a, b) => {
      fc.pre(a.createdSeconds < b.createdSeconds)
      assert.ok(sequenceNumberOf(a) < sequenceNumberOf(b))
    }),
  )
})

function hexNumber(hex: string): string {
  return BigInt(`0x${hex}`).toString()
}

test('small numbers are of version 0, whose last digits name the shard', () => {
  assert.equal(parseSequenceNumber('0')?.version, 0)
  assert.equal(parseSequenceNumber('0')?.shardNumber, 0)
  assert.equal(parseSequenceNumber('5')?.shardNumber, 5)
})

test('a number of version 1 gives its shard and time', () => {
  const parsed = parseSequenceNumber(hexNumber('2000000001000000000700000000000000000000000031'))
  assert.equal(parsed, undefined, '46 digits are no number')
  const whole = parseSequenceNumber(hexNumber('20000000010000000000070000000000000000000000031'))
  assert.equal(whole?.version, 1)
  assert.equal(whole?.shardNumber, 3)
  assert.equal(whole?.timeSeconds, 7)
})

test('a shard number with its top bit set is negative', () => {
  const parsed = parseSequenceNumber(hexNumber('20000000000000000000000000000000000000800000002'))
  assert.equal(parsed?.shardNumber, -(2 ** 31))
})

test('numbers that AWS refuses to read are refused', () => {
  const cases: Record<string, string> = {
    'unknown version 0 in the last digit': '20000000000000000000000000000000000000000000000',
    'unknown version 3': '20000000000000000000000000000000000000000000003',
    'unknown version 4': '20000000000000000000000000000000000000000000004',
    'first digit 3': '30000000000000000000000000000000000000000000001',
    'first digit 1': '1ffffffffff7fffffffffffffff000000000007fffffff2',
    'top bit of the counter': '20000000000800000000000000000000000000000000002',
    'creation too late': '2ffffffffff7fffffffffffffff000000000007fffffff2',
    'creation too late in version 0': '13bb2cc3d80000000000000000000000',
    'more digits': '200000000000000000000000000000000000000000000002',
  }
  for (const [name, hex] of Object.entries(cases)) {
    assert.equal(parseSequenceNumber(hexNumber(hex)), undefined, name)
  }
  for (const text of ['', 'a', '-1', '1.0', '9'.repeat(130)]) {
    assert.equal(parseSequenceNumber(text), undefined, text)
  }
})

test('any decimal text is either taken apart or refused', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 129n - 1n }), (value) => {
      const parsed = parseSequenceNumber(value.toString())
      if (parsed !== undefined) assert.ok(parsed.value >= value)
    }),
  )
})
