// What the two protocols share while they serve: the handler, the bounds, who may be read, the event
// streams that are open, and whether the server is stopping.
import type { Logger } from '@millrace/base/logger'
import type { MaybePromise } from '@millrace/storage/engine'
import type { BodyBounds } from './body.ts'
import type { ListenerLimits } from './listener-limits.ts'
import type { HttpReply, HttpRequest } from './message.ts'
import type { Pumping } from './pump.ts'
import { replyHeaders } from './replies.ts'
import type { RequestIds } from './request-ids.ts'

export interface Serving {
  readonly handle: (request: HttpRequest) => MaybePromise<HttpReply>
  readonly limits: ListenerLimits
  readonly bodies: BodyBounds
  readonly logger: Logger
  /** For the answers that the handler doesn't give. */
  readonly ids: RequestIds
  readonly pumpings: Set<Pumping>
  isStopping: boolean
  /** Requests taken up and not yet answered. */
  inFlight: number
}

/** A content-length header's value; undefined when there is none or it isn't a number. */
export function contentLength(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  const length = Number(header)
  return Number.isSafeInteger(length) && length >= 0 ? length : undefined
}

export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:127\.|::1$|::ffff:127\.)/.test(address)
}

/** The answers that the listener gives itself carry what all answers carry. */
export function ownReply(
  serving: Serving,
  reply: HttpReply,
  origin: string | undefined,
): HttpReply {
  return { ...reply, headers: { ...replyHeaders(origin, serving.ids.next()), ...reply.headers } }
}

/** Answered on connections that stay open while the server stops; SDKs try again elsewhere or later. */
export function stoppingReply(): HttpReply {
  return unavailable('Millrace is stopping.')
}

export function overloadedReply(): HttpReply {
  return unavailable('Too many requests are waiting to be read. Try again.')
}

/** As HTTP names it; who answers nothing else to a silent peer need not say more. */
export function stalledReply(): HttpReply {
  return { status: 408, headers: { 'Content-Length': 0 }, body: undefined }
}

function unavailable(message: string): HttpReply {
  const body = JSON.stringify({ __type: 'ServiceUnavailableException', message })
  const headers = { 'Content-Type': 'application/x-amz-json-1.1', 'Content-Length': body.length }
  return { status: 503, headers, body }
}

/** The handler answers all it can itself; what it throws is a defect, and the peer still gets a reply. */
export function failureReply(serving: Serving, error: unknown): HttpReply {
  serving.logger.error('request handler failed', { error })
  return { status: 500, headers: { 'Content-Length': 0 }, body: undefined }
}
