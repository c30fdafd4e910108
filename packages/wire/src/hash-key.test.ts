import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  HASH_KEY_MAX,
  hashKeyOf,
  hashKeyOfPartitionKey,
  hashPartitionKey,
  readHashKey,
} from './hash-key.ts'

const words = new Uint32Array(4)

function md5(text: string): bigint {
  return BigInt(`0x${createHash('md5').update(text, 'utf8').digest('hex')}`)
}

test('a hash key is the MD5 of the UTF-8 partition key, read big endian', () => {
  assert.equal(hashKeyOfPartitionKey(''), 0xd41d8cd98f00b204e9800998ecf8427en)
  assert.equal(hashKeyOfPartitionKey('a'), 0x0cc175b9c0f1b6a831c399e269772661n)
  assert.equal(hashKeyOfPartitionKey('message digest'), 0xf96b697d7cb7938d525a2f31aaf161d0n)
})

test('keys of every length around the block boundaries hash as node:crypto does', () => {
  for (let length = 0; length <= 260; length++) {
    const ascii = 'k'.repeat(length)
    const wide = 'é'.repeat(length)
    assert.equal(hashPartitionKey(ascii, words), length)
    assert.equal(hashKeyOf(words), md5(ascii), `${length} ASCII characters`)
    assert.equal(hashPartitionKey(wide, words), length * 2)
    assert.equal(hashKeyOf(words), md5(wide), `${length} two-byte characters`)
  }
})

test('any text hashes as node:crypto does, and its UTF-8 length is given', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (key) => {
      assert.equal(hashPartitionKey(key, words), Buffer.byteLength(key))
      assert.equal(hashKeyOf(words), md5(key))
    }),
  )
})

test('a key far longer than any valid one still hashes right', () => {
  const key = '語'.repeat(5000)
  assert.equal(hashPartitionKey(key, words), 15_000)
  assert.equal(hashKeyOf(words), md5(key))
})

test('a lone surrogate hashes as the replacement character it is written as', () => {
  hashPartitionKey('\ud800', words)
  assert.equal(hashKeyOf(words), md5('\ufffd'))
})

test('an explicit hash key reads as its decimal value', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: HASH_KEY_MAX }), (key) => {
      assert.equal(readHashKey(key.toString(), words), true)
      assert.equal(hashKeyOf(words), key)
    }),
  )
})

test('explicit hash keys end at 2^128 − 1', () => {
  assert.equal(readHashKey(HASH_KEY_MAX.toString(), words), true)
  assert.equal(hashKeyOf(words), HASH_KEY_MAX)
  assert.equal(readHashKey((HASH_KEY_MAX + 1n).toString(), words), false)
  assert.equal(readHashKey('9'.repeat(39), words), false)
  assert.equal(readHashKey('9'.repeat(40), words), false)
})

test('what is no decimal number is no hash key', () => {
  for (const text of ['', '-1', '1.5', '0x10', ' 1', '1e3']) {
    assert.equal(readHashKey(text, words), false, text)
  }
})
