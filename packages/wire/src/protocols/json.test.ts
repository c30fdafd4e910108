import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseJson } from './json.ts'

const bodyWith = (bytes: number[]): Buffer =>
  Buffer.concat([Buffer.from('{"PartitionKey":"'), Buffer.from(bytes), Buffer.from('"}')])

test('a body that is not UTF-8 cannot be parsed', () => {
  const sequences = [
    [0xff, 0xfe],
    [0xc3],
    [0x80],
    [0xc0, 0xaf],
    [0xed, 0xa0, 0x80],
    [0xf5, 0x80, 0x80, 0x80],
  ]
  for (const bytes of sequences) assert.equal(parseJson(bodyWith(bytes)), undefined, String(bytes))
})

test('all of UTF-8 is read, the replacement character among it, and lone surrogates as escapes', () => {
  for (const text of ['', 'k', 'ü', '€', '𝄞', '\ufffd', 'a\ufffdü']) {
    const body = Buffer.from(JSON.stringify({ PartitionKey: text }))
    assert.deepEqual(parseJson(body), { PartitionKey: text })
  }
  assert.deepEqual(parseJson(Buffer.from('{"PartitionKey":"\\ud800"}')), { PartitionKey: '\ud800' })
})

test('only an object is a body', () => {
  for (const text of ['', '[]', '1', 'null', '"x"', '{', '\ufeff{}']) {
    assert.equal(parseJson(Buffer.from(text)), undefined, text)
  }
})
