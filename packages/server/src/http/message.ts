// A request and its reply between the listener (bytes, sockets) and the dispatcher (meaning).
// `inject` in tests makes the same values without a socket.

export interface HttpRequest {
  readonly method: string
  /** The request target as received: origin form, or a whole URL from clients that send one. */
  readonly target: string
  readonly httpVersion: '1.1' | '2'
  /** Lower-case names; several values of one name joined by `, `. `:authority` of h2 is kept. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /**
   * As received, before any content encoding is undone: signatures are over these bytes. They are only
   * there until the reply is given; then their buffer is used for another request.
   */
  readonly body: Buffer
  /** Whether the peer is on this machine. */
  readonly isLoopback: boolean
}

export interface HttpReply {
  /** 0 means that the connection ends without an answer (on h2: the stream is reset). */
  readonly status: number
  readonly headers: Record<string, string | number>
  /**
   * Nothing, a whole body, or (for event streams) chunks that are pulled as the socket drains; their
   * iterator's `return` is called when the peer goes away, also while a `next` is pending. Bytes are
   * not copied on their way out: what was handed over must not be written to again.
   */
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array> | undefined
}
