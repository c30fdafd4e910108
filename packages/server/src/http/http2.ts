// HTTP/2 on sockets that the listener hands over, with or without TLS. The windows are large, because
// the default of 64 KiB makes large bodies five times slower; slow peers are bounded here, since
// node's HTTP/2 server has no timeouts of its own for a body that doesn't come.
import {
  constants,
  createServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Duplex } from 'node:stream'
import { type BodyOwner, BodyReader } from './body.ts'
import type { HttpReply } from './message.ts'
import { pump } from './pump.ts'
import {
  contentLength,
  failureReply,
  isLoopback,
  overloadedReply,
  ownReply,
  type Serving,
  stalledReply,
  stoppingReply,
} from './serving.ts'
import { after, Deadlines } from './socket-time.ts'

/** What one stream may send before it must be told to go on. */
const STREAM_WINDOW_BYTES = 1024 * 1024
/** The same for all streams of a connection together. */
const SESSION_WINDOW_BYTES = 8 * 1024 * 1024
/** MB of queued replies and bookkeeping of one connection; node's 10 would refuse streams beside a large page. */
const SESSION_MEMORY_MB = 256

const EMPTY: Buffer = Buffer.alloc(0)

export interface Http2 {
  /** Serves a socket whose bytes begin with the preface; what was read must have been put back. */
  serve(socket: Duplex): void
  /** Tells all peers to open no new streams; connections end when their streams have. */
  goAway(): void
}

export function createHttp2(serving: Serving): Http2 {
  const { limits } = serving
  /** Whether the peer is on this machine, by open session. */
  const sessions = new Map<Http2Session, boolean>()
  const slow = new Deadlines<Http2Exchange>(limits.requestMs, (exchange) => exchange.timedOut())
  const server = createServer({
    settings: {
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxConcurrentStreams: limits.streamsMax,
      maxHeaderListSize: limits.headBytesMax,
    },
    maxSessionMemory: SESSION_MEMORY_MB,
  })
  server.on('session', (session) => {
    sessions.set(session, isLoopback(session.socket.remoteAddress))
    session.setLocalWindowSize(SESSION_WINDOW_BYTES)
    session.on('close', () => sessions.delete(session))
    session.setTimeout(limits.sessionIdleMs, () => {
      session.close()
      // Streams still open have as long again; their peer may not be reading at all.
      session.on(
        'close',
        after(limits.sessionIdleMs, () => session.destroy()),
      )
    })
    if (serving.isStopping) session.close()
  })
  // A peer that breaks the protocol or its connection loses its session; nobody else is concerned.
  server.on('sessionError', (error) => {
    serving.logger.debug('h2 session failed', { error: error.message })
  })
  server.on('stream', (stream, headers) => {
    const isNear = stream.session !== undefined && sessions.get(stream.session) === true
    const exchange = new Http2Exchange(serving, stream as ServerHttp2Stream, headers, isNear, slow)
    // A tunnel's bytes are no body, and their end is nothing to wait for.
    if (headers[':method'] === 'CONNECT') exchange.bodyRead(EMPTY)
    else exchange.start()
  })
  return {
    serve: (socket) => server.emit('connection', socket),
    goAway() {
      for (const session of sessions.keys()) session.close()
    },
  }
}

class Http2Exchange implements BodyOwner {
  readonly #serving: Serving
  readonly #stream: ServerHttp2Stream
  readonly #headers: IncomingHttpHeaders
  readonly #isLoopback: boolean
  readonly #reader: BodyReader
  readonly #slow: Deadlines<Http2Exchange>

  constructor(
    serving: Serving,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    isLoopback: boolean,
    slow: Deadlines<Http2Exchange>,
  ) {
    this.#serving = serving
    this.#stream = stream
    this.#headers = headers
    this.#isLoopback = isLoopback
    serving.inFlight++
    // A reset stream is no event; without a listener its error would end the process.
    stream.on('error', ignored)
    const announced = contentLength(headers['content-length'])
    this.#slow = slow
    slow.add(this)
    this.#reader = new BodyReader(stream, announced, STREAM_WINDOW_BYTES, serving.bodies, this)
  }

  start(): void {
    this.#reader.start()
  }

  bodyRead(body: Buffer): void {
    this.#slow.delete(this)
    const serving = this.#serving
    if (serving.isStopping) {
      this.#sendOwn(stoppingReply())
      return
    }
    const headers = this.#headers
    try {
      const reply = serving.handle({
        method: headers[':method'] ?? 'GET',
        target: headers[':path'] ?? '/',
        httpVersion: '2',
        headers: headers as Record<string, string | undefined>,
        body,
        isLoopback: this.#isLoopback,
      })
      if (reply instanceof Promise) void this.#sendLater(reply)
      else this.#send(reply)
    } catch (error) {
      this.#sendOwn(failureReply(serving, error))
    }
  }

  bodyRefused(): void {
    this.#sendOwn(overloadedReply())
  }

  bodyStalled(): void {
    this.#sendOwn(stalledReply())
  }

  bodyTooLarge(): void {
    // The rest is read and dropped: a reset right behind the answer would overtake it.
    this.#sendOwn({ status: 413, headers: {}, body: undefined })
  }

  bodyCut(): void {
    this.#slow.delete(this)
    this.#over()
  }

  /** The body took too long. */
  timedOut(): void {
    this.#stream.close(constants.NGHTTP2_CANCEL)
  }

  async #sendLater(reply: Promise<HttpReply>): Promise<void> {
    let settled: HttpReply
    try {
      settled = await reply
    } catch (error) {
      this.#sendOwn(failureReply(this.#serving, error))
      return
    }
    this.#send(settled)
  }

  #sendOwn(reply: HttpReply): void {
    this.#send(ownReply(this.#serving, reply, this.#headers.origin))
  }

  #send({ status, headers, body }: HttpReply): void {
    this.#over()
    const stream = this.#stream
    // The peer may have reset the stream while the operation ran.
    if (stream.destroyed || stream.closed) {
      if (isStream(body)) void body[Symbol.asyncIterator]().return?.()
      return
    }
    if (status === 0) {
      stream.close(constants.NGHTTP2_INTERNAL_ERROR)
      return
    }
    headers[':status'] = status
    // A field of HTTP/1.1 connections; in HTTP/2 it is an error.
    delete headers.Connection
    if (body === undefined || this.#headers[':method'] === 'HEAD') {
      stream.respond(headers, { endStream: true })
    } else if (isStream(body)) {
      stream.respond(headers)
      void this.#streamOut(body)
    } else {
      stream.respond(headers)
      stream.end(body)
    }
  }

  async #streamOut(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { pumpings, logger } = this.#serving
    const pumping = pump(chunks, this.#stream)
    pumpings.add(pumping)
    try {
      await pumping.done
    } catch (error) {
      logger.error('event stream failed', { error })
      this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    } finally {
      pumpings.delete(pumping)
    }
  }

  #over(): void {
    this.#serving.inFlight--
    this.#reader.release()
  }
}

function ignored(): void {}

function isStream(body: HttpReply['body']): body is AsyncIterable<Uint8Array> {
  return body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array)
}
