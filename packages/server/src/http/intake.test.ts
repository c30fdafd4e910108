import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Intake, type IntakeBounds, type Taker } from './intake.ts'

const KIB = 1024
const PIECE = 64 * KIB
const BOUNDS: IntakeBounds = {
  bytesMax: 100 * PIECE,
  bodyBytesMax: 10 * PIECE,
  waitingMax: 10,
  stalledMs: 40,
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Resolves when the condition holds. The intake's timers keep no process alive, so something else has to. */
async function until(holds: () => boolean): Promise<void> {
  const alive = setInterval(() => {}, 1)
  while (!holds()) await turn()
  clearInterval(alive)
}

class Body implements Taker {
  readonly name: string
  readonly firstBytes: number
  readonly isSmall: boolean
  readonly pushableBytes: number
  readonly told: string[]
  received = 0

  constructor(told: string[], name: string, firstBytes = PIECE, isSmall = false, pushable = 0) {
    this.told = told
    this.name = name
    this.firstBytes = firstBytes
    this.isSmall = isSmall
    this.pushableBytes = pushable
  }

  goOn(): void {
    this.told.push(this.name)
  }

  stalled(): void {
    this.told.push(`${this.name} stalled`)
  }
}

test('large bodies stop at three quarters, small ones go on, and then they wait too', async () => {
  const told: string[] = []
  const intake = new Intake(BOUNDS, () => false)
  intake.took(75 * PIECE)
  assert.equal(intake.begin(new Body(told, 'large')), 'later')
  const small = () => new Body(told, 'small', 10 * KIB, true)
  assert.equal(intake.begin(small()), 'now')
  intake.took(25 * PIECE)
  assert.equal(intake.begin(small()), 'later')
  assert.equal(intake.waitingCount, 2)
  intake.release(PIECE)
  await turn()
  await turn()
  assert.deepEqual(told, ['small'])
  intake.release(25 * PIECE)
  await turn()
  await turn()
  assert.deepEqual([told, intake.waitingCount], [['small', 'large'], 0])
})

test('one that is larger than the bound is let in alone', async () => {
  const told: string[] = []
  const intake = new Intake({ ...BOUNDS, bytesMax: 100 }, () => false)
  intake.took(1)
  assert.equal(intake.begin(new Body(told, 'large')), 'later')
  intake.release(1)
  await turn()
  await turn()
  assert.deepEqual(told, ['large'])
})

test('under pressure all wait, and go on when it ends', async () => {
  let isPressed = true
  const told: string[] = []
  const intake = new Intake(BOUNDS, () => isPressed)
  assert.equal(intake.begin(new Body(told, 'a')), 'later')
  isPressed = false
  await until(() => told.length === 1)
  assert.deepEqual([told, intake.waitingCount], [['a'], 0])
})

test('only so many may wait, and only with so much that their peers may push', () => {
  const intake = new Intake({ ...BOUNDS, waitingMax: 2 }, () => true)
  const begin = (pushable: number) => intake.begin(new Body([], 'a', 1, false, pushable))
  assert.deepEqual([begin(1), begin(1), begin(1)], ['later', 'later', 'refused'])
  const other = new Intake(BOUNDS, () => true)
  const wait = (pushable: number) => other.begin(new Body([], 'a', 1, false, pushable))
  assert.deepEqual(
    [wait(80 * PIECE), wait(30 * PIECE), wait(20 * PIECE)],
    ['later', 'refused', 'later'],
  )
})

test('of bodies that all need more one at a time goes on over the bound', async () => {
  const told: string[] = []
  const intake = new Intake(BOUNDS, () => false)
  const [a, b, c] = ['a', 'b', 'c'].map((name) => new Body(told, name)) as [Body, Body, Body]
  intake.took(76 * PIECE)
  assert.deepEqual([intake.grow(a), intake.grow(b), intake.grow(c)], ['now', 'later', 'later'])
  intake.took(PIECE)
  assert.equal(intake.grow(a), 'now')
  intake.completed(a)
  await turn()
  await turn()
  assert.deepEqual(told, ['b'])
  assert.equal(intake.grow(b), 'now')
})

test('who is favoured and sends nothing loses it to the next, and in the end its place', async () => {
  const told: string[] = []
  const intake = new Intake(BOUNDS, () => false)
  intake.took(76 * PIECE)
  const quiet = new Body(told, 'quiet')
  assert.equal(intake.grow(quiet), 'now')
  assert.equal(intake.grow(new Body(told, 'next')), 'later')
  assert.equal(intake.begin(new Body(told, 'other')), 'later')
  await until(() => told.includes('next') && told.includes('quiet stalled'))
  assert.ok(!told.includes('other'))
})

test('who has left waits no more', () => {
  const intake = new Intake({ ...BOUNDS, waitingMax: 1 }, () => true)
  const gone = new Body([], 'gone', 1, false, 100 * PIECE)
  assert.equal(intake.begin(gone), 'later')
  intake.completed(gone)
  assert.equal(intake.waitingCount, 0)
  assert.equal(intake.begin(new Body([], 'next', 1, false, 100 * PIECE)), 'later')
})

test('whatever comes, all bodies end, none is forgotten and the bound holds', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(sizes, async (pieces) => {
      const bounds = { ...BOUNDS, bytesMax: 16 * PIECE, waitingMax: 1000 }
      const intake = new Intake(bounds, () => false)
      let ended = 0
      let highest = 0
      class Peer extends Body {
        readonly #pieces: number
        constructor(count: number) {
          super([], 'peer', PIECE, count === 1)
          this.#pieces = count
        }
        override goOn(): void {
          setImmediate(() => this.send())
        }
        send(): void {
          this.received += PIECE
          intake.took(PIECE)
          highest = Math.max(highest, intake.bytes)
          if (this.received === this.#pieces * PIECE) {
            intake.completed(this)
            ended++
            setImmediate(() => intake.release(this.received))
          } else if (intake.grow(this) === 'now') this.goOn()
        }
      }
      for (const count of pieces) {
        const peer = new Peer(count)
        if (intake.begin(peer) === 'now') peer.goOn()
      }
      await until(() => ended === pieces.length)
      await turn()
      assert.deepEqual([intake.bytes, intake.waitingCount], [0, 0])
      // All begin before any has sent: a first piece each, beside the bound and one favoured body.
      assert.ok(highest <= bounds.bytesMax + bounds.bodyBytesMax + pieces.length * PIECE)
    }),
    { numRuns: 30 },
  )
})
