import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@millrace/base/random'
import fc from 'fast-check'
import { openNextToken, sealNextToken } from './next-token.ts'
import type { KinesisSettings } from './settings.ts'
import { START_MS, wireError } from './testing.ts'

const random = seededRandom(1)
const settings: KinesisSettings = {
  limits: 'none',
  transitionMs: 0,
  account: '000000000000',
  region: 'us-east-1',
  iteratorKey: Buffer.alloc(32, 1),
}
const parts = { random, settings }
const invalid = wireError('InvalidArgumentException', 'Invalid NextToken.')

test('a token gives back what was sealed into it, and never looks the same twice', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (position) => {
      const token = sealNextToken('ListShards', position, START_MS, parts)
      assert.notEqual(sealNextToken('ListShards', position, START_MS, parts), token)
      const opened = openNextToken('ListShards', token, START_MS, settings)
      assert.deepEqual(opened, JSON.parse(JSON.stringify(position)))
    }),
  )
})

test('a token of another listing, another key, with any byte changed or cut is no token', () => {
  const token = sealNextToken('ListShards', { after: 5 }, START_MS, parts)
  const open = (text: string, operation = 'ListShards', key = settings): unknown =>
    openNextToken(operation, text, START_MS, key)
  assert.throws(() => open(token, 'ListStreams'), invalid)
  assert.throws(
    () => open(token, 'ListShards', { ...settings, iteratorKey: Buffer.alloc(32, 2) }),
    invalid,
  )
  const bytes = Buffer.from(token, 'base64')
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes)
    changed[i] = (changed[i] ?? 0) ^ 1
    assert.throws(() => open(changed.toString('base64')), invalid)
    assert.throws(() => open(bytes.subarray(0, i).toString('base64')), invalid)
  }
})

test('any text is either a token or refused as one', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      assert.throws(() => openNextToken('ListShards', text, START_MS, settings), invalid)
    }),
  )
})
