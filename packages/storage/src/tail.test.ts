import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Tail } from './tail.ts'

const KIB = 1024

test('the oldest chunks go first when the bound is passed', () => {
  const tail = new Tail({ bytesMax: 4 * KIB, chunkBytes: KIB })
  const chunks = Array.from({ length: 6 }, () => {
    const chunk = tail.take(1)
    tail.letGo(chunk)
    return chunk
  })
  assert.deepEqual(
    chunks.map(({ id }) => tail.chunk(id) !== undefined),
    [false, false, true, true, true, true],
  )
  assert.equal(tail.bytesCached, 4 * KIB)
})

test('a chunk that is not written yet stays beyond the bound, and all behind it', () => {
  const tail = new Tail({ bytesMax: 2 * KIB, chunkBytes: KIB })
  const held = tail.take(1)
  const others = Array.from({ length: 4 }, () => tail.take(1))
  for (const chunk of others) tail.letGo(chunk)
  assert.ok(tail.chunk(held.id))
  assert.equal(tail.bytesCached, 5 * KIB)
  tail.letGo(held)
  assert.equal(tail.chunk(held.id), undefined)
  assert.equal(tail.bytesCached, 2 * KIB)
})

test('an evicted chunk is used again only when nobody reads it', () => {
  const tail = new Tail({ bytesMax: KIB, chunkBytes: KIB })
  const first = tail.take(1)
  tail.pin(first)
  tail.letGo(first)
  const second = tail.take(1)
  tail.letGo(second)
  const third = tail.take(1)
  assert.ok(first.isEvicted && second.isEvicted)
  assert.notEqual(second.buffer, first.buffer)
  assert.equal(third.buffer, second.buffer)
  tail.unpin(first)
  tail.letGo(third)
  const fourth = tail.take(1)
  assert.ok(fourth.buffer === first.buffer || fourth.buffer === third.buffer)
})

test('a chunk for a large frame is as large as that and not kept for others', () => {
  const tail = new Tail({ bytesMax: KIB, chunkBytes: KIB })
  const large = tail.take(10 * KIB)
  assert.equal(large.buffer.length, 10 * KIB)
  tail.letGo(large)
  assert.equal(tail.bytesCached, 0)
  assert.equal(tail.take(1).buffer.length, KIB)
})
