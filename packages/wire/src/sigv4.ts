// Signature Version 4: the canonical form of a request, and the signature over it. Pure: dates and keys
// are arguments. The same code signs and verifies.
//
// Three things clients differ in, all met here: over HTTP/2 the JavaScript SDK signs `:authority` and the
// Java SDK signs `host` but sends `:authority`; botocore sends no `x-amz-content-sha256`, so that the
// body's own hash counts; and values may come with blanks that the signature leaves out.
import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { Claim, CredentialScope, SignableRequest } from './sigv4-claim.ts'

export const ALGORITHM = 'AWS4-HMAC-SHA256'
export const TERMINATOR = 'aws4_request'
export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD'

/** Whose key it is and what it is good for; `date` is `YYYYMMDD`. */
export type KeyScope = Pick<CredentialScope, 'date' | 'region' | 'service'>

/** Keys derived from secrets, remembered: four HMACs a day and scope, not per request. */
export class SigningKeys {
  readonly #keys = new Map<string, Buffer>()
  readonly #keysMax: number

  constructor(keysMax = 1024) {
    this.#keysMax = keysMax
  }

  keyFor(secret: string, { date, region, service }: KeyScope): Buffer {
    const name = `${secret}\n${date}\n${region}\n${service}`
    const known = this.#keys.get(name)
    if (known !== undefined) return known
    const key = [date, region, service, TERMINATOR].reduce<string | Buffer>(
      (above, part) => hmac(above, part),
      `AWS4${secret}`,
    ) as Buffer
    if (this.#keys.size >= this.#keysMax) this.#keys.clear()
    this.#keys.set(name, key)
    return key
  }
}

/** The signature in hex. `date` is `YYYYMMDDTHHMMSSZ`; `key` is of the same scope. */
export function signatureOf(canonical: string, date: string, scope: KeyScope, key: Buffer): string {
  const toSign = `${ALGORITHM}\n${date}\n${scopeText(scope)}\n${hash('sha256', canonical)}`
  return createHmac('sha256', key).update(toSign).digest('hex')
}

/** Whether the claim's signature is the one that `key` gives for this request. */
export function isSignedWith(
  key: Buffer,
  request: SignableRequest,
  claim: Claim,
  date: string,
  scope: KeyScope,
): boolean {
  const payloadHash = payloadHashOf(request)
  const isRight = (headers: SignableRequest['headers']): boolean => {
    const canonical = canonicalRequest({ ...request, headers }, claim, payloadHash)
    return isEqual(signatureOf(canonical, date, scope, key), claim.signature)
  }
  if (isRight(request.headers)) return true
  // A header sent twice was signed as `a,b`, but arrives here as `a, b`.
  const joined = withTightCommas(request.headers, claim.signedHeaders)
  return joined !== undefined && isRight(joined)
}

/** The text that is hashed and signed. */
export function canonicalRequest(
  request: SignableRequest,
  claim: Pick<Claim, 'place' | 'signedHeaders'>,
  payloadHash: string,
): string {
  const { path, query } = splitTarget(request.target)
  const names = claim.signedHeaders.split(';')
  const headers = names.map((name) => `${name}:${headerValue(request, name)}\n`).join('')
  const isInQuery = claim.place === 'query'
  return [
    request.method,
    canonicalPath(path),
    canonicalQuery(query, isInQuery),
    headers,
    claim.signedHeaders,
    payloadHash,
  ].join('\n')
}

export interface Signer {
  readonly accessKeyId: string
  readonly secret: string
  readonly sessionToken?: string
  readonly region: string
  readonly service: string
  /** `YYYYMMDDTHHMMSSZ`; `isoBasic` makes it. */
  readonly date: string
  /** Remembers derived keys between calls. */
  readonly keys?: SigningKeys
}

/**
 * The headers to add to a request so that it is signed: `x-amz-date`, `authorization` and, with a
 * session, `x-amz-security-token`. All headers of the request are signed; leave out those that proxies
 * change. `host` or `:authority` must be among them.
 */
export function sign(request: SignableRequest, signer: Signer): Record<string, string> {
  const { accessKeyId, date, region, secret, service, sessionToken } = signer
  const scope: KeyScope = { date: date.slice(0, 8), region, service }
  const added: Record<string, string> = { 'x-amz-date': date }
  if (sessionToken !== undefined) added['x-amz-security-token'] = sessionToken
  const headers: SignableRequest['headers'] = { ...request.headers, ...added }
  const signedHeaders = Object.keys(headers)
    .filter((name) => headers[name] !== undefined)
    .sort()
    .join(';')
  const canonical = canonicalRequest(
    { ...request, headers },
    { place: 'header', signedHeaders },
    payloadHashOf(request),
  )
  const key = (signer.keys ?? new SigningKeys(1)).keyFor(secret, scope)
  const signature = signatureOf(canonical, date, scope, key)
  added.authorization =
    `${ALGORITHM} Credential=${accessKeyId}/${scopeText(scope)}, ` +
    `SignedHeaders=${signedHeaders}, Signature=${signature}`
  return added
}

/** Milliseconds since 1970 as `YYYYMMDDTHHMMSSZ`. */
export function isoBasic(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
}

/** The inverse, in milliseconds; also for the dates of `Date` headers. undefined when it is no date. */
export function parseSigningDate(date: string): number | undefined {
  const basic = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date)
  const timeMs =
    basic === null
      ? /^[A-Z][a-z]{2}, \d\d? [A-Z][a-z]{2} \d{4} [\d:]{8} GMT$/.test(date)
        ? Date.parse(date)
        : Number.NaN
      : Date.parse(`${basic[1]}-${basic[2]}-${basic[3]}T${basic[4]}:${basic[5]}:${basic[6]}Z`)
  return Number.isNaN(timeMs) ? undefined : timeMs
}

function scopeText({ date, region, service }: KeyScope): string {
  return `${date}/${region}/${service}/${TERMINATOR}`
}

function payloadHashOf({ headers, body }: SignableRequest): string {
  if (headers['x-amz-content-sha256'] === UNSIGNED_PAYLOAD) return UNSIGNED_PAYLOAD
  return hash('sha256', body)
}

function headerValue({ headers, body }: SignableRequest, name: string): string {
  const value =
    headers[name] ??
    (name === 'host' ? headers[':authority'] : undefined) ??
    (name === ':authority' ? headers.host : undefined) ??
    (name === 'content-length' ? String(body.byteLength) : '')
  return value.trim().replace(/\s+/g, ' ')
}

function withTightCommas(
  headers: SignableRequest['headers'],
  signedHeaders: string,
): SignableRequest['headers'] | undefined {
  const several = signedHeaders.split(';').filter((name) => headers[name]?.includes(', ') === true)
  if (several.length === 0) return undefined
  const tight = { ...headers }
  for (const name of several) tight[name] = headers[name]?.replaceAll(', ', ',')
  return tight
}

/** Path and query as sent, out of an origin-form target or a whole URL. */
function splitTarget(target: string): { path: string; query: string } {
  const origin = target.startsWith('/') ? target : target.replace(/^[a-z]+:\/\/[^/?]*/i, '')
  const mark = origin.indexOf('?')
  return mark < 0
    ? { path: origin, query: '' }
    : { path: origin.slice(0, mark), query: origin.slice(mark + 1) }
}

/** Dot segments and double slashes removed, then encoded once more (every service but S3 does so). */
function canonicalPath(path: string): string {
  if (path === '/' || path === '') return '/'
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(encode(segment))
  }
  const end = segments.length > 0 && /\/\.{0,2}$/.test(path) ? '/' : ''
  return `/${segments.join('/')}${end}`
}

function canonicalQuery(query: string, isSignedInQuery: boolean): string {
  if (query === '') return ''
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=')
      const name = equals < 0 ? pair : pair.slice(0, equals)
      const value = equals < 0 ? '' : pair.slice(equals + 1)
      return [encode(decode(name)), encode(decode(value))] as const
    })
    .filter(([name]) => !(isSignedInQuery && name === 'X-Amz-Signature'))
    .sort(([a, x], [b, y]) => (a === b ? compare(x, y) : compare(a, b)))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** RFC 3986: everything but letters, digits and `-._~`. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    // Not valid percent encoding: its text as it is gives a canonical form like any other.
    return text
  }
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function isEqual(ours: string, theirs: string): boolean {
  const a = Buffer.from(ours)
  const b = Buffer.from(theirs)
  return a.byteLength === b.byteLength && timingSafeEqual(a, b)
}
