import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ServiceClock } from './clock.ts'

function clockAt(startMs: number) {
  const wall = { ms: startMs }
  return { wall, clock: new ServiceClock({ wall: () => wall.ms, monotonic: () => wall.ms }) }
}

test('service time follows wall time and stands still when the wall jumps back', () => {
  const { wall, clock } = clockAt(1000)
  assert.equal(clock.now(), 1000)
  wall.ms = 2000.9
  assert.equal(clock.now(), 2000)
  wall.ms = 500
  assert.equal(clock.now(), 2000)
  assert.equal(clock.wallMs(), 500)
  wall.ms = 2001
  assert.equal(clock.now(), 2001)
})

test('an advance moves service time for good, on top of the wall', async () => {
  const { wall, clock } = clockAt(1000)
  await clock.advance(5000)
  assert.equal(clock.now(), 6000)
  wall.ms = 1010
  assert.equal(clock.now(), 6010)
  assert.equal(clock.offsetMs, 5000)
})

test('restore takes up offset and time of an earlier run, and never goes back', () => {
  const { clock } = clockAt(1000)
  clock.restore(100, 9000)
  assert.equal(clock.now(), 9000)
  clock.restore(50, 10)
  assert.equal(clock.now(), 9000)
  assert.equal(clock.offsetMs, 100)
})

test('an advance runs what falls due in order, each at its own time, before it resolves', async () => {
  const { clock } = clockAt(1000)
  const seen: [string, number][] = []
  const note = (name: string) => () => void seen.push([name, clock.now()])
  clock.at(4000, note('c'))
  clock.at(2000, async () => {
    await sleep(1)
    note('a')()
    clock.at(3000, note('b, set by a'))
  })
  clock.at(2000, note('a2'))
  const cancel = clock.at(2500, note('cancelled'))
  cancel()
  clock.at(100_000, note('later'))
  await clock.advance(5000)
  assert.deepEqual(seen, [
    ['a', 2000],
    ['a2', 2000],
    ['b, set by a', 3000],
    ['c', 4000],
  ])
  clock.close()
})

test('advances that overlap add up and run one after the other', async () => {
  const { clock } = clockAt(0)
  const seen: number[] = []
  for (const ms of [10, 20, 30]) clock.at(ms, () => void seen.push(clock.now()))
  await Promise.all([clock.advance(15), clock.advance(20)])
  assert.deepEqual(seen, [10, 20, 30])
  assert.equal(clock.now(), 35)
})

test('a deadline that throws is reported and stops no other', async () => {
  const errors: unknown[] = []
  const clock = new ServiceClock({ wall: () => 0, onError: (error) => errors.push(error) })
  let ran = false
  clock.at(1, () => {
    throw new Error('broken')
  })
  clock.at(2, () => {
    ran = true
  })
  await clock.advance(5)
  assert.match(String(errors), /broken/)
  assert.equal(ran, true)
})

test('without an advance, deadlines fire by themselves', async () => {
  const clock = new ServiceClock()
  const alive = setInterval(() => {}, 10)
  await new Promise<void>((resolve) => {
    clock.at(clock.now() + 5, resolve)
  })
  clearInterval(alive)
  clock.close()
})
