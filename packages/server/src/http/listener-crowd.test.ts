// What peers hold of the memory for bodies, and that no peer holds up another one with what it only
// announces.
import assert from 'node:assert/strict'
import { connect as connectH2 } from 'node:http2'
import type { Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { dial, heard, post, startListener, talk, until } from './testing.ts'

const KIB = 1024
const MIB = 1024 * KIB

const FINE = post('fine', { Connection: 'close' })
const CHUNKED = 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n'

function chunk(bytes: number): string {
  return `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`
}

function destroyAll(sockets: readonly Socket[]): void {
  for (const socket of sockets) socket.destroy()
}

test('peers that announce much and send nothing hold nothing and nobody up', async () => {
  await using listener = await startListener()
  const idle = await Promise.all(Array.from({ length: 40 }, () => dial(listener.port)))
  for (const socket of idle) socket.write(post('', { 'Content-Length': '16000000' }))
  await until(() => listener.metrics().requestsInFlight === 40)
  const session = connectH2(`http://127.0.0.1:${listener.port}`)
  session.on('error', () => {})
  const headers = { ':method': 'POST', ':path': '/' }
  for (let i = 0; i < 40; i++) {
    session.request({ ...headers, 'content-length': '16000000' }).on('error', () => {})
  }
  await until(() => listener.metrics().requestsInFlight === 80)
  assert.deepEqual([listener.metrics().bodyBytesHeld, listener.metrics().requestsWaiting], [0, 0])
  assert.match(await talk(listener.port, FINE), /fine$/)
  const stream = session.request(headers)
  stream.end('fine')
  assert.equal((await buffer(stream)).toString(), 'fine')
  destroyAll(idle)
  session.destroy()
})

test('bodies of unknown length are counted as they come, and stop at the bound', async () => {
  const limits = { bodiesBytesMax: 8 * MIB, bodyBytesMax: MIB }
  await using listener = await startListener({ limits })
  const peers = await Promise.all(Array.from({ length: 40 }, () => dial(listener.port)))
  for (const socket of peers) {
    socket.write(CHUNKED)
    for (let i = 0; i < 14; i++) socket.write(chunk(64 * KIB))
  }
  await until(() => listener.metrics().requestsWaiting >= 20)
  // A piece of 64 KiB for each that was under way when the bound was reached, and one whole body.
  assert.ok(listener.metrics().bodyBytesHeld > 6 * MIB)
  assert.ok(listener.metrics().bodyBytesHeld <= 6 * MIB + 40 * 64 * KIB + MIB)
  // Small ones have their own room.
  assert.match(await talk(listener.port, FINE), /fine$/)
  destroyAll(peers)
  await until(() => listener.metrics().bodyBytesHeld === 0)
  assert.equal(listener.metrics().requestsWaiting, 0)
})

test('HTTP/2: bodies without a length are counted and stop at the bound too', async () => {
  const limits = { bodiesBytesMax: 8 * MIB, bodyBytesMax: MIB }
  await using listener = await startListener({ limits })
  const session = connectH2(`http://127.0.0.1:${listener.port}`)
  session.on('error', () => {})
  for (let i = 0; i < 16; i++) {
    const stream = session.request({ ':method': 'POST', ':path': '/' })
    stream.on('error', () => {})
    stream.write(Buffer.alloc(900 * KIB))
  }
  await until(() => listener.metrics().requestsWaiting > 0)
  assert.ok(listener.metrics().bodyBytesHeld > 6 * MIB)
  assert.ok(listener.metrics().bodyBytesHeld <= 8 * MIB)
  assert.match(await talk(listener.port, FINE), /fine$/)
  session.destroy()
  await until(() => listener.metrics().bodyBytesHeld === 0)
})

test('large bodies that do not fit at the same time are all taken, one after the other', async () => {
  const limits = { bodiesBytesMax: 4 * MIB, bodyBytesMax: MIB }
  await using listener = await startListener({ limits })
  const body = 'x'.repeat(1000 * KIB)
  const session = connectH2(`http://127.0.0.1:${listener.port}`)
  const overH2 = async () => {
    const stream = session.request({ ':method': 'POST', ':path': '/' })
    stream.end(body)
    return (await buffer(stream)).byteLength
  }
  const overH1 = async () =>
    (await talk(listener.port, post(body, { Connection: 'close' }))).startsWith('HTTP/1.1 200')
  const answers = await Promise.all([
    ...Array.from({ length: 12 }, overH1),
    ...Array.from({ length: 3 }, overH2),
  ])
  assert.deepEqual(answers, [...Array(12).fill(true), ...Array(3).fill(body.length)])
  session.close()
  await until(() => listener.metrics().bodyBytesHeld === 0)
})

test('who holds memory and stops sending is answered 408 while others wait, and they go on', async () => {
  const limits = { bodiesBytesMax: 2 * MIB, bodyBytesMax: MIB, stalledMs: 60 }
  await using listener = await startListener({ limits })
  const stalled = await Promise.all(Array.from({ length: 4 }, () => dial(listener.port)))
  const answers = stalled.map((socket) => heard(socket))
  for (const socket of stalled) socket.write(post('', { 'Content-Length': String(MIB) }))
  for (const socket of stalled) socket.write('x'.repeat(1000 * KIB))
  await until(() => listener.metrics().requestsWaiting > 0)
  const body = 'y'.repeat(1000 * KIB)
  const honest = talk(listener.port, post(body, { Connection: 'close' }))
  assert.match((await answers[0]) ?? '', /^HTTP\/1\.1 408/)
  assert.match(await honest, /^HTTP\/1\.1 200/)
  destroyAll(stalled)
})

test('HTTP/2: who stops sending while others wait is answered 408', async () => {
  const limits = { bodiesBytesMax: 2 * MIB, bodyBytesMax: MIB, stalledMs: 60 }
  await using listener = await startListener({ limits })
  const session = connectH2(`http://127.0.0.1:${listener.port}`)
  session.on('error', () => {})
  const answered = new Promise<void>((resolve) => {
    for (let i = 0; i < 5; i++) {
      const stream = session.request({ ':method': 'POST', ':path': '/' })
      stream.on('error', () => {})
      stream.on('response', (headers) => {
        if (headers[':status'] === 408) resolve()
      })
      stream.write(Buffer.alloc(700 * KIB))
    }
  })
  await answered
  session.destroy()
})

test('who only pauses is left alone as long as nobody waits', async () => {
  await using listener = await startListener({ limits: { stalledMs: 10 } })
  const socket = await dial(listener.port)
  const reply = heard(socket)
  socket.write(post('', { 'Content-Length': '4', Connection: 'close' }))
  socket.write('fi')
  await new Promise((resolve) => setTimeout(resolve, 60))
  socket.write('ne')
  assert.match(await reply, /^HTTP\/1\.1 200[\s\S]*fine$/)
})
