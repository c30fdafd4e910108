import assert from 'node:assert/strict'
import { test } from 'node:test'
import { figure, percent, ratio } from './figures.ts'

test('figures keep about three digits and set thousands apart', () => {
  const written: [number | undefined, string][] = [
    [undefined, '–'],
    [Number.NaN, '–'],
    [0, '0.00'],
    [0.0123, '0.012'],
    [0.34, '0.34'],
    [12.34, '12.3'],
    [206.4, '206'],
    [2345.6, '2 346'],
    [394_321, '394 000'],
    [7_512_345, '7 510 000'],
  ]
  for (const [value, text] of written) assert.equal(figure(value), text)
})

test('ratios and shares say what they are', () => {
  assert.equal(ratio(1.5), '1.50 ×')
  assert.equal(ratio(undefined), '–')
  assert.equal(percent(0.987), '99 %')
})
