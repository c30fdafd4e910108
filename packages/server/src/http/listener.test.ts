import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type Agent, request as httpRequest } from 'node:http'
import { type ClientHttp2Session, connect as connectH2 } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { makeCertificate } from './certificate.ts'
import type { HttpReply } from './message.ts'
import { dial, echo, heard, post, recordingLogger, startListener, talk, until } from './testing.ts'

const trusting = { rejectUnauthorized: false }

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: Buffer
}

async function overH2(
  session: ClientHttp2Session,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const stream = session.request({ ':method': 'POST', ':path': '/', ...headers })
  if (!stream.writableEnded) stream.end(body)
  const [answer] = (await once(stream, 'response')) as [Record<string, unknown>]
  return { status: Number(answer[':status']), headers: answer, body: await buffer(stream) }
}

async function overH1(
  send: typeof httpRequest,
  port: number,
  body: string | Uint8Array,
  options: { method?: string; headers?: Record<string, string>; agent?: Agent } = {},
): Promise<Answer> {
  const request = send({ port, host: '127.0.0.1', method: 'POST', ...trusting, ...options })
  request.end(body)
  const [response] = await once(request, 'response')
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) }
}

test('HTTP/1.1: bodies of any size come back whole, on one connection', async () => {
  await using listener = await startListener()
  const socket = await dial(listener.port)
  let seen = 0
  socket.on('data', (chunk) => {
    seen += chunk.length
  })
  for (const size of [0, 1, 70_000, 3_000_000]) {
    const body = 'x'.repeat(size)
    assert.equal((await overH1(httpRequest, listener.port, body)).body.toString(), body)
    seen = 0
    socket.write(post(body))
    await until(() => seen > size)
  }
  socket.destroy()
})

test('HTTP/1.1: the handler sees method, target, version, loopback and joined headers', async () => {
  let headers: Readonly<Record<string, string | undefined>> = {}
  await using listener = await startListener({
    handle(request) {
      headers = request.headers
      return echo(request)
    },
  })
  const reply = await talk(
    listener.port,
    'PUT /a?b=c HTTP/1.1\r\nHost: h\r\nX-Twice: 1\r\nX-Twice: 2\r\nConnection: close\r\n\r\n',
  )
  assert.match(reply, /^HTTP\/1\.1 200 OK\r\n/)
  assert.match(
    reply,
    /\r\nx-method: PUT\r\nx-target: \/a\?b=c\r\nx-version: 1\.1\r\nx-loopback: true\r\n/,
  )
  assert.match(reply, /\r\nDate: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT\r\n/)
  assert.equal(headers['x-twice'], '1, 2')
})

test('HTTP/1.1: a whole URL may be the target, and the host may be one', async () => {
  await using listener = await startListener()
  const target = `http://127.0.0.1:${listener.port}/putMedia`
  const headers = { Host: target, Connection: 'close' }
  assert.match(
    await talk(listener.port, post('x', headers, target)),
    new RegExp(`x-target: ${target}`),
  )
})

test('HTTP/1.1: chunked bodies are read', async () => {
  await using listener = await startListener()
  const reply = await talk(
    listener.port,
    'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
  )
  assert.match(reply, /\r\n\r\nabcde$/)
})

test('HTTP/1.1: pipelined requests are answered in their order, whichever is ready first', async () => {
  const waiting = new Map<string, (reply: HttpReply) => void>()
  await using listener = await startListener({
    handle: ({ body }) => new Promise((resolve) => waiting.set(body.toString(), resolve)),
  })
  const socket = await dial(listener.port)
  socket.write(post('') + post('1') + post('2', { Connection: 'close' }))
  await until(() => waiting.size === 3)
  for (const body of ['2', '', '1']) {
    const status = 200 + Number(body)
    waiting.get(body)?.({ status, headers: { 'Content-Length': 0 }, body: undefined })
  }
  const statuses = [...(await heard(socket)).matchAll(/HTTP\/1\.1 (\d+)/g)].map(
    ([, status]) => status,
  )
  assert.deepEqual(statuses, ['200', '201', '202'])
})

test('HTTP/1.1: who expects to be told to continue is told, before the body is sent', async () => {
  await using listener = await startListener()
  const socket = await dial(listener.port)
  const [head, body] = post('later', { Expect: '100-continue', Connection: 'close' }).split(
    '\r\n\r\n',
  )
  socket.write(`${head}\r\n\r\n`)
  const [told] = await once(socket, 'data')
  assert.equal(String(told), 'HTTP/1.1 100 Continue\r\n\r\n')
  socket.write(body ?? '')
  assert.match(await heard(socket), /^HTTP\/1\.1 200 OK[\s\S]*later$/)
})

test('HTTP/1.1: replies of any bytes and any size arrive as they were given', async () => {
  for (const size of [0, 1, 256, 4096, 4097, 100_000]) {
    const body = Buffer.from(Array.from({ length: size }, (_, i) => i & 0xff))
    for (const given of [body, new Uint8Array(body)]) {
      await using listener = await startListener({
        handle: () => ({ status: 200, headers: { 'Content-Length': size }, body: given }),
      })
      assert.ok((await overH1(httpRequest, listener.port, '')).body.equals(body))
    }
  }
})

test('HTTP/1.1: HEAD is answered with the length and without the body', async () => {
  await using listener = await startListener({
    handle: () => ({ status: 403, headers: { 'Content-Length': 4 }, body: 'text' }),
  })
  const { status, headers, body } = await overH1(httpRequest, listener.port, '', { method: 'HEAD' })
  assert.deepEqual([status, headers['content-length'], body.byteLength], [403, '4', 0])
})

test('HTTP/2 without TLS: many streams, large bodies, both ways', async () => {
  await using listener = await startListener()
  const session = connectH2(`http://127.0.0.1:${listener.port}`)
  const small = await Promise.all(
    Array.from({ length: 300 }, (_, i) => overH2(session, `body ${i}`)),
  )
  assert.deepEqual(
    small.map(({ body }) => body.toString()),
    small.map((_, i) => `body ${i}`),
  )
  const large = Buffer.alloc(5_000_000, 'x')
  const answers = await Promise.all([overH2(session, large), overH2(session, large)])
  for (const { body, headers } of answers) {
    assert.ok(body.equals(large))
    assert.equal(headers['x-version'], '2')
    assert.equal(headers['x-loopback'], 'true')
  }
  session.close()
})

test('HTTP/2: windows are wide and a thousand streams may be open', async () => {
  await using listener = await startListener()
  const session = connectH2(`http://127.0.0.1:${listener.port}`)
  await once(session, 'remoteSettings')
  assert.equal(session.remoteSettings.initialWindowSize, 1024 * 1024)
  assert.ok((session.remoteSettings.maxConcurrentStreams ?? 0) >= 1000)
  await overH2(session, 'x')
  assert.ok((session.state.remoteWindowSize ?? 0) > 4 * 1024 * 1024)
  session.close()
})

test('HTTP/2: HEAD, GET and an empty body', async () => {
  await using listener = await startListener()
  const session = connectH2(`http://127.0.0.1:${listener.port}`)
  for (const method of ['HEAD', 'GET', 'POST']) {
    const { status, headers, body } = await overH2(session, '', { ':method': method })
    assert.deepEqual([status, headers['x-method'], body.byteLength], [200, method, 0])
  }
  session.close()
})

test('TLS: with ALPN both protocols are spoken', async () => {
  await using listener = await startListener()
  const session = connectH2(`https://127.0.0.1:${listener.port}`, trusting)
  assert.equal((await overH2(session, 'over h2')).body.toString(), 'over h2')
  assert.equal((session.socket as TLSSocket).alpnProtocol, 'h2')
  session.close()
  const { body, headers } = await overH1(httpsRequest, listener.port, 'over h1')
  assert.deepEqual([body.toString(), headers['x-version']], ['over h1', '1.1'])
})

test('TLS without ALPN: the first bytes inside decide, as the Java SDK needs it', async () => {
  await using listener = await startListener()
  const { port } = listener
  const createConnection = () => connectTls({ port, host: '127.0.0.1', ...trusting })
  const socket = createConnection()
  await once(socket, 'secureConnect')
  assert.equal(socket.alpnProtocol, false)
  // Node's client refuses to speak HTTP/2 unless it was negotiated, as its server does.
  Object.defineProperty(socket, 'alpnProtocol', { value: 'h2' })
  const session = connectH2(`https://127.0.0.1:${port}`, { createConnection: () => socket })
  const { body, headers } = await overH2(session, 'x'.repeat(100_000))
  assert.deepEqual([body.byteLength, headers['x-version']], [100_000, '2'])
  session.close()
  const plain = createConnection()
  plain.write(post('over h1', { Connection: 'close' }))
  assert.match((await buffer(plain)).toString(), /x-version: 1\.1[\s\S]*over h1$/)
})

test('TLS: the certificate is trusted by who trusts the authority, by name and by address', async () => {
  const { cert, key, ca } = await makeCertificate(['localhost', '127.0.0.1'], Date.now())
  await using listener = await startListener({ tls: async () => ({ cert, key }) })
  for (const servername of ['localhost', '']) {
    const socket = connectTls({ port: listener.port, host: '127.0.0.1', ca, servername })
    await once(socket, 'secureConnect')
    assert.equal(socket.authorized, true)
    socket.destroy()
  }
})

test('without an identity TLS peers are cut and the others served', async () => {
  const logger = recordingLogger()
  await using listener = await startListener({
    tls: () => Promise.reject(new Error('no key')),
    logger,
  })
  const socket = connectTls({ port: listener.port, host: '127.0.0.1', ...trusting })
  await assert.rejects(once(socket, 'secureConnect'))
  assert.equal(logger.errors.length, 1)
  assert.equal((await overH1(httpRequest, listener.port, 'x')).status, 200)
})

for (const protocol of ['1.1', '2'] as const) {
  const exchange = async (port: number, body = 'x'): Promise<Answer> => {
    if (protocol === '1.1') return overH1(httpRequest, port, body)
    const session = connectH2(`http://127.0.0.1:${port}`)
    session.on('error', () => {})
    try {
      return await overH2(session, body)
    } finally {
      session.destroy()
    }
  }

  test(`HTTP/${protocol}: a handler that throws is answered 500 and logged`, async () => {
    for (const handle of [
      () => {
        throw new Error('defect')
      },
      () => Promise.reject(new Error('defect')),
    ]) {
      const logger = recordingLogger()
      await using listener = await startListener({ handle, logger })
      assert.equal((await exchange(listener.port)).status, 500)
      assert.equal(logger.errors.length, 1)
    }
  })

  test(`HTTP/${protocol}: a cut reply is no reply`, async () => {
    await using listener = await startListener({
      handle: () => ({ status: 0, headers: {}, body: undefined }),
    })
    await assert.rejects(exchange(listener.port))
    await until(() => listener.metrics().requestsInFlight === 0)
  })

  test(`HTTP/${protocol}: an event stream is pulled only as fast as its peer reads`, async () => {
    let pulled = 0
    let returned = false
    const chunk = Buffer.alloc(1024 * 1024)
    const body: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          pulled++
          return { done: false, value: chunk }
        },
        return: async () => {
          returned = true
          return { done: true, value: undefined }
        },
      }),
    }
    await using listener = await startListener({
      handle: () => ({ status: 200, headers: { 'Content-Type': 'x/y' }, body }),
    })
    const { port } = listener
    const session = protocol === '2' ? connectH2(`http://127.0.0.1:${port}`) : undefined
    const request = session?.request({ ':path': '/' }) ?? httpRequest({ port, host: '127.0.0.1' })
    request.on('error', () => {})
    request.end()
    await once(request, 'response')
    await until(() => pulled > 0)
    assert.equal(listener.metrics().eventStreamsOpen, 1)
    // Nobody reads: what sockets and windows hold is taken, then no more.
    let before = -1
    for (let quiet = 0; quiet < 50; quiet = pulled === before ? quiet + 1 : 0) {
      before = pulled
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.ok(pulled < 30, `${pulled} chunks were pulled`)
    request.destroy()
    session?.destroy()
    await until(() => returned && listener.metrics().eventStreamsOpen === 0)
  })

  test(`HTTP/${protocol}: an event stream that waits learns at once that its peer left`, async () => {
    let returned = false
    const body: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: async () => {
          returned = true
          return { done: true, value: undefined }
        },
      }),
    }
    await using listener = await startListener({
      handle: () => ({ status: 200, headers: {}, body }),
    })
    const { port } = listener
    const session = protocol === '2' ? connectH2(`http://127.0.0.1:${port}`) : undefined
    const request = session?.request({ ':path': '/' }) ?? httpRequest({ port, host: '127.0.0.1' })
    request.on('error', () => {})
    request.end()
    // The head comes before the first event does.
    await once(request, 'response')
    request.destroy()
    session?.destroy()
    await until(() => returned && listener.metrics().eventStreamsOpen === 0)
  })
}
