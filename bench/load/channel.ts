// The one thing a load loop needs of a transport: send a prepared request, be told of the whole reply.
// A channel carries one request at a time; concurrency is the number of channels.
import type { Prepared } from './request.ts'

/** `body` is valid only until the callback returns. */
export type OnReply = (status: number, body: Buffer) => void

export interface Channel {
  /** A transport failure goes to the channel's `onFailure`, and the reply then never comes. */
  exchange(request: Prepared, onReply: OnReply): void
  close(): void
}

export type Transport = 'http1' | 'http2'

/** For set-up and checks, where cost does not matter: the reply as a promise, the body copied. */
export function exchangeOnce(
  channel: Channel,
  request: Prepared,
): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve) => {
    channel.exchange(request, (status, body) => resolve({ status, body: Buffer.from(body) }))
  })
}
