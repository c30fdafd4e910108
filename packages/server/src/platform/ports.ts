// What the gateway asks of the platform: small ports that http/ calls and platform/ implements, joined
// in app.ts. Each is called at most a few times per request, so none of them may be slow.
import type { MaybePromise } from '@millrace/storage/engine'
import type { HttpReply, HttpRequest } from '../http/message.ts'

/** One request that has been answered, as metrics and audit see it. */
export interface ObservedRequest {
  /** The API's name as in its contract, e.g. `kinesis`; empty when no service was recognised. */
  readonly service: string
  /** Empty when no known operation was named. */
  readonly operation: string
  /** Empty before authentication. */
  readonly account: string
  readonly region: string
  /** Name of the stream that the input names (by name or ARN), if any. */
  readonly stream: string | undefined
  /** HTTP status; 0 when the connection was cut on purpose (a fault of the tester's). */
  readonly status: number
  /** Short name of the error answered, e.g. `ResourceNotFoundException`. */
  readonly errorType: string | undefined
  /** Bytes of the request's body. */
  readonly bytesIn: number
  /** Bytes of the reply's body; 0 for event streams, whose bytes come later. */
  readonly bytesOut: number
  /** Real milliseconds from body read to reply ready, with fractions. */
  readonly ms: number
}

export interface RequestObserver {
  /** Must not throw; called synchronously once per answered API request. The object isn't reused. */
  observed(request: ObservedRequest): void
}

/** What the tester wants to go wrong with one request. */
export type Fault =
  /** Answered with the operation's own throttling error; it doesn't run. */
  | { readonly kind: 'throttle' }
  /** Answered with this error; it doesn't run. `status` follows from the type unless given. */
  | {
      readonly kind: 'error'
      readonly type: string
      readonly message?: string
      readonly status?: number
    }
  /** Runs this many milliseconds of service time later. */
  | { readonly kind: 'lag'; readonly ms: number }
  /** The connection ends without a reply; with `isAfterRun` only after the operation has taken effect. */
  | { readonly kind: 'cut'; readonly isAfterRun?: boolean }

export interface FaultHook {
  /** Asked after the input has been checked, before the operation runs. Must not throw. */
  before(service: string, operation: string, input: unknown): Fault | undefined
}

/**
 * Answers paths under `/_millrace/`; undefined means that the path isn't this route's. What it
 * throws is answered 500 and logged.
 */
export type ControlRoute = (request: HttpRequest) => MaybePromise<HttpReply> | undefined

/** Whether so much is unacknowledged that no more request bodies should be read for now. */
export type PressureGauge = () => boolean

export const noObserver: RequestObserver = { observed() {} }
export const noFaults: FaultHook = { before: () => undefined }
