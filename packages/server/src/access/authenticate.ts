// Who signed a request. In `open` the signature only has to be well formed: a 12-digit access key is
// the account, and the region comes from the credential's scope. In `verify` the key must be known and
// the signature right and at most five minutes old. The order of checks is AWS's.
//
// In `open` the same credential comes back with every request of a client, so the good path is a few
// searches and one lookup.
import { WireError } from '@millrace/wire/errors'
import {
  ALGORITHM,
  isoBasic,
  isSignedWith,
  parseSigningDate,
  SigningKeys,
  TERMINATOR,
} from '@millrace/wire/sigv4'
import {
  type Claim,
  type CredentialScope,
  readClaim,
  readCredential,
} from '@millrace/wire/sigv4-claim'
import type { HttpRequest } from '../http/message.ts'
import type { AccessOptions, Caller } from './access.ts'

export type Authenticate = (request: HttpRequest, signingName: string) => Caller

/** Credentials remembered in `open`; a client has one per day, region and service. */
const CALLERS_MAX = 4096
const SKEW_MINUTES = 5
const MINUTE_MS = 60_000
/** The longest that AWS lets a signature in a query live. */
const EXPIRES_SECONDS_MAX = 7 * 24 * 60 * 60

export function createAuthenticate(options: AccessOptions): Authenticate {
  return options.mode === 'open' ? openAuthenticate(options) : verifyAuthenticate(options)
}

function openAuthenticate({ account }: AccessOptions): Authenticate {
  const callers = new Map<string, Caller>()
  return (request, signingName) => {
    const quick = quickCredential(request)
    // The service is part of the credential, and only whole credentials of the right one are kept.
    const known = quick === undefined ? undefined : callers.get(quick)
    if (known !== undefined && quick?.endsWith(`/${signingName}/${TERMINATOR}`)) return known
    const { credential } = readClaim(request)
    const scope = readCredential(credential)
    checkScope(scope, signingName, undefined)
    const caller: Caller = {
      account: /^\d{12}$/.test(scope.accessKeyId) ? scope.accessKeyId : account,
      region: scope.region,
      accessKeyId: scope.accessKeyId,
    }
    if (callers.size >= CALLERS_MAX) callers.clear()
    callers.set(credential, caller)
    return caller
  }
}

function verifyAuthenticate({ accessKeys = [], clock }: AccessOptions): Authenticate {
  const known = new Map(accessKeys.map((key) => [key.id, key]))
  const signingKeys = new SigningKeys()
  return (request, signingName) => {
    const claim = readClaim(request)
    const date = currentDate(claim, clock.wallMs())
    if (!/(?:^|;)(?:host|:authority)(?:;|$)/i.test(claim.signedHeaders)) {
      throw invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    }
    if (claim.algorithm !== ALGORITHM) {
      throw new WireError(
        'IncompleteSignatureException',
        `Unsupported AWS 'algorithm': '${claim.algorithm}' (only ${ALGORITHM} for now). `,
      )
    }
    const scope = readCredential(claim.credential)
    checkScope(scope, signingName, date)
    const key = known.get(scope.accessKeyId)
    if (key === undefined) throw unrecognized()
    const signingKey = signingKeys.keyFor(key.secret, scope)
    if (!isSignedWith(signingKey, request, claim, date, scope)) {
      throw invalid(
        'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
      )
    }
    // The configured keys are long-lived ones; no session of theirs was ever handed out.
    if (request.headers['x-amz-security-token'] !== undefined) throw unrecognized()
    return { account: key.account, region: scope.region, accessKeyId: key.id }
  }
}

/** The claim's date as signatures print it, if it is a date and neither too old nor too far ahead. */
function currentDate(claim: Claim, nowMs: number): string {
  const dateMs = parseSigningDate(claim.date)
  if (dateMs === undefined) {
    throw new WireError(
      'IncompleteSignatureException',
      `Date must be in ISO-8601 'basic format'. Got '${claim.date}'. See http://en.wikipedia.org/wiki/ISO_8601`,
    )
  }
  const date = isoBasic(dateMs)
  const now = isoBasic(nowMs)
  const skewMs = SKEW_MINUTES * MINUTE_MS
  const livesMs = Math.min(claim.expiresSeconds ?? 0, EXPIRES_SECONDS_MAX) * 1000
  if (dateMs + Math.max(livesMs, skewMs) < nowMs) {
    throw invalid(
      `Signature expired: ${date} is now earlier than ${isoBasic(nowMs - skewMs)} (${now} - ${SKEW_MINUTES} min.)`,
    )
  }
  if (dateMs > nowMs + skewMs) {
    throw invalid(
      `Signature not yet current: ${date} is still later than ${isoBasic(nowMs + skewMs)} (${now} + ${SKEW_MINUTES} min.)`,
    )
  }
  return date
}

/** All that is wrong with a scope, in one message. `date` undefined: any day will do. */
function checkScope(scope: CredentialScope, signingName: string, date: string | undefined): void {
  let wrong = ''
  // Every region exists here, but it becomes part of names.
  if (!/^[A-Za-z0-9-]+$/.test(scope.region)) {
    wrong += `Credential should be scoped to a valid region, not '${scope.region}'. `
  }
  if (scope.service !== signingName) {
    wrong += `Credential should be scoped to correct service: '${signingName}'. `
  }
  if (scope.terminator !== TERMINATOR) {
    wrong += `Credential should be scoped with a valid terminator: '${TERMINATOR}', not '${scope.terminator}'. `
  }
  const day = date?.slice(0, 8)
  if (day !== undefined && scope.date !== day) {
    wrong += `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${scope.date}' != '${day}', from '${date}'.`
  }
  if (wrong !== '') throw invalid(wrong)
}

function invalid(message: string): WireError {
  return new WireError('InvalidSignatureException', message)
}

function unrecognized(): WireError {
  return new WireError(
    'UnrecognizedClientException',
    'The security token included in the request is invalid.',
  )
}

/**
 * The credential of a complete header as SDKs write it, or undefined for anything else. Only what
 * `readClaim` would accept may pass, so all parts are looked for.
 */
function quickCredential(request: HttpRequest): string | undefined {
  const header = request.headers.authorization
  if (header === undefined || !request.headers['x-amz-date']) return undefined
  if (!header.startsWith(HEADER_START) || request.target.includes('?')) return undefined
  const comma = header.indexOf(', SignedHeaders=', HEADER_START.length)
  if (comma < 0 || header.charCodeAt(comma + 16) === 0x2c) return undefined
  const signature = header.indexOf(', Signature=', comma)
  if (signature < 0 || signature + 12 >= header.length) return undefined
  return header.slice(HEADER_START.length, comma)
}

const HEADER_START = `${ALGORITHM} Credential=`
