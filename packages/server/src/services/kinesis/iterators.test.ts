import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@millrace/base/random'
import { WireError } from '@millrace/wire/errors'
import fc from 'fast-check'
import { type IteratorPosition, Iterators } from './iterators.ts'

const ISSUED_MS = Date.parse('2015-01-22T01:22:02.345Z')
const iterators = new Iterators(Buffer.alloc(32, 7), seededRandom(1))

const anyPosition: fc.Arbitrary<IteratorPosition> = fc.record(
  {
    issuedMs: fc.constant(ISSUED_MS),
    groupId: fc.nat({ max: 2 ** 32 - 1 }),
    shardNumber: fc.nat({ max: 2 ** 31 - 1 }),
    offset: fc.maxSafeNat(),
    account: fc.stringMatching(/^\d{12}$/),
    streamName: fc.stringMatching(/^[a-zA-Z0-9_.-]{1,128}$/),
  },
  { noNullPrototype: true },
)

const position: IteratorPosition = {
  issuedMs: ISSUED_MS,
  groupId: 9,
  shardNumber: 2,
  offset: 77,
  account: '123456789012',
  streamName: 'orders',
}

function refusal(type: string, message: string): (error: unknown) => boolean {
  return (error) => error instanceof WireError && error.type === type && error.message === message
}

const isInvalid = refusal('InvalidArgumentException', 'Invalid ShardIterator.')

test('a position comes back out of its token', () => {
  fc.assert(
    fc.property(anyPosition, (any) => {
      assert.deepEqual(iterators.open(iterators.seal(any), ISSUED_MS), any)
    }),
  )
})

test('a token has the length and the first bytes of one from AWS', () => {
  fc.assert(
    fc.property(anyPosition, (any) => {
      const text = iterators.seal(any)
      const token = Buffer.from(text, 'base64')
      assert.equal(token.toString('base64'), text)
      assert.equal(token.subarray(0, 8).toString('hex'), '0000000000000001')
      assert.equal(token.length, 152 + Math.floor((any.streamName.length + 2) / 16) * 16)
      assert.ok(text.length <= 512)
    }),
  )
})

test('two tokens for one position differ, however many are made', () => {
  const tokens = new Set(Array.from({ length: 1000 }, () => iterators.seal(position)))
  assert.equal(tokens.size, 1000)
})

test('a token in double quotes is read', () => {
  assert.deepEqual(iterators.open(`"${iterators.seal(position)}"`, ISSUED_MS), position)
})

test('a token with any bit flipped is invalid', () => {
  const token = Buffer.from(iterators.seal(position), 'base64')
  for (let bit = 0; bit < token.length * 8; bit++) {
    const flipped = Buffer.from(token)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    assert.throws(() => iterators.open(flipped.toString('base64'), ISSUED_MS), isInvalid)
  }
})

test('a token cut short, lengthened or sealed with another key is invalid', () => {
  const text = iterators.seal(position)
  const other = new Iterators(Buffer.alloc(32, 8), seededRandom(1))
  const token = Buffer.from(text, 'base64')
  for (const bytes of [
    token.subarray(0, -16),
    token.subarray(0, 20),
    Buffer.concat([token, token]),
  ]) {
    assert.throws(() => iterators.open(bytes.toString('base64'), ISSUED_MS), isInvalid)
  }
  assert.throws(() => other.open(text, ISSUED_MS), isInvalid)
})

test('any other text is an invalid iterator', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 512 }), (text) => {
      assert.throws(() => iterators.open(text, ISSUED_MS), isInvalid)
    }),
  )
  const text = iterators.seal(position)
  for (const spoilt of [`${text}=`, ` ${text}`, `"${text}`, '"', '""']) {
    assert.throws(() => iterators.open(spoilt, ISSUED_MS), isInvalid, spoilt)
  }
})

test('a token is good for five minutes and then says when it was made', () => {
  const text = iterators.seal(position)
  assert.deepEqual(iterators.open(text, ISSUED_MS + 300_000), position)
  assert.throws(
    () => iterators.open(text, ISSUED_MS + 300_001),
    refusal(
      'ExpiredIteratorException',
      'Iterator expired. The iterator was created at time Thu Jan 22 01:22:02 UTC 2015 while right now it is Thu Jan 22 01:27:02 UTC 2015 which is further in the future than the tolerated delay of 300000 milliseconds.',
    ),
  )
})

test('a token from the future is invalid', () => {
  const text = iterators.seal(position)
  assert.throws(() => iterators.open(text, ISSUED_MS - 1), isInvalid)
})
