import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom, systemRandom } from './random.ts'

const take = (seed: number) => Array.from({ length: 50 }, seededRandom(seed).float)

test('one seed gives one sequence, another seed another', () => {
  assert.deepEqual(take(7), take(7))
  assert.notDeepEqual(take(7), take(8))
  assert.deepEqual(seededRandom(3).fill(new Uint8Array(9)), seededRandom(3).fill(new Uint8Array(9)))
})

for (const [name, random] of [
  ['seeded', seededRandom(42)],
  ['system', systemRandom],
] as const) {
  test(`${name}: integers stay below the bound and reach all of it`, () => {
    const seen = new Set<number>()
    for (let i = 0; i < 2000; i++) seen.add(random.integer(10))
    assert.deepEqual(
      [...seen].sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    )
  })
  test(`${name}: floats are in [0, 1) and spread`, () => {
    let sum = 0
    for (let i = 0; i < 5000; i++) {
      const float = random.float()
      assert.ok(float >= 0 && float < 1)
      sum += float
    }
    assert.ok(Math.abs(sum / 5000 - 0.5) < 0.05)
  })
}
