import assert from 'node:assert/strict'
import test from 'node:test'
import { SettingsError } from './config.ts'
import { readAccessKeys } from './credentials.ts'

const key = { id: 'AKIAEXAMPLE', secret: 'hidden', account: '123456789012' }

test('access keys are read with their account', () => {
  assert.deepEqual(readAccessKeys(JSON.stringify({ accessKeys: [key] }), 'keys.json'), [key])
})

test('what is wrong is said with its place, and never with a secret', () => {
  const bad: [unknown, RegExp][] = [
    ['{"accessKeys":[{"secret":"hidden', /isn't JSON/],
    [[], /has no list "accessKeys"/],
    [{ accessKeys: {} }, /has no list "accessKeys"/],
    [{ accessKeys: [] }, /names no access key/],
    [{ accessKeys: ['hidden'] }, /at place 1 of "accessKeys" something else than a key/],
    [{ accessKeys: [{ ...key, id: '' }] }, /a key whose "id"/],
    [{ accessKeys: [key, { ...key, id: 'B', secret: '' }] }, /at place 2 .* without "secret"/],
    [{ accessKeys: [{ ...key, account: '1' }] }, /"account" isn't 12 digits/],
    [{ accessKeys: [{ ...key, token: 'x' }] }, /an unknown member "token"/],
    [{ accessKeys: [key, key] }, /the id AKIAEXAMPLE for the second time/],
  ]
  for (const [content, words] of bad) {
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    assert.throws(
      () => readAccessKeys(text, 'keys.json'),
      (error) =>
        error instanceof SettingsError &&
        error.message.startsWith('The credentials file keys.json ') &&
        words.test(error.message) &&
        !error.message.includes('hidden'),
    )
  }
})
