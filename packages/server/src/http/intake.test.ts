import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Intake } from './intake.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('who fits is let in at once, who does not waits its turn', async () => {
  const intake = new Intake(100, 10, () => false)
  const seen: string[] = []
  intake.admit(60, () => seen.push('a'))
  intake.admit(60, () => seen.push('b'))
  // Smaller, and it would fit, but it came later.
  intake.admit(10, () => seen.push('c'))
  assert.deepEqual([seen, intake.bytes, intake.waitingCount], [['a'], 60, 2])
  intake.release(60)
  await turn()
  assert.deepEqual([seen, intake.bytes, intake.waitingCount], [['a', 'b', 'c'], 70, 0])
})

test('one that is larger than the bound is let in alone', async () => {
  const intake = new Intake(100, 10, () => false)
  const seen: string[] = []
  intake.admit(1, () => seen.push('a'))
  intake.admit(500, () => seen.push('b'))
  assert.deepEqual(seen, ['a'])
  intake.release(1)
  await turn()
  assert.deepEqual(seen, ['a', 'b'])
})

test('under pressure all wait, and go on when it ends', async () => {
  let isPressed = true
  const intake = new Intake(100, 10, () => isPressed)
  const let_in = new Promise<void>((resolve) => intake.admit(1, resolve))
  assert.equal(intake.waitingCount, 1)
  isPressed = false
  // Its timer keeps no process alive, so something else has to.
  const alive = setInterval(() => {}, 1)
  await let_in
  clearInterval(alive)
  assert.deepEqual([intake.bytes, intake.waitingCount], [1, 0])
})

test('only so many may wait', () => {
  const intake = new Intake(10, 2, () => false)
  const ignore = () => {}
  assert.deepEqual(
    [10, 1, 1, 1].map((bytes) => intake.admit(bytes, ignore)),
    [true, true, true, false],
  )
  assert.deepEqual([intake.bytes, intake.waitingCount], [10, 2])
})

test('whatever comes and goes, the bound holds, order is kept and nobody is forgotten', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 120 }), { maxLength: 40 }),
      async (sizes) => {
        const intake = new Intake(100, 1000, () => false)
        const admitted: number[] = []
        const held: number[] = []
        for (const [index, size] of sizes.entries()) {
          intake.admit(size, () => {
            admitted.push(index)
            held.push(size)
          })
          assert.ok(intake.bytes <= 100 || held.length === 1)
          if (index % 3 === 0) intake.release(held.shift() ?? 0)
          await Promise.resolve()
        }
        while (held.length > 0) {
          intake.release(held.shift() ?? 0)
          await Promise.resolve()
          await Promise.resolve()
        }
        assert.deepEqual(admitted, [...sizes.keys()])
        assert.deepEqual([intake.bytes, intake.waitingCount], [0, 0])
      },
    ),
    { numRuns: 50 },
  )
})
