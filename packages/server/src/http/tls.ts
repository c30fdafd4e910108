// TLS on sockets that the listener hands over. The identity is asked for when the first peer speaks TLS
// (or when somebody wanted it earlier), so that a plain start doesn't pay for it.
import type { Duplex } from 'node:stream'
import type { Server, TLSSocket } from 'node:tls'
import type { Logger } from '@millrace/base/logger'
import type { ListenerLimits } from './listener-limits.ts'
import { sniff } from './sniff.ts'
import type { TlsIdentity } from './tls-identity.ts'

export interface TlsParts {
  readonly identity: () => Promise<TlsIdentity>
  readonly limits: ListenerLimits
  readonly logger: Logger
  /** Sockets that have not yet said what they speak. */
  readonly listening: Set<Duplex>
  /** Takes over a decrypted socket. */
  readonly serve: (socket: Duplex, spoken: 'h2' | 'http/1.1') => void
}

/** Returns what serves a socket whose first byte says TLS. */
export function createTls(parts: TlsParts): (socket: Duplex) => void {
  const { limits, logger } = parts
  let opening: Promise<Server> | undefined
  let server: Server | undefined

  return function serve(socket) {
    if (server !== undefined) {
      server.emit('connection', socket)
      return
    }
    opening ??= open()
    opening.then(
      (opened) => {
        server = opened
        if (!socket.destroyed) opened.emit('connection', socket)
      },
      (error: unknown) => {
        opening = undefined
        logger.error('TLS is not available', { error })
        socket.destroy()
      },
    )
  }

  async function open(): Promise<Server> {
    const [tls, { cert, key }] = await Promise.all([import('node:tls'), parts.identity()])
    const opened = tls.createServer({
      cert,
      key,
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: limits.silenceMs,
    })
    opened.on('secureConnection', accept)
    // Scanners, and clients that don't trust the certificate: theirs to fix, so no noise in the log.
    opened.on('tlsClientError', (error, socket) => {
      logger.debug('TLS handshake failed', { error: error.message })
      socket.destroy()
    })
    return opened
  }

  function accept(socket: TLSSocket): void {
    socket.on('error', () => {})
    if (socket.alpnProtocol === 'h2' || socket.alpnProtocol === 'http/1.1') {
      parts.serve(socket, socket.alpnProtocol)
      return
    }
    sniff(socket, parts.listening, limits.silenceMs, (spoken) => {
      if (spoken === 'tls') {
        socket.destroy()
        return
      }
      // The Java SDK's asynchronous client speaks HTTP/2 without having negotiated it; node's server
      // refuses such a socket unless it looks negotiated (seen with KCL 3.5.1 and 2.7.2).
      if (spoken === 'h2') socket.alpnProtocol = 'h2'
      parts.serve(socket, spoken)
    })
  }
}
