import assert from 'node:assert/strict'
import { test } from 'node:test'
import { median, medianOf, medianRatio, type Rounds } from './statistics.ts'

const rounds = (...values: (number | null)[]): Rounds =>
  values.map((value) => (value === null ? null : { value }))

test('the median of an even count is the mean of the middle two', () => {
  assert.equal(median([4, 1, 3, 2]), 2.5)
  assert.equal(median([3, 1, 2]), 2)
  assert.ok(Number.isNaN(median([])))
})

test('ratios compare within a round, so a slow round does not count against either', () => {
  assert.equal(medianRatio(rounds(100, 10, 50), rounds(50, 5, 25)), 2)
})

test('rounds that failed on either side are left out', () => {
  assert.equal(medianRatio(rounds(null, 10, 8), rounds(1, null, 4)), 2)
  assert.equal(medianRatio(rounds(null), rounds(1)), undefined)
  assert.equal(
    medianOf(rounds(null, 7), (measurement) => measurement.value),
    7,
  )
})
