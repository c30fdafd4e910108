import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Latencies } from './latencies.ts'

test('percentiles are values that were measured, by nearest rank', () => {
  const latencies = new Latencies()
  for (let value = 100; value >= 1; value--) latencies.add(value)
  assert.equal(latencies.percentile(0.5), 50)
  assert.equal(latencies.percentile(0.99), 99)
  assert.equal(latencies.percentile(1), 100)
  assert.equal(latencies.percentile(0), 1)
})

test('more values than the first array holds are all kept', () => {
  const latencies = new Latencies()
  for (let value = 0; value < 40_000; value++) latencies.add(value)
  assert.equal(latencies.count, 40_000)
  assert.equal(latencies.percentile(1), 39_999)
})

test('cleared latencies have no percentile', () => {
  const latencies = new Latencies()
  latencies.add(1)
  latencies.clear()
  assert.ok(Number.isNaN(latencies.percentile(0.5)))
})
