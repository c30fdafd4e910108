// One port for everything: the first bytes of a connection tell TLS, HTTP/2 and HTTP/1.1 apart, inside
// TLS once more. Everything a peer can hold is bounded by `listener-limits.ts`.
import { createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Logger } from '@millrace/base/logger'
import { type Random, systemRandom } from '@millrace/base/random'
import type { MaybePromise } from '@millrace/storage/engine'
import type { PressureGauge } from '../platform/ports.ts'
import { BodyBuffers } from './body-buffers.ts'
import { createHttp1 } from './http1.ts'
import type { Http2 } from './http2.ts'
import { Intake } from './intake.ts'
import { LISTENER_LIMITS, type ListenerLimits } from './listener-limits.ts'
import type { HttpReply, HttpRequest } from './message.ts'
import { RequestIds } from './request-ids.ts'
import type { Serving } from './serving.ts'
import { sniff } from './sniff.ts'
import { after } from './socket-time.ts'
import { createTls } from './tls.ts'
import type { TlsIdentity } from './tls-identity.ts'

/** How often idle connections are looked for while the server stops. */
const SWEEP_MS = 20

export interface ListenerOptions {
  readonly host: string
  /** 0 = any free one. */
  readonly port: number
  readonly handle: (request: HttpRequest) => MaybePromise<HttpReply>
  readonly logger: Logger
  readonly isPressed?: PressureGauge
  readonly random?: Random
  /** Asked when the first peer speaks TLS; without it such peers are cut. */
  readonly tls?: () => Promise<TlsIdentity>
  readonly limits?: Partial<ListenerLimits>
}

export interface ListenerMetrics {
  readonly connectionsOpen: number
  readonly requestsInFlight: number
  readonly eventStreamsOpen: number
  readonly bodyBytesHeld: number
  readonly requestsWaiting: number
}

export interface Listener {
  readonly host: string
  readonly port: number
  metrics(): ListenerMetrics
  /**
   * Stops accepting; requests under way are finished, new ones on open connections are answered 503,
   * event streams are ended in good order. What still runs after `graceMs` is cut.
   */
  close(graceMs?: number): Promise<void>
}

/** Rejects with the system's error, e.g. EADDRINUSE. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const limits = { ...LISTENER_LIMITS, ...options.limits }
  const { bodiesBytesMax: bytesMax, bodyBytesMax, waitingMax, stalledMs } = limits
  const intake = new Intake(
    { bytesMax, bodyBytesMax, waitingMax, stalledMs },
    options.isPressed ?? (() => false),
  )
  const serving: Serving = {
    handle: options.handle,
    limits,
    bodies: { bytesMax: limits.bodyBytesMax, buffers: new BodyBuffers(), intake },
    logger: options.logger,
    ids: new RequestIds(options.random ?? systemRandom),
    pumpings: new Set(),
    isStopping: false,
    inFlight: 0,
  }
  const sockets = new Set<Socket>()
  const listening = new Set<Duplex>()
  const http1 = createHttp1(serving)
  // Loaded with the first peer that speaks it: it would cost every start 30 ms and 11 MB.
  let http2: Http2 | undefined
  const serveHttp2 = async (socket: Duplex): Promise<void> => {
    const { createHttp2 } = await import('./http2.ts')
    http2 ??= createHttp2(serving)
    if (!socket.destroyed) http2.serve(socket)
  }
  const serve = (socket: Duplex, spoken: 'h2' | 'http/1.1'): void => {
    if (spoken === 'http/1.1') http1.serve(socket)
    else if (http2 !== undefined) http2.serve(socket)
    else void serveHttp2(socket)
  }
  const { tls: identity, logger } = options
  const serveTls =
    identity === undefined ? undefined : createTls({ identity, limits, listening, logger, serve })
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // A peer that resets its connection is no event; without a listener it would end the process.
    socket.on('error', () => {})
    sniff(socket, listening, limits.silenceMs, (spoken) => {
      if (spoken !== 'tls') serve(socket, spoken)
      else if (serveTls !== undefined) serveTls(socket)
      else socket.destroy()
    })
  })
  server.maxConnections = limits.connectionsMax

  const { port } = await bound(server, options)
  // Accepting may fail (no more descriptors); those that are served go on.
  server.on('error', (error) => logger.error('a connection was not accepted', { error }))
  return {
    host: options.host,
    port,
    metrics: () => ({
      connectionsOpen: sockets.size,
      requestsInFlight: serving.inFlight,
      eventStreamsOpen: serving.pumpings.size,
      bodyBytesHeld: intake.bytes,
      requestsWaiting: intake.waitingCount,
    }),
    close: async (graceMs = 10_000) => {
      serving.isStopping = true
      const ended = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const pumping of serving.pumpings) pumping.stop()
      http2?.goAway()
      // Again and again, since connections fall idle, and half-open ones open, while others finish.
      const sweep = (): void => {
        for (const socket of listening) socket.destroy()
        http1.closeIdle()
        cancelSweep = after(SWEEP_MS, sweep)
      }
      let cancelSweep = (): void => {}
      sweep()
      const cancelCut = after(graceMs, () => {
        for (const socket of sockets) socket.destroy()
      })
      await ended
      cancelSweep()
      cancelCut()
      http1.close()
    },
  }
}

function bound(server: Server, { host, port }: ListenerOptions): Promise<{ port: number }> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', reject)
      const address = server.address()
      resolve({ port: typeof address === 'object' && address !== null ? address.port : port })
    })
  })
}
