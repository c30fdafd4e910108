import assert from 'node:assert/strict'
import { test } from 'node:test'
import { after, Deadlines } from './socket-time.ts'

/** Deadlines keep no process alive, so a test that waits for them has to. */
async function alive<T>(wait: Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, 1)
  try {
    return await wait
  } finally {
    clearInterval(timer)
  }
}

test('what is added is due, what was deleted in time is not', async () => {
  const due: string[] = []
  let all = () => {}
  const done = new Promise<void>((resolve) => {
    all = resolve
  })
  const deadlines = new Deadlines<string>(5, (item) => {
    due.push(item)
    if (item === 'last') all()
  })
  deadlines.add('first')
  deadlines.add('deleted')
  deadlines.delete('deleted')
  await alive(
    new Promise<void>((resolve) => {
      after(6, resolve)
    }),
  )
  deadlines.add('last')
  await alive(done)
  assert.deepEqual(due, ['first', 'last'])
})

test('what is old already can still be deleted', async () => {
  const due: string[] = []
  const deadlines = new Deadlines<string>(5, (item) => due.push(item))
  deadlines.add('a')
  await alive(new Promise<void>((resolve) => void after(6, resolve)))
  deadlines.delete('a')
  await alive(new Promise<void>((resolve) => void after(15, resolve)))
  assert.deepEqual(due, [])
})

test('a cancelled deadline does not come', async () => {
  let came = false
  after(1, () => {
    came = true
  })()
  await alive(new Promise<void>((resolve) => void after(5, resolve)))
  assert.equal(came, false)
})
