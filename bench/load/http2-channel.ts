// HTTP/2 by prior knowledge: one session with wide windows, as many concurrent streams on it as the
// scenario has channels. The 64 KiB default windows would measure nothing but themselves.
import http2 from 'node:http2'
import type { Channel, OnReply } from './channel.ts'
import type { Prepared } from './request.ts'

const windowBytes = 16 * 1024 * 1024

export class Http2Session {
  readonly #session: http2.ClientHttp2Session

  private constructor(session: http2.ClientHttp2Session) {
    this.#session = session
  }

  /** Resolves when the server's settings have come, so that its windows are known. */
  static open(port: number, onFailure: (error: Error) => void): Promise<Http2Session> {
    return new Promise((resolve, reject) => {
      const session = http2.connect(`http://127.0.0.1:${port}`, {
        settings: { initialWindowSize: windowBytes, enablePush: false },
      })
      let isOpen = false
      const fail = (error: Error): void => (isOpen ? onFailure(error) : reject(error))
      session.on('error', fail)
      session.on('close', () => fail(new Error('the HTTP/2 session was closed')))
      session.once('remoteSettings', () => {
        session.setLocalWindowSize(windowBytes)
        isOpen = true
        resolve(new Http2Session(session))
      })
    })
  }

  channel(onFailure: (error: Error) => void): Channel {
    return {
      exchange: (request, onReply) => this.#exchange(request, onReply, onFailure),
      close: () => {},
    }
  }

  close(): void {
    this.#session.removeAllListeners('close')
    this.#session.on('error', () => {})
    this.#session.destroy()
  }

  #exchange(request: Prepared, onReply: OnReply, onFailure: (error: Error) => void): void {
    const stream = this.#session.request(request.headers)
    let status = 0
    const chunks: Buffer[] = []
    stream.on('response', (headers) => {
      status = headers[':status'] ?? 0
    })
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', onFailure)
    stream.on('end', () =>
      onReply(status, chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)),
    )
    for (const part of request.body.slice(0, -1)) stream.write(part)
    stream.end(request.body.at(-1))
  }
}
