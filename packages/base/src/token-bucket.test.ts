import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { TokenBucket } from './token-bucket.ts'

test('a bucket starts full with one second of tokens and closes when they are gone', () => {
  const bucket = new TokenBucket(10, 0)
  for (let i = 0; i < 10; i++) {
    assert.equal(bucket.isOpen(0), true)
    bucket.take(1)
  }
  assert.equal(bucket.isOpen(0), false)
  assert.equal(bucket.isOpen(100), true)
})

test('a burst is never more than the bucket holds, however its moments lie', () => {
  for (const stepMs of [0, 1, 3, 7]) {
    const bucket = new TokenBucket(5, 0)
    let admitted = 0
    for (let i = 0; i < 20; i++) {
      if (!bucket.isOpen(i * stepMs)) continue
      bucket.take(1)
      admitted += 1
    }
    assert.equal(admitted, 5, `${stepMs} ms apart`)
  }
})

test('whoever keeps exactly to the rate is never refused, also once the bucket is empty', () => {
  const bucket = new TokenBucket(5, 0)
  bucket.take(5)
  let nowMs = 0
  for (let call = 0; call < 1000; call++) {
    // Being asked in between must not cost a fraction of what is earned.
    for (const waitMs of [67, 66, 66]) {
      assert.equal(bucket.isOpen(nowMs), false)
      nowMs += waitMs
    }
    nowMs += 1
    assert.equal(bucket.isOpen(nowMs), true)
    bucket.take(1)
  }
})

test('a large item goes into debt and is paid for before anything else is admitted', () => {
  const bucket = new TokenBucket(1000, 0)
  bucket.take(3500)
  assert.equal(bucket.isOpen(2500), false)
  assert.equal(bucket.isOpen(2501), true)
  bucket.take(1_000_000)
  assert.equal(bucket.isOpen(1_002_500), false)
  assert.equal(bucket.isOpen(1_002_501), true)
})

test('giving back undoes a take and never fills above one second', () => {
  const bucket = new TokenBucket(10, 0)
  bucket.take(10)
  bucket.take(-10)
  bucket.take(-1000)
  bucket.take(10)
  assert.equal(bucket.isOpen(0), false)
})

test('over any time, no more than rate × time + one burst + one item is admitted', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 50 }))),
      (arrivals) => {
        const bucket = new TokenBucket(100, 0)
        let nowMs = 0
        let admitted = 0
        for (const [waitMs, amount] of arrivals) {
          nowMs += waitMs
          if (!bucket.isOpen(nowMs)) continue
          bucket.take(amount)
          admitted += amount
        }
        assert.ok(admitted <= 100 + (nowMs / 1000) * 100 + 50)
      },
    ),
  )
})
