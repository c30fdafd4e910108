// HTTP/1.1 on sockets that the listener hands over: node's server without a port of its own. Heads are
// bounded in size and time, `Expect: 100-continue` is answered only for bodies that would be taken, and a
// whole reply goes out in one write.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
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

// By name from the module, its exports would all be read, WebSocket and fetch among them, which costs
// a start 40 ms and 16 MB.
const { createServer, ServerResponse: Response } = process.getBuiltinModule('node:http')

/** Whether a socket's peer is on this machine: asked once per connection. */
const NEAR = Symbol('peer is on this machine')
type Served = Duplex & { [NEAR]?: boolean }

const EMPTY: Buffer = Buffer.alloc(0)

/** What a socket's peer gets rid of while its request isn't read: what node reads at once. */
const PUSHABLE_BYTES_MAX = 64 * 1024

/** Replies of bytes up to this size are sent as text, byte by byte the same. */
const TEXT_BYTES_MAX = 4096

export interface Http1 {
  /** Serves a socket; bytes already read from it must have been put back. */
  serve(socket: Duplex): void
  /** Closes connections that have no request under way; not all of them at each call. */
  closeIdle(): void
  close(): void
}

export function createHttp1(serving: Serving): Http1 {
  const { limits } = serving
  const server: Server = createServer({
    maxHeaderSize: limits.headBytesMax,
    headersTimeout: Math.min(limits.headMs, limits.requestMs),
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(5000, Math.ceil(limits.headMs / 4)),
    noDelay: true,
    insecureHTTPParser: false,
  })
  server.setTimeout(limits.stallMs)
  server.on('request', (incoming, response) => {
    new Http1Exchange(serving, incoming, response).start()
  })
  server.on('checkContinue', (incoming, response) => {
    const announced = contentLength(incoming.headers['content-length'])
    if (announced === undefined || announced <= limits.bodyBytesMax) response.writeContinue()
    new Http1Exchange(serving, incoming, response).start()
  })
  server.on('checkExpectation', (incoming, response) => {
    new Http1Exchange(serving, incoming, response).unexpected()
  })
  // Node gives up the socket, for a tunnel; it is answered as any method that isn't POST, and ends.
  server.on('connect', (incoming, socket) => {
    const response = new Response(incoming)
    response.shouldKeepAlive = false
    response.assignSocket(socket as Socket)
    response.on('finish', () => socket.end())
    new Http1Exchange(serving, incoming, response).bodyRead(EMPTY)
  })
  // Node looks for slow requests only on a server that listens; this one's sockets come from outside.
  server.emit('listening')
  const sockets = new Set<Duplex>()
  return {
    serve(socket: Served) {
      sockets.add(socket)
      socket[NEAR] = isLoopback((socket as Socket).remoteAddress)
      socket.on('close', () => sockets.delete(socket))
      server.emit('connection', socket)
    },
    closeIdle() {
      // Node takes a connection for idle as soon as its answer was handed over. While one is still on
      // its way out, nobody is closed.
      for (const socket of sockets) if (socket.writableLength > 0) return
      server.closeIdleConnections()
    },
    close() {
      server.closeAllConnections()
      // Ends the search for slow requests. That it never listened itself is no news.
      server.close(() => {})
    },
  }
}

class Http1Exchange implements BodyOwner {
  readonly #serving: Serving
  readonly #incoming: IncomingMessage
  readonly #response: ServerResponse
  readonly #reader: BodyReader

  constructor(serving: Serving, incoming: IncomingMessage, response: ServerResponse) {
    this.#serving = serving
    this.#incoming = incoming
    this.#response = response
    serving.inFlight++
    const announced =
      incoming.headers['transfer-encoding'] === undefined
        ? (contentLength(incoming.headers['content-length']) ?? 0)
        : undefined
    this.#reader = new BodyReader(incoming, announced, PUSHABLE_BYTES_MAX, serving.bodies, this)
  }

  start(): void {
    this.#reader.start()
  }

  /** What it expects, beside being told to continue, nobody knows. */
  unexpected(): void {
    this.#sendOwn({ status: 417, headers: { 'Content-Length': 0 }, body: undefined })
  }

  bodyRead(body: Buffer): void {
    const serving = this.#serving
    if (serving.isStopping) {
      this.#sendOwn(stoppingReply())
      return
    }
    const incoming = this.#incoming
    const { method = 'GET', url: target = '/', headers } = incoming
    try {
      const reply = serving.handle({
        method,
        target,
        httpVersion: '1.1',
        headers: headers as Record<string, string | undefined>,
        body,
        isLoopback: (incoming.socket as Served)[NEAR] === true,
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
    this.#response.shouldKeepAlive = false
    this.#sendOwn(stalledReply())
  }

  bodyTooLarge(): void {
    // As AWS answers it: no body, and no length either.
    this.#sendOwn({ status: 413, headers: { 'Transfer-Encoding': 'chunked' }, body: undefined })
  }

  bodyCut(): void {
    this.#over()
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
    this.#send(ownReply(this.#serving, reply, this.#incoming.headers.origin))
  }

  #send({ status, headers, body }: HttpReply): void {
    this.#over()
    const response = this.#response
    if (status === 0) {
      response.destroy()
      return
    }
    if (this.#serving.isStopping) headers.Connection = 'close'
    response.writeHead(status, headers)
    if (body === undefined || typeof body === 'string') {
      response.end(body)
    } else if (body instanceof Uint8Array) {
      // Text goes out in one piece with the head, bytes don't: 1 µs of 16 for a small reply.
      if (body.byteLength > TEXT_BYTES_MAX || !Buffer.isBuffer(body)) response.end(body)
      else response.end(body.latin1Slice(0, body.byteLength), 'latin1')
    } else {
      response.flushHeaders()
      void this.#stream(body)
    }
  }

  async #stream(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { pumpings, logger } = this.#serving
    const pumping = pump(chunks, this.#response)
    pumpings.add(pumping)
    try {
      await pumping.done
    } catch (error) {
      logger.error('event stream failed', { error })
      this.#response.destroy()
    } finally {
      pumpings.delete(pumping)
    }
  }

  #over(): void {
    this.#serving.inFlight--
    this.#reader.release()
  }
}
