import assert from 'node:assert/strict'
import test from 'node:test'
import { parseDuration } from './duration.ts'

test('durations of weeks, days, hours, minutes and seconds are milliseconds', () => {
  const table: Record<string, number> = {
    PT25H: 90_000_000,
    P1D: 86_400_000,
    P2W: 1_209_600_000,
    P1DT12H30M: 131_400_000,
    'PT0.5S': 500,
    'PT1.005S': 1005,
    PT5M: 300_000,
    PT0S: 0,
  }
  for (const [text, ms] of Object.entries(table)) assert.equal(parseDuration(text), ms, text)
})

test('anything else is no duration', () => {
  for (const text of [
    '',
    'P',
    'PT',
    'P1DT',
    'P1Y',
    'P1M',
    '25H',
    'PT-1H',
    'PT1.2345S',
    'pt1h',
    'PT1H ',
  ])
    assert.equal(parseDuration(text), undefined, text)
})
