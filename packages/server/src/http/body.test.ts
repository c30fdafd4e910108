import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import { type BodyOwner, BodyReader } from './body.ts'
import { BodyBuffers } from './body-buffers.ts'
import { Intake } from './intake.ts'

type Outcome =
  | { kind: 'read'; body: Buffer }
  | { kind: 'too-large' }
  | { kind: 'cut' }
  | { kind: 'refused' }
  | { kind: 'stalled' }

const buffers = new BodyBuffers()
const intake = new Intake(
  { bytesMax: 2 ** 28, bodyBytesMax: 2 ** 24, waitingMax: 10, stalledMs: 10_000 },
  () => false,
)
/** Of the latest body. */
let release = () => {}

function read(source: Readable, announced: number | undefined, bytesMax: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const owner: BodyOwner = {
      bodyRead: (body) => resolve({ kind: 'read', body }),
      bodyTooLarge: () => resolve({ kind: 'too-large' }),
      bodyRefused: () => resolve({ kind: 'refused' }),
      bodyStalled: () => resolve({ kind: 'stalled' }),
      bodyCut: () => resolve({ kind: 'cut' }),
    }
    const reader = new BodyReader(source, announced, 65_536, { bytesMax, buffers, intake }, owner)
    release = () => reader.release()
    reader.start()
  })
}

const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 20 })

test('however a body is cut into pieces, it is put together whole', async () => {
  await fc.assert(
    fc.asyncProperty(chunks, fc.boolean(), async (pieces, isAnnounced) => {
      const whole = Buffer.concat(pieces)
      const source = Readable.from(
        pieces.map((piece) => Buffer.from(piece)),
        { objectMode: false },
      )
      const outcome = await read(source, isAnnounced ? whole.byteLength : undefined, 1000)
      assert.ok(outcome.kind === 'read' && outcome.body.equals(whole))
      release()
      assert.deepEqual([buffers.lentCount, intake.bytes], [0, 0])
    }),
  )
})

test('more than the bound is refused, announced or not, and exactly as much is not', async () => {
  for (const announced of [101, undefined]) {
    const source = Readable.from([Buffer.alloc(60), Buffer.alloc(41)])
    assert.equal((await read(source, announced, 100)).kind, 'too-large')
    assert.equal(buffers.lentCount, 0)
  }
  const source = Readable.from([Buffer.alloc(60), Buffer.alloc(40)])
  const outcome = await read(source, undefined, 100)
  assert.ok(outcome.kind === 'read' && outcome.body.byteLength === 100)
  release()
})

test('a body of one piece is handed on without a copy', async () => {
  const piece = Buffer.from('in one piece')
  const outcome = await read(Readable.from([piece]), piece.byteLength, 100)
  assert.ok(outcome.kind === 'read' && outcome.body === piece)
})

test('a large body in many pieces is put together in buffers that grow', async () => {
  const pieces = Array.from({ length: 50 }, (_, i) => Buffer.alloc(65_536, i))
  const outcome = await read(Readable.from(pieces), 50 * 65_536, 16 * 1024 * 1024)
  assert.ok(outcome.kind === 'read')
  assert.ok(outcome.body.equals(Buffer.concat(pieces)))
  release()
})

test('a peer that leaves early is told apart', async () => {
  const source = new Readable({ read() {} })
  const outcome = read(source, 10, 100)
  source.push('abc')
  source.destroy()
  assert.equal((await outcome).kind, 'cut')
  assert.equal(buffers.lentCount, 0)
  const gone = new Readable({ read() {} })
  gone.destroy()
  assert.equal((await read(gone, 10, 100)).kind, 'cut')
})
