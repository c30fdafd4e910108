import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectH2 } from 'node:http2'
import type { Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import type { Listener } from './listener.ts'
import { dial, echo, heard, post, recordingLogger, startListener, talk, until } from './testing.ts'

const KIB = 1024

/** Nothing is held for anybody any more, and the next peer is served. */
async function isWell(listener: Listener): Promise<void> {
  await until(() => {
    const { requestsInFlight, bodyBytesHeld, connectionsOpen } = listener.metrics()
    return requestsInFlight + bodyBytesHeld + connectionsOpen === 0
  })
  assert.match(await talk(listener.port, post('fine', { Connection: 'close' })), /fine$/)
}

test('HTTP/1.1: a body over the bound is answered 413 without a body, and the connection goes on', async () => {
  const limits = { bodyBytesMax: 100 * KIB }
  await using listener = await startListener({ limits })
  const socket = await dial(listener.port)
  const answers = heard(socket)
  socket.write(post('x'.repeat(100 * KIB)))
  socket.write(post('y'.repeat(100 * KIB + 1)))
  socket.write('POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n')
  for (let i = 0; i < 3; i++) socket.write(`c800\r\n${'z'.repeat(50 * KIB)}\r\n`)
  socket.write('0\r\n\r\n')
  socket.write(post('after', { Connection: 'close' }))
  const text = await answers
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)
  assert.deepEqual(statuses, ['200', '413', '413', '200'])
  assert.match(
    text,
    /HTTP\/1\.1 413 [\s\S]+?\r\nTransfer-Encoding: chunked\r\n[\s\S]*?\r\n\r\n0\r\n\r\n/,
  )
  assert.match(text, /after$/)
  await isWell(listener)
})

test('HTTP/1.1: who goes on sending far past the bound is cut', async () => {
  await using listener = await startListener({ limits: { bodyBytesMax: 10 * KIB } })
  const socket = await dial(listener.port)
  const answer = heard(socket)
  socket.write('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n')
  const more = () => {
    while (!socket.destroyed && socket.write(Buffer.alloc(64 * KIB)));
  }
  socket.on('drain', more)
  more()
  assert.match(await answer, /^HTTP\/1\.1 413/)
  await isWell(listener)
})

test('HTTP/1.1: who asks before sending too much is not told to continue', async () => {
  await using listener = await startListener({ limits: { bodyBytesMax: 10 } })
  const head = post('', {
    'Content-Length': '11',
    Expect: '100-continue',
    Connection: 'close',
  })
  assert.match(await talk(listener.port, head), /^HTTP\/1\.1 413/)
  await isWell(listener)
})

test('HTTP/1.1: a head over the bound is answered 431', async () => {
  await using listener = await startListener({ limits: { headBytesMax: 8 * KIB } })
  const reply = await talk(listener.port, post('x', { 'X-Large': 'x'.repeat(9 * KIB) }))
  assert.match(reply, /^HTTP\/1\.1 431/)
  await isWell(listener)
})

test('HTTP/1.1: what is no HTTP is answered 400 and cut', async () => {
  await using listener = await startListener()
  for (const garbage of [
    'hello\r\n\r\n',
    '\0\0\0\0',
    'PRINT / HTTP/1.1\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx',
    'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx',
    'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n',
    'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n',
  ]) {
    // A request that begins like the HTTP/2 preface is answered in HTTP/2.
    const answer = garbage.startsWith('PRI') ? /^\0\0/ : /^HTTP\/1\.1 400/
    assert.match(await talk(listener.port, garbage), answer, garbage)
  }
  await isWell(listener)
})

test('TLS: garbage after the first byte is cut, and TLS inside TLS too', async () => {
  await using listener = await startListener()
  await talk(listener.port, Buffer.from('16030100050102030405', 'hex'))
  await talk(listener.port, Buffer.from('16ffffffffffffff', 'hex'), Buffer.alloc(1000, 1))
  await isWell(listener)
})

test('a preface cut anywhere, also byte by byte, is told apart from other requests', async () => {
  await using listener = await startListener()
  for (const part of ['P', 'PR', 'PRI', 'PRI * HTTP/2.0\r\n']) {
    const socket = await dial(listener.port)
    socket.end(part)
    await heard(socket)
  }
  const socket = await dial(listener.port)
  const reply = heard(socket)
  for (const byte of post('slowly', { Connection: 'close' }).slice(0, 6)) {
    socket.write(byte)
    await new Promise((resolve) => setImmediate(resolve))
  }
  socket.write(post('slowly', { Connection: 'close' }).slice(6))
  assert.match(await reply, /slowly$/)
  await isWell(listener)
})

test('who says nothing is cut after a while, without an answer', async () => {
  await using listener = await startListener({ limits: { silenceMs: 20 } })
  assert.equal(await talk(listener.port), '')
  assert.equal(await talk(listener.port, 'PR'), '')
  await talk(listener.port, Buffer.from([0x16]))
  await isWell(listener)
})

test('HTTP/1.1: a head that comes too slowly is answered 408, a body too', async () => {
  const limits = { headMs: 60, requestMs: 60 }
  await using listener = await startListener({ limits })
  const slowHead = await dial(listener.port)
  slowHead.write('POST / HTTP/1.1\r\nHost: h\r\n')
  const drip = setInterval(() => slowHead.write('X-More: 1\r\n'), 5)
  assert.match(await heard(slowHead), /^HTTP\/1\.1 408/)
  clearInterval(drip)
  const slowBody = await dial(listener.port)
  slowBody.write(post('', { 'Content-Length': '1000' }))
  const dripBody = setInterval(() => slowBody.write('x'), 5)
  assert.match(await heard(slowBody), /^HTTP\/1\.1 408/)
  clearInterval(dripBody)
  await isWell(listener)
})

test('HTTP/2: a body that comes too slowly loses its stream, the others go on', async () => {
  await using listener = await startListener({ limits: { requestMs: 60 } })
  const session = connectH2(`http://127.0.0.1:${listener.port}`)
  const slow = session.request({ ':method': 'POST', ':path': '/' })
  slow.on('error', () => {})
  const drip = setInterval(() => slow.write('x'), 5)
  await once(slow, 'close')
  clearInterval(drip)
  const good = session.request({ ':method': 'POST', ':path': '/' })
  good.end('good')
  assert.equal((await buffer(good)).toString(), 'good')
  session.close()
  await isWell(listener)
})

test('HTTP/2: a body over the bound is answered 413, announced or not, and the session goes on', async () => {
  await using listener = await startListener({ limits: { bodyBytesMax: 10 * KIB } })
  const session = connectH2(`http://127.0.0.1:${listener.port}`)
  for (const headers of [{ 'content-length': String(20 * KIB) }, {}]) {
    const stream = session.request({ ':method': 'POST', ':path': '/', ...headers })
    stream.on('error', () => {})
    stream.end('x'.repeat(20 * KIB))
    const [answer] = await once(stream, 'response')
    assert.equal(answer[':status'], 413)
    stream.resume()
    await once(stream, 'close')
  }
  const good = session.request({ ':method': 'POST', ':path': '/' })
  good.end('good')
  assert.equal((await buffer(good)).toString(), 'good')
  session.close()
  await isWell(listener)
})

test('HTTP/2: an idle session is closed', async () => {
  await using listener = await startListener({ limits: { sessionIdleMs: 30 } })
  const session = connectH2(`http://127.0.0.1:${listener.port}`)
  await once(session, 'close')
  await isWell(listener)
})

test('HTTP/1.1: an idle connection is closed', async () => {
  await using listener = await startListener({ limits: { keepAliveMs: 30 } })
  const idle = await dial(listener.port)
  idle.write(post('once'))
  const text = await heard(idle)
  assert.match(text, /Connection: keep-alive\r\n/)
  assert.match(text, /once$/)
  await isWell(listener)
})

test('a peer that does not read its answer is cut', async () => {
  const large = Buffer.alloc(20_000_000, 'x')
  await using listener = await startListener({
    limits: { stallMs: 50, sessionIdleMs: 50 },
    handle: (request) =>
      request.body.toString() === 'fine'
        ? echo(request)
        : { status: 200, headers: { 'Content-Length': large.length }, body: large },
  })
  const socket = await dial(listener.port)
  socket.pause()
  socket.write(post('x'))
  const session = connectH2(`http://127.0.0.1:${listener.port}`)
  session.on('error', () => {})
  const stream = session.request({ ':method': 'POST', ':path': '/' })
  stream.on('error', () => {})
  stream.end('x')
  await until(() => listener.metrics().connectionsOpen === 2)
  await isWell(listener)
  socket.destroy()
  session.destroy()
})

test('a peer that leaves in the middle of its body leaves nothing behind', async () => {
  await using listener = await startListener()
  for (const leave of [(s: Socket) => s.destroy(), (s: Socket) => s.resetAndDestroy()]) {
    const socket = await dial(listener.port)
    socket.write(post('', { 'Content-Length': '100000' }))
    socket.write('x'.repeat(50_000))
    await until(() => listener.metrics().bodyBytesHeld > 50_000)
    leave(socket)
    await until(() => listener.metrics().bodyBytesHeld === 0)
    const session = connectH2(`http://127.0.0.1:${listener.port}`)
    session.on('error', () => {})
    const stream = session.request({ ':method': 'POST', ':path': '/', 'content-length': '9999' })
    stream.on('error', () => {})
    stream.write('x')
    await until(() => listener.metrics().bodyBytesHeld > 0)
    stream.close(8)
    await until(() => listener.metrics().bodyBytesHeld === 0)
    session.destroy()
  }
  await isWell(listener)
})

test('a peer that leaves while its request runs leaves nothing behind', async () => {
  let finish = () => {}
  await using listener = await startListener({
    handle: async (request) => {
      if (request.body.toString() !== 'wait') return echo(request)
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      return echo(request)
    },
  })
  const socket = await dial(listener.port)
  socket.write(post('wait'))
  await until(() => listener.metrics().requestsInFlight === 1)
  socket.destroy()
  await until(() => listener.metrics().connectionsOpen === 0)
  finish()
  const session = connectH2(`http://127.0.0.1:${listener.port}`)
  session.on('error', () => {})
  const stream = session.request({ ':method': 'POST', ':path': '/' })
  stream.on('error', () => {})
  stream.end('wait')
  await until(() => listener.metrics().requestsInFlight === 1)
  session.destroy()
  await until(() => listener.metrics().connectionsOpen === 0)
  finish()
  await isWell(listener)
})

test('more connections than allowed are closed at once, and the others served', async () => {
  await using listener = await startListener({ limits: { connectionsMax: 3 } })
  const held = await Promise.all([1, 2, 3].map(() => dial(listener.port)))
  await until(() => listener.metrics().connectionsOpen === 3)
  assert.equal(await talk(listener.port, post('x')), '')
  for (const socket of held) {
    const reply = heard(socket)
    socket.write(post('held', { Connection: 'close' }))
    assert.match(await reply, /held$/)
  }
  await isWell(listener)
})

test('a thousand idle connections do not slow the next one down or keep anything', async () => {
  await using listener = await startListener()
  const idle = await Promise.all(Array.from({ length: 1000 }, () => dial(listener.port)))
  await until(() => listener.metrics().connectionsOpen === 1000)
  assert.match(await talk(listener.port, post('busy', { Connection: 'close' })), /busy$/)
  for (const socket of idle) socket.destroy()
  await isWell(listener)
})

test('under pressure bodies are not read, requests without one are', async () => {
  let isPressed = true
  await using listener = await startListener({ isPressed: () => isPressed })
  const socket = await dial(listener.port)
  const reply = heard(socket)
  socket.write(post('x'.repeat(KIB), { Connection: 'close' }))
  const session = connectH2(`http://127.0.0.1:${listener.port}`)
  const stream = session.request({ ':method': 'POST', ':path': '/' })
  stream.end('y')
  const answer = buffer(stream)
  await until(() => listener.metrics().requestsWaiting === 2)
  assert.match(
    await talk(
      listener.port,
      'GET /_millrace/health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n',
    ),
    /^HTTP\/1\.1 200/,
  )
  assert.equal(listener.metrics().requestsWaiting, 2)
  isPressed = false
  assert.match(await reply, /x$/)
  assert.equal((await answer).toString(), 'y')
  session.close()
  await isWell(listener)
})

test('bodies in hand are bounded: who comes later waits, and too many that wait are answered 503', async () => {
  const finish: (() => void)[] = []
  await using listener = await startListener({
    limits: { bodiesBytesMax: 20 * KIB, waitingMax: 1 },
    handle: async (request) => {
      if (request.body.toString() !== 'fine') {
        await new Promise<void>((resolve) => finish.push(resolve))
      }
      return echo(request)
    },
  })
  const body = 'x'.repeat(8 * KIB)
  const send = () => talk(listener.port, post(body, { Connection: 'close' }))
  const first = send()
  await until(() => finish.length === 1)
  const second = send()
  await until(() => listener.metrics().requestsWaiting === 1)
  const third = await send()
  assert.match(third, /^HTTP\/1\.1 503/)
  assert.match(third, /"__type":"ServiceUnavailableException"/)
  const session = connectH2(`http://127.0.0.1:${listener.port}`)
  const stream = session.request({ ':method': 'POST', ':path': '/' })
  stream.end(body)
  const [answer] = await once(stream, 'response')
  assert.equal(answer[':status'], 503)
  session.destroy()
  finish[0]?.()
  assert.match(await first, /^HTTP\/1\.1 200/)
  await until(() => finish.length === 2)
  finish[1]?.()
  assert.match(await second, /^HTTP\/1\.1 200/)
  await isWell(listener)
})

test('a peer that leaves while it waits to be read leaves nothing behind', async () => {
  let isPressed = true
  await using listener = await startListener({ isPressed: () => isPressed })
  const socket = await dial(listener.port)
  socket.write(post('x'))
  const session = connectH2(`http://127.0.0.1:${listener.port}`)
  session.on('error', () => {})
  const stream = session.request({ ':method': 'POST', ':path': '/' })
  stream.on('error', () => {})
  stream.end('y')
  await until(() => listener.metrics().requestsWaiting === 2)
  socket.destroy()
  session.destroy()
  await until(() => listener.metrics().connectionsOpen === 0)
  isPressed = false
  await isWell(listener)
})

test('HTTP/2: breaking the protocol costs the session, nothing else', async () => {
  const logger = recordingLogger()
  await using listener = await startListener({ logger })
  const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
  const settings = Buffer.from('000000040000000000', 'hex')
  for (const frame of [
    'ffffff000000000001',
    '000004080000000000ffffffff',
    '000005010500000001ffffffffff',
    '0000040300000000010000000000',
    '00000806000000000000000000000000',
  ]) {
    const socket = await dial(listener.port)
    socket.write(preface)
    socket.write(settings)
    socket.end(Buffer.from(frame, 'hex'))
    await heard(socket)
  }
  await isWell(listener)
  assert.deepEqual(logger.errors, [])
})
