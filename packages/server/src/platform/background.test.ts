import assert from 'node:assert/strict'
import test from 'node:test'
import { ServiceClock } from '@millrace/base/clock'
import { createLogger, silentLogger } from '@millrace/base/logger'
import { Background } from './background.ts'

const MINUTE_MS = 60_000

function make(logger = silentLogger) {
  const clock = new ServiceClock({ wall: () => 0 })
  return { clock, background: new Background({ clock, logger }) }
}

test('a work runs after each period of service time', async () => {
  const { clock, background } = make()
  const ranAt: number[] = []
  background.add({ name: 'w', everyMs: MINUTE_MS, run: () => void ranAt.push(clock.now()) })
  background.start()
  await clock.advance(3 * MINUTE_MS)
  assert.deepEqual(ranAt, [MINUTE_MS, 2 * MINUTE_MS, 3 * MINUTE_MS])
  await background.stop()
  await clock.advance(MINUTE_MS)
  assert.equal(ranAt.length, 3)
})

test('a work that takes long is late, not doubled', async () => {
  const { clock, background } = make()
  let running = 0
  let most = 0
  let finish = () => {}
  background.add({
    name: 'slow',
    everyMs: MINUTE_MS,
    async run() {
      most = Math.max(most, ++running)
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      running--
    },
  })
  background.start()
  const first = clock.advance(MINUTE_MS)
  const second = clock.advance(5 * MINUTE_MS)
  for (let i = 0; i < 10; i++) {
    await new Promise(setImmediate)
    finish()
  }
  await Promise.all([first, second])
  assert.equal(most, 1)
  await background.stop()
})

test('a work that throws is logged, counted and run again', async () => {
  const logged: string[] = []
  const { clock, background } = make(
    createLogger({ write: (line) => logged.push(line), now: () => 0, format: 'json' }),
  )
  background.add({
    name: 'breaks',
    everyMs: MINUTE_MS,
    run() {
      throw new Error('no luck')
    },
  })
  background.start()
  await clock.advance(2 * MINUTE_MS)
  assert.deepEqual(background.metrics(), [
    { name: 'breaks', runs: 2, failures: 2, lastEndedMs: 2 * MINUTE_MS },
  ])
  assert.equal(logged.length, 2)
  assert.match(logged[0]!, /"work":"breaks".*no luck/)
  await background.stop()
})

test('when the clock is moved far, each work that fell due runs once before the move is over', async () => {
  const { clock, background } = make()
  const ran: string[] = []
  background.add({ name: 'hourly', everyMs: 60 * MINUTE_MS, run: () => void ran.push('hourly') })
  background.add({ name: 'minutely', everyMs: MINUTE_MS, run: () => void ran.push('minutely') })
  background.add({ name: 'yearly', everyMs: 1e10, run: () => void ran.push('yearly') })
  background.start()
  await background.during(() => clock.advance(25 * 60 * MINUTE_MS))
  assert.deepEqual(ran, ['minutely', 'hourly'])
  await clock.advance(MINUTE_MS)
  assert.deepEqual(ran, ['minutely', 'hourly', 'minutely'])
  await background.stop()
})

test('stopping waits for the work that runs', async () => {
  const { clock, background } = make()
  let isDone = false
  background.add({
    name: 'w',
    everyMs: MINUTE_MS,
    async run() {
      await new Promise(setImmediate)
      isDone = true
    },
  })
  background.start()
  const advance = clock.advance(MINUTE_MS)
  await Promise.resolve()
  await background.stop()
  assert.equal(isDone, true)
  await advance
})
