// What the tests of the listener share: a listener on a free port with short bounds, and peers that
// speak in raw bytes, so that they can misbehave.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Logger } from '@millrace/base/logger'
import { silentLogger } from '@millrace/base/logger'
import { type Listener, type ListenerOptions, listen } from './listener.ts'
import type { HttpReply, HttpRequest } from './message.ts'
import { openTlsIdentity, type TlsIdentity } from './tls-identity.ts'

/** Repeats what it was sent, with what the listener told about it in the headers. */
export function echo(request: HttpRequest): HttpReply {
  return {
    status: 200,
    headers: {
      'Content-Length': request.body.byteLength,
      'x-method': request.method,
      'x-target': request.target,
      'x-version': request.httpVersion,
      'x-loopback': String(request.isLoopback),
    },
    // A request's bytes are only there until it is answered.
    body: Buffer.from(request.body),
  }
}

/** A logger that keeps what it was told of failures, so that a test can say that there were none. */
export function recordingLogger(): Logger & { readonly errors: unknown[] } {
  const errors: unknown[] = []
  return { ...silentLogger, errors, error: (message, fields) => errors.push([message, fields]) }
}

let identity: Promise<TlsIdentity> | undefined

/** One certificate for all tests of a process; nothing is written. */
export function testIdentity(): Promise<TlsIdentity> {
  identity ??= openTlsIdentity({
    folder: undefined,
    host: '127.0.0.1',
    nowMs: Date.now(),
    logger: silentLogger,
  })
  return identity
}

/** A listener on a free port that is closed when the test's block ends. */
export async function startListener(
  options: Partial<ListenerOptions> = {},
): Promise<Listener & AsyncDisposable> {
  const listener = await listen({
    host: '127.0.0.1',
    port: 0,
    handle: echo,
    logger: silentLogger,
    tls: testIdentity,
    ...options,
  })
  return { ...listener, [Symbol.asyncDispose]: () => listener.close(0) }
}

export async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Sends bytes and gives all that comes back until the server closes the connection. */
export async function talk(port: number, ...parts: (string | Uint8Array)[]): Promise<string> {
  const socket = await dial(port)
  for (const part of parts) socket.write(part)
  return heard(socket)
}

/** All that still comes until the connection ends, also when it ends with a reset. */
export async function heard(socket: Socket): Promise<string> {
  let seen = ''
  socket.setEncoding('latin1')
  socket.on('data', (chunk) => {
    seen += chunk
  })
  if (!socket.closed) await new Promise((resolve) => socket.on('close', resolve))
  return seen
}

/** A request in HTTP/1.1's bytes. */
export function post(
  body: string,
  headers: Readonly<Record<string, string>> = {},
  target = '/',
): string {
  const all = { Host: 'localhost', 'Content-Length': String(Buffer.byteLength(body)), ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `POST ${target} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

/** Resolves when the condition holds; looks again at each turn of the event loop. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}
