// Every bound of the listener: what a peer may hold of us, and for how long.

export interface ListenerLimits {
  /** Bytes of one body; more is answered 413. AWS's largest request is 10 MiB, which base64 makes 13.4 MiB. */
  readonly bodyBytesMax: number
  /** Bytes that have come of bodies not yet answered, all connections together; then reading waits. */
  readonly bodiesBytesMax: number
  /** Requests that wait for their turn to be read; more are answered 503. */
  readonly waitingMax: number
  /** Bytes of a request's head; more is answered 431. Session tokens need a few KiB. */
  readonly headBytesMax: number
  /** Open connections; more are closed at once. */
  readonly connectionsMax: number
  /** Streams open at once on one HTTP/2 connection. */
  readonly streamsMax: number
  /** A new connection must say something within this time. */
  readonly silenceMs: number
  /** A request's head must be complete within this time. */
  readonly headMs: number
  /** A request must be complete within this time. */
  readonly requestMs: number
  /** A body of which next to nothing comes for so long is answered 408 while others wait for memory. */
  readonly stalledMs: number
  /** An HTTP/1.1 connection without requests stays open this long; pooled SDK connections live 60 s. */
  readonly keepAliveMs: number
  /** A connection on which a request is under way may be without a byte either way this long. */
  readonly stallMs: number
  /** The same as `keepAliveMs` for HTTP/2, where connections are fewer and dearer; twice, when streams are open. */
  readonly sessionIdleMs: number
}

export const LISTENER_LIMITS: ListenerLimits = {
  bodyBytesMax: 16 * 1024 * 1024,
  bodiesBytesMax: 256 * 1024 * 1024,
  waitingMax: 10_000,
  headBytesMax: 32 * 1024,
  connectionsMax: 10_000,
  streamsMax: 2000,
  silenceMs: 30_000,
  headMs: 30_000,
  requestMs: 120_000,
  stalledMs: 10_000,
  keepAliveMs: 90_000,
  stallMs: 300_000,
  sessionIdleMs: 300_000,
}
