// The least HTTP/1.1 reply parser that a benchmark can trust: status, then a body by Content-Length, by
// chunks, or until the connection ends. One buffer per connection, reused; one reply at a time.
import type { OnReply } from './channel.ts'

type Framing = { kind: 'length'; end: number } | { kind: 'chunks' } | { kind: 'until-close' }

export class ReplyParser {
  /** Set when the reply says `Connection: close` or has no other end. */
  closes = false
  readonly #onReply: OnReply
  #buffer = Buffer.allocUnsafe(64 * 1024)
  #filled = 0
  #status = 0
  #bodyStart = 0
  #framing: Framing | undefined
  /** Chunked only: where the next chunk's size line is looked for, and where its payload goes. */
  #readAt = 0
  #writeAt = 0

  constructor(onReply: OnReply) {
    this.#onReply = onReply
  }

  /** Throws on anything that is not a reply, or on bytes behind one. */
  push(chunk: Buffer): void {
    this.#append(chunk)
    if (this.#framing === undefined && !this.#readHead()) return
    if (this.#framing?.kind === 'length') {
      if (this.#filled < this.#framing.end) return
      if (this.#filled > this.#framing.end) throw new Error('bytes behind the end of a reply')
      this.#deliver(this.#bodyStart, this.#framing.end)
    } else if (this.#framing?.kind === 'chunks') {
      if (this.#readChunks()) this.#deliver(this.#bodyStart, this.#writeAt)
    }
  }

  /** The connection ended. True when that completed a reply or nothing was under way. */
  end(): boolean {
    if (this.#framing?.kind === 'until-close') {
      this.#deliver(this.#bodyStart, this.#filled)
      return true
    }
    return this.#filled === 0
  }

  #append(chunk: Buffer): void {
    const needed = this.#filled + chunk.length
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
      this.#buffer.copy(larger, 0, 0, this.#filled)
      this.#buffer = larger
    }
    chunk.copy(this.#buffer, this.#filled)
    this.#filled = needed
  }

  #readHead(): boolean {
    const headEnd = this.#buffer.subarray(0, this.#filled).indexOf('\r\n\r\n')
    if (headEnd < 0) return false
    const head = this.#buffer.latin1Slice(0, headEnd + 2).toLowerCase()
    const status = /^http\/1\.[01] (\d{3})/.exec(head)?.[1]
    if (status === undefined) throw new Error(`not an HTTP reply: ${head.slice(0, 80)}`)
    this.#status = Number(status)
    this.#bodyStart = headEnd + 4
    this.closes = head.includes('\r\nconnection: close\r\n')
    const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1]
    if (head.includes('\r\ntransfer-encoding: chunked\r\n')) {
      this.#framing = { kind: 'chunks' }
      this.#readAt = this.#bodyStart
      this.#writeAt = this.#bodyStart
    } else if (length !== undefined) {
      const end = this.#bodyStart + Number(length)
      this.#framing = { kind: 'length', end }
      // Room for the whole reply at once, rather than by doubling and copying.
      if (end > this.#buffer.length) {
        const larger = Buffer.allocUnsafe(end)
        this.#buffer.copy(larger, 0, 0, this.#filled)
        this.#buffer = larger
      }
    } else {
      this.#framing = { kind: 'until-close' }
      this.closes = true
    }
    return true
  }

  /** Moves each chunk's payload down to follow the one before; true at the last chunk. */
  #readChunks(): boolean {
    while (true) {
      const lineEnd = this.#buffer.subarray(this.#readAt, this.#filled).indexOf('\r\n')
      if (lineEnd < 0) return false
      const line = this.#buffer.latin1Slice(this.#readAt, this.#readAt + lineEnd)
      const size = Number.parseInt(line, 16)
      if (Number.isNaN(size)) throw new Error(`not a chunk size: ${line.slice(0, 40)}`)
      const payload = this.#readAt + lineEnd + 2
      if (this.#filled < payload + size + 2) return false
      if (size === 0) return true
      this.#buffer.copyWithin(this.#writeAt, payload, payload + size)
      this.#writeAt += size
      this.#readAt = payload + size + 2
    }
  }

  #deliver(start: number, end: number): void {
    this.#filled = 0
    this.#framing = undefined
    this.#onReply(this.#status, this.#buffer.subarray(start, end))
  }
}
