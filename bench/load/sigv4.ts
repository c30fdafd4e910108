// Signature Version 4, the signing half only, so that every request of a run can be signed before the
// clock starts. Own code rather than the server's: a benchmark must not share a bug with its subject.
import { createHash, createHmac } from 'node:crypto'

export type Scope = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
  readonly service: string
}

export type SignedParts = {
  readonly method: string
  readonly path: string
  /** Already encoded and sorted; empty when there is none. */
  readonly query: string
  /** Lower-case names; all of them are signed. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: readonly Buffer[]
  /** `20261120T101530Z` */
  readonly timestamp: string
}

/** The value of the `Authorization` header. */
export function authorization(scope: Scope, parts: SignedParts): string {
  const names = Object.keys(parts.headers).sort()
  const bodyHash = createHash('sha256')
  for (const chunk of parts.body) bodyHash.update(chunk)
  const canonical = [
    parts.method,
    parts.path,
    parts.query,
    ...names.map((name) => `${name}:${(parts.headers[name] ?? '').trim()}`),
    '',
    names.join(';'),
    bodyHash.digest('hex'),
  ].join('\n')
  const date = parts.timestamp.slice(0, 8)
  const range = `${date}/${scope.region}/${scope.service}/aws4_request`
  const text = [
    'AWS4-HMAC-SHA256',
    parts.timestamp,
    range,
    createHash('sha256').update(canonical).digest('hex'),
  ].join('\n')
  const signature = createHmac('sha256', signingKey(scope, date)).update(text).digest('hex')
  return `AWS4-HMAC-SHA256 Credential=${scope.accessKeyId}/${range}, SignedHeaders=${names.join(';')}, Signature=${signature}`
}

/** `new Date()` as the signature spells it. */
export function timestampOf(date: Date): string {
  return `${date.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}

function signingKey(scope: Scope, date: string): Buffer {
  let key = createHmac('sha256', `AWS4${scope.secretAccessKey}`).update(date).digest()
  for (const step of [scope.region, scope.service, 'aws4_request']) {
    key = createHmac('sha256', key).update(step).digest()
  }
  return key
}
