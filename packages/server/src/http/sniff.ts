// What a peer speaks, told by its first bytes: a TLS record begins with 0x16, the HTTP/2 preface with
// `PRI`, anything else is taken for HTTP/1.1 (whose parser answers garbage). The bytes are put back, so
// that whoever serves the socket sees them all.
import type { Duplex } from 'node:stream'
import { after } from './socket-time.ts'

export type Spoken = 'tls' | 'h2' | 'http/1.1'

const TLS_HANDSHAKE = 0x16
const PREFACE = 'PRI'

/**
 * Calls `told` once, unless the peer goes away; who says nothing for `silenceMs` is cut. Until then the
 * socket is in `listening`.
 */
export function sniff(
  socket: Duplex,
  listening: Set<Duplex>,
  silenceMs: number,
  told: (spoken: Spoken) => void,
): void {
  listening.add(socket)
  let seen: Buffer = Buffer.alloc(0)
  const cancel = after(silenceMs, () => socket.destroy())
  const look = (): void => {
    const chunk = socket.read() as Buffer | null
    if (chunk === null) return
    seen = seen.byteLength === 0 ? chunk : Buffer.concat([seen, chunk])
    const spoken = spokenIn(seen)
    if (spoken === undefined) return
    stop()
    socket.unshift(seen)
    told(spoken)
  }
  // Half a preface and then nothing more: there is nothing to serve.
  const ended = (): void => {
    stop()
    socket.destroy()
  }
  const stop = (): void => {
    cancel()
    listening.delete(socket)
    socket.off('readable', look)
    socket.off('end', ended)
    socket.off('close', stop)
  }
  socket.on('readable', look)
  socket.on('end', ended)
  socket.on('close', stop)
}

/** undefined when the bytes so far may still become a preface. */
export function spokenIn(bytes: Buffer): Spoken | undefined {
  if (bytes.byteLength === 0) return undefined
  if (bytes[0] === TLS_HANDSHAKE) return 'tls'
  const start = bytes.toString('latin1', 0, PREFACE.length)
  if (start === PREFACE) return 'h2'
  return PREFACE.startsWith(start) ? undefined : 'http/1.1'
}
