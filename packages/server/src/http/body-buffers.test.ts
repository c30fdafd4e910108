import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BodyBuffers } from './body-buffers.ts'

const MIB = 1024 * 1024

test('a buffer that was given back is used again for the same size', () => {
  const buffers = new BodyBuffers()
  const first = buffers.take(700_000)
  assert.equal(first.byteLength, MIB)
  assert.notEqual(buffers.take(700_000).buffer, first.buffer)
  buffers.give(first.subarray(0, 700_000))
  assert.equal(buffers.take(1_000_000).buffer, first.buffer)
  assert.equal(buffers.lentCount, 2)
})

test('what is in use is never lent twice, and what is given twice is taken once', () => {
  const buffers = new BodyBuffers()
  const first = buffers.take(1)
  buffers.give(first)
  buffers.give(first)
  assert.notEqual(buffers.take(1).buffer, buffers.take(1).buffer)
})

test('bytes that were not lent are left alone', () => {
  const buffers = new BodyBuffers()
  buffers.take(1)
  buffers.give(Buffer.alloc(64 * 1024))
  assert.equal(buffers.freeBytes, 0)
})

test('only so much lies around unused', () => {
  const buffers = new BodyBuffers()
  const lent = Array.from({ length: 50 }, () => buffers.take(MIB))
  for (const buffer of lent) buffers.give(buffer)
  assert.equal(buffers.freeBytes, 32 * MIB)
  assert.equal(buffers.lentCount, 0)
})
