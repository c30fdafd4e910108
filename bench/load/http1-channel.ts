// One keep-alive HTTP/1.1 connection over a raw socket. Bytes are read into one buffer that is reused,
// and a server that closes after each reply is met with a new connection for the next request.
import net from 'node:net'
import type { Channel, OnReply } from './channel.ts'
import { ReplyParser } from './reply-parser.ts'
import type { Prepared } from './request.ts'

const receiveBytes = 256 * 1024

export class Http1Channel implements Channel {
  readonly #port: number
  readonly #onFailure: (error: Error) => void
  readonly #parser: ReplyParser
  readonly #received = Buffer.allocUnsafe(receiveBytes)
  #socket: net.Socket
  #onReply: OnReply | undefined
  #isClosed = false

  constructor(port: number, onFailure: (error: Error) => void) {
    this.#port = port
    this.#onFailure = onFailure
    this.#parser = new ReplyParser((status, body) => this.#reply(status, body))
    this.#socket = this.#connect()
  }

  exchange(request: Prepared, onReply: OnReply): void {
    this.#onReply = onReply
    if (this.#socket.destroyed || this.#parser.closes) {
      this.#socket.destroy()
      this.#parser.closes = false
      this.#socket = this.#connect()
    }
    const [first, ...rest] = request.http1
    if (first === undefined) throw new Error('an empty request')
    if (rest.length === 0) {
      this.#socket.write(first)
      return
    }
    this.#socket.cork()
    for (const part of request.http1) this.#socket.write(part)
    this.#socket.uncork()
  }

  close(): void {
    this.#isClosed = true
    this.#socket.destroy()
  }

  #reply(status: number, body: Buffer): void {
    const onReply = this.#onReply
    this.#onReply = undefined
    onReply?.(status, body)
  }

  #connect(): net.Socket {
    const socket = net.connect({
      host: '127.0.0.1',
      port: this.#port,
      noDelay: true,
      onread: {
        buffer: this.#received,
        callback: (byteCount) => {
          try {
            if (socket === this.#socket) this.#parser.push(this.#received.subarray(0, byteCount))
          } catch (cause) {
            this.#fail(cause as Error)
          }
          return true
        },
      },
    })
    socket.on('error', (error) => this.#fail(error))
    socket.on('end', () => {
      if (socket !== this.#socket) return
      socket.destroy()
      const isWhole = this.#parser.end()
      // The reply that just ended may have sent the next request, on a connection of its own.
      if (socket !== this.#socket) return
      if (!isWhole) this.#fail(new Error('the connection ended within a reply'))
      else if (this.#onReply !== undefined) this.#fail(new Error('the connection was closed'))
    })
    return socket
  }

  #fail(error: Error): void {
    if (this.#isClosed) return
    this.close()
    this.#onFailure(error)
  }
}
