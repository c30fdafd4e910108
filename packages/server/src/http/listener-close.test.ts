import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectH2 } from 'node:http2'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { HttpReply, HttpRequest } from './message.ts'
import { dial, echo, heard, post, startListener, until } from './testing.ts'

/** A handler that answers `wait` only when it is told to. */
function holding(): { handle: (request: HttpRequest) => Promise<HttpReply>; finish: () => void } {
  const waiting: (() => void)[] = []
  return {
    async handle(request) {
      if (request.body.toString() === 'wait') {
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
      return echo(request)
    },
    finish: () => {
      for (const resume of waiting.splice(0)) resume()
    },
  }
}

/** Whether a promise has settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const open = Symbol('open')
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve))
  return (await Promise.race([promise, open])) !== open
}

test('closing lets requests under way finish, and then their connections end', async () => {
  const { handle, finish } = holding()
  await using listener = await startListener({ handle })
  const socket = await dial(listener.port)
  const reply = heard(socket)
  socket.write(post('wait'))
  const session = connectH2(`http://127.0.0.1:${listener.port}`)
  const stream = session.request({ ':method': 'POST', ':path': '/' })
  stream.end('wait')
  const answer = buffer(stream)
  await until(() => listener.metrics().requestsInFlight === 2)
  const closed = listener.close(60_000)
  assert.equal(await isSettled(closed), false)
  finish()
  const text = await reply
  assert.match(text, /^HTTP\/1\.1 200/)
  assert.match(text, /Connection: close\r\n/i)
  assert.match(text, /wait$/)
  assert.equal((await answer).toString(), 'wait')
  await closed
})

test('a request that becomes complete only while closing is answered 503', async () => {
  await using listener = await startListener()
  const socket = await dial(listener.port)
  const reply = heard(socket)
  const request = post('late')
  socket.write(request.slice(0, -1))
  const session = connectH2(`http://127.0.0.1:${listener.port}`)
  const stream = session.request({ ':method': 'POST', ':path': '/' })
  stream.write('lat')
  await until(() => listener.metrics().requestsInFlight === 2)
  const closed = listener.close(60_000)
  socket.write(request.slice(-1))
  stream.end('e')
  const [answer] = await once(stream, 'response')
  assert.equal(answer[':status'], 503)
  stream.resume()
  assert.match(await reply, /^HTTP\/1\.1 503[\s\S]*Millrace is stopping/)
  await closed
})

test('while closing, HTTP/2 peers are told to go away and new connections are refused', async () => {
  const { handle, finish } = holding()
  await using listener = await startListener({ handle })
  const session = connectH2(`http://127.0.0.1:${listener.port}`)
  const stream = session.request({ ':method': 'POST', ':path': '/' })
  stream.end('wait')
  await until(() => listener.metrics().requestsInFlight === 1)
  const goneAway = once(session, 'goaway')
  const closed = listener.close(60_000)
  await goneAway
  await assert.rejects(
    (async () => {
      const socket = await dial(listener.port)
      await new Promise((_, reject) => socket.on('error', reject).on('close', reject))
    })(),
  )
  const answer = buffer(stream)
  finish()
  assert.equal((await answer).toString(), 'wait')
  await closed
})

test('idle, silent and half-open connections do not hold a stop up', async () => {
  await using listener = await startListener()
  await dial(listener.port)
  const used = await dial(listener.port)
  used.write(post('x'))
  await once(used, 'data')
  const preface = await dial(listener.port)
  preface.write('PR')
  const session = connectH2(`http://127.0.0.1:${listener.port}`)
  await once(session, 'connect')
  const options = { port: listener.port, host: '127.0.0.1', rejectUnauthorized: false }
  const secure = connectTls(options)
  secure.on('error', () => {})
  await once(secure, 'secureConnect')
  await until(() => listener.metrics().connectionsOpen === 5)
  await listener.close(60_000)
  await until(() => listener.metrics().connectionsOpen === 0)
})

test('event streams are ended in good order when the listener closes', async () => {
  const body: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => {
      let count = 0
      return {
        next: () =>
          count++ === 0
            ? Promise.resolve({ done: false, value: Buffer.from('event') })
            : new Promise<never>(() => {}),
        return: async () => ({ done: true, value: undefined }),
      }
    },
  }
  await using listener = await startListener({ handle: () => ({ status: 200, headers: {}, body }) })
  const socket = await dial(listener.port)
  const reply = heard(socket)
  socket.write(post('x'))
  const session = connectH2(`http://127.0.0.1:${listener.port}`)
  const stream = session.request({ ':method': 'POST', ':path': '/' })
  stream.end('x')
  const events = buffer(stream)
  await until(() => listener.metrics().eventStreamsOpen === 2)
  await listener.close(60_000)
  assert.match(await reply, /\r\n5\r\nevent\r\n0\r\n\r\n$/)
  assert.equal((await events).toString(), 'event')
})

test('a large reply on its way out is not cut by a stop', async () => {
  const large = Buffer.alloc(20_000_000, 'x')
  await using listener = await startListener({
    handle: () => ({ status: 200, headers: { 'Content-Length': large.length }, body: large }),
  })
  const socket = await dial(listener.port)
  socket.pause()
  socket.write(post('x'))
  await until(() => listener.metrics().requestsInFlight === 0 && socket.readableLength > 0)
  const closed = listener.close(60_000)
  let seen = 0
  socket.on('data', (chunk) => {
    seen += chunk.length
  })
  socket.resume()
  await until(() => seen > large.length)
  await closed
})

test('what still runs after the time given is cut', async () => {
  const { handle } = holding()
  await using listener = await startListener({ handle })
  const socket = await dial(listener.port)
  const reply = heard(socket)
  socket.write(post('wait'))
  const session = connectH2(`http://127.0.0.1:${listener.port}`)
  session.on('error', () => {})
  const stream = session.request({ ':method': 'POST', ':path': '/' })
  stream.on('error', () => {})
  stream.end('wait')
  await until(() => listener.metrics().requestsInFlight === 2)
  await listener.close(20)
  assert.equal(await reply, '')
  await until(() => listener.metrics().connectionsOpen === 0)
})
