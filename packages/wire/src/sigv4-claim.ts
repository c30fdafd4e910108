// What a request says about who signed it: the reading half of Signature Version 4, out of the
// `Authorization` header or the query. Pure: no clock, no keys. Texts and their order are AWS's (noted by
// kinesalite's tests and in dynalite's source, both from replies of the real services).
import { WireError } from './errors.ts'

/** A request as far as signatures see it. */
export interface SignableRequest {
  readonly method: string
  /** Request target as received: a path with its query, or a whole URL. */
  readonly target: string
  /** Lower-case names; several values of one name joined by commas. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array
}

/** What the signer claims. */
export interface Claim {
  readonly place: 'header' | 'query'
  readonly algorithm: string
  /** `<access key id>/<date>/<region>/<service>/aws4_request`, unchecked. */
  readonly credential: string
  /** Lower-case names joined by `;`. */
  readonly signedHeaders: string
  readonly signature: string
  /** `X-Amz-Date` or `Date`, as sent. */
  readonly date: string
  /** `X-Amz-Expires`, seconds, of a signature in the query. */
  readonly expiresSeconds: number | undefined
}

/** The parts of a credential. */
export interface CredentialScope {
  readonly accessKeyId: string
  readonly date: string
  readonly region: string
  readonly service: string
  readonly terminator: string
}

/** Reads the claim, or throws what AWS answers when it is missing, double or incomplete. */
export function readClaim(request: SignableRequest): Claim {
  const header = request.headers.authorization
  const query = queryOf(request.target)
  const isInQuery = query?.has('X-Amz-Algorithm') === true
  if (header !== undefined && isInQuery) {
    throw new WireError(
      'InvalidSignatureException',
      "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
    )
  }
  if (header !== undefined && header !== '') return claimInHeader(header, request.headers)
  if (query !== undefined && isInQuery) return claimInQuery(query)
  throw new WireError('MissingAuthenticationTokenException', 'Missing Authentication Token')
}

/** Takes a credential apart; a wrong number of parts is AWS's error. */
export function readCredential(credential: string): CredentialScope {
  const [accessKeyId, date, region, service, terminator, more] = credential
    .replace(/\/+$/, '')
    .split('/')
  if (
    !accessKeyId ||
    date === undefined ||
    region === undefined ||
    service === undefined ||
    terminator === undefined ||
    more !== undefined
  ) {
    throw new WireError(
      'IncompleteSignatureException',
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${credential}'`,
    )
  }
  return { accessKeyId, date, region, service, terminator }
}

function claimInHeader(header: string, headers: SignableRequest['headers']): Claim {
  const [algorithm = '', ...pairs] = header.split(/[, ]+/)
  const values = new Map<string, string>()
  for (const pair of pairs) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    if (equals < 0) {
      throw new WireError(
        'IncompleteSignatureException',
        `'${pair}' not a valid key=value pair (missing equal-sign) in Authorization header: '${header}'.`,
      )
    }
    values.set(pair.slice(0, equals), pair.slice(equals + 1))
  }
  const date = headers['x-amz-date'] || headers.date || ''
  let missing = ''
  for (const name of ['Credential', 'Signature', 'SignedHeaders']) {
    if (!values.get(name)) missing += `Authorization header requires '${name}' parameter. `
  }
  if (date === '') {
    missing +=
      "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
  }
  if (missing !== '') {
    throw new WireError('IncompleteSignatureException', `${missing}Authorization=${header}`)
  }
  return {
    place: 'header',
    algorithm,
    credential: values.get('Credential') ?? '',
    signedHeaders: values.get('SignedHeaders') ?? '',
    signature: values.get('Signature') ?? '',
    date,
    expiresSeconds: undefined,
  }
}

function claimInQuery(query: URLSearchParams): Claim {
  let missing = ''
  for (const name of ['Algorithm', 'Credential', 'Signature', 'SignedHeaders', 'Date']) {
    if (!query.get(`X-Amz-${name}`)) {
      missing += `AWS query-string parameters must include 'X-Amz-${name}'. `
    }
  }
  if (missing !== '') {
    throw new WireError(
      'IncompleteSignatureException',
      `${missing}Re-examine the query-string parameters.`,
    )
  }
  const expires = Number(query.get('X-Amz-Expires') ?? Number.NaN)
  return {
    place: 'query',
    algorithm: query.get('X-Amz-Algorithm') ?? '',
    credential: query.get('X-Amz-Credential') ?? '',
    signedHeaders: query.get('X-Amz-SignedHeaders') ?? '',
    signature: query.get('X-Amz-Signature') ?? '',
    date: query.get('X-Amz-Date') ?? '',
    expiresSeconds: Number.isFinite(expires) ? expires : undefined,
  }
}

function queryOf(target: string): URLSearchParams | undefined {
  const mark = target.indexOf('?')
  return mark < 0 ? undefined : new URLSearchParams(target.slice(mark + 1))
}
