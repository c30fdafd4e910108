// Who is calling, and whether they may: the gateway's two questions. `open` believes every well-formed
// signature; `verify` checks it against the configured keys. Authorisation by policies has its place here.
import type { Clock } from '@millrace/base/clock'
import type { MaybePromise } from '@millrace/storage/engine'
import type { HttpRequest } from '../http/message.ts'
import type { RequestContext } from '../platform/operation.ts'
import { createAuthenticate } from './authenticate.ts'

export interface Caller {
  /** 12 digits. */
  readonly account: string
  readonly region: string
  readonly accessKeyId: string
}

/** A call whose caller is known and whose input has passed all checks. */
export interface AuthorizedCall {
  readonly service: string
  readonly operation: string
  readonly input: unknown
  readonly context: RequestContext
}

export interface Access {
  /** The caller, or the WireError that AWS answers. `signingName` is the API's name in scopes. */
  authenticate(request: HttpRequest, signingName: string): Caller
  /** Returns when the caller may do this; throws AccessDeniedException when not. */
  authorize(call: AuthorizedCall): MaybePromise<void>
}

/** An access key that `verify` knows. */
export interface AccessKey {
  readonly id: string
  readonly secret: string
  /** 12 digits. */
  readonly account: string
}

export interface AccessOptions {
  readonly mode: 'open' | 'verify'
  /** The account of callers whose access key isn't an account number itself (`open`). */
  readonly account: string
  /** For `verify`; ids are unique. */
  readonly accessKeys?: readonly AccessKey[]
  readonly clock: Clock
}

export function createAccess(options: AccessOptions): Access {
  return {
    authenticate: createAuthenticate(options),
    // Whoever has a valid signature may do everything, as an account's root user may.
    authorize() {},
  }
}
