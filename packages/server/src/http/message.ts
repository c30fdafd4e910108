// A request and its reply between the listener (bytes, sockets) and the dispatcher (meaning).
// `inject` in tests makes the same values without a socket.

export interface HttpRequest {
  readonly method: string
  /** The request target as received: origin form, or a whole URL from clients that send one. */
  readonly target: string
  readonly httpVersion: '1.1' | '2'
  /** Lower-case names; several values of one name joined by `, `. `:authority` of h2 is kept. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Buffer
  /** Whether the peer is on this machine. */
  readonly isLoopback: boolean
}

export interface HttpReply {
  readonly status: number
  readonly headers: Record<string, string | number>
  /** Nothing, a whole body, or (for event streams) chunks that are pulled as the socket drains. */
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array> | undefined
}
