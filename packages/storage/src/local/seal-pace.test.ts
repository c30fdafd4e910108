import assert from 'node:assert/strict'
import { test } from 'node:test'
import { restBetweenPieces, restFor, SealPace } from './seal-pace.ts'

test('a sealer rests while commits go on, less the more files wait', () => {
  assert.equal(restFor(10, true, 1), 30)
  assert.equal(restFor(10, true, 8), 30)
  assert.equal(restFor(10, true, 9), 10)
  assert.equal(restFor(10, true, 17), 0)
  assert.equal(restFor(10_000, true, 1), 200)
})

test('a sealer does not rest on a quiet engine', () => {
  assert.equal(restFor(10, false, 1), 0)
  const pace = new SealPace()
  const rest = restBetweenPieces(pace.shared)
  rest()
  pace.filesWaiting(20)
  pace.committed()
  rest()
})
