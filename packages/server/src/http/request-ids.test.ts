import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@millrace/base/random'
import { RequestIds } from './request-ids.ts'

test('request ids are version 4 UUIDs and x-amz-id-2 is 72 bytes in base64', () => {
  const ids = new RequestIds(seededRandom(1))
  for (let i = 0; i < 100; i++) {
    const { uuid, id2 } = ids.next()
    assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.equal(id2.length, 96)
    assert.equal(Buffer.from(id2, 'base64').toString('base64'), id2)
    assert.equal(Buffer.from(id2, 'base64').byteLength, 72)
  }
})

test('ids stay distinct across many requests and a change of heads', () => {
  const ids = new RequestIds(seededRandom(2))
  const seen = new Set<string>()
  const count = (1 << 20) + 1000
  for (let i = 0; i < count; i++) seen.add(ids.next().uuid)
  assert.equal(seen.size, count)
})

test('two processes do not share ids', () => {
  const one = new RequestIds(seededRandom(3)).next()
  const other = new RequestIds(seededRandom(4)).next()
  assert.notEqual(one.uuid, other.uuid)
  assert.notEqual(one.id2, other.id2)
})
