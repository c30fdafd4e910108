// Throws claims at the reader of signatures: whatever a header, a query or a date says, the answer is a
// claim or a WireError, and no signature made up is ever right.
//
// `node packages/wire/src/sigv4.fuzz.ts --seed N [--seconds S]`
import { strict as assert } from 'node:assert'
import { parseArgs } from 'node:util'
import { seededRandom } from '@millrace/base/random'
import { WireError } from './errors.ts'
import { isSignedWith, parseSigningDate, SigningKeys, sign } from './sigv4.ts'
import { readClaim, readCredential, type SignableRequest } from './sigv4-claim.ts'

const SIGNER = {
  accessKeyId: 'AKID',
  secret: 'secret',
  region: 'us-east-1',
  service: 'kinesis',
  date: '20260301T123456Z',
}

const PIECES =
  `AWS4-HMAC-SHA256 |Credential=|SignedHeaders=|Signature=|host;|:authority|a/b/c/d/aws4_request|,| |=|/|%|%2F|%zz|&|?|X-Amz-Algorithm|X-Amz-Credential|X-Amz-Signature|X-Amz-SignedHeaders|X-Amz-Date|X-Amz-Expires|1e99|-1|+|\u00e9|\u0000|20260301T123456Z|..|//|http://h/`.split(
    '|',
  )

export async function fuzz(seed: number, seconds: number): Promise<void> {
  const random = seededRandom(seed)
  const keys = new SigningKeys()
  const text = (): string =>
    Array.from({ length: random.integer(12) }, () => PIECES[random.integer(PIECES.length)]).join('')
  const cut = (from: string): string => {
    const at = random.integer(from.length + 1)
    return from.slice(0, at) + text() + from.slice(at + random.integer(10))
  }
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) {
    for (let i = 0; i < 200; i++) {
      const request: SignableRequest = {
        method: 'POST',
        target: random.integer(2) === 0 ? '/' : `/${text()}`,
        headers: { host: 'h', 'x-amz-meta': text() },
        body: Buffer.from(text()),
      }
      const { authorization = '', ...added } = sign(request, SIGNER)
      const isForged = random.integer(4) > 0
      const header = isForged ? cut(authorization) : authorization
      const headers = { ...request.headers, ...added, authorization: header }
      const signed: SignableRequest = {
        ...request,
        headers: random.integer(4) === 0 ? request.headers : headers,
        target: isForged && random.integer(3) === 0 ? cut(request.target) : request.target,
      }
      check(signed, header === authorization && signed.target === request.target, keys)
    }
  }
}

function check(request: SignableRequest, isUntouched: boolean, keys: SigningKeys): void {
  try {
    const claim = readClaim(request)
    const scope = readCredential(claim.credential)
    parseSigningDate(claim.date)
    const key = keys.keyFor(SIGNER.secret, scope)
    const isRight = isSignedWith(key, request, claim, claim.date, scope)
    if (isRight) assert.ok(isUntouched || sameMeaning(request), JSON.stringify(request))
  } catch (error) {
    if (!(error instanceof WireError)) throw error
  }
}

/** A change may leave all that is signed as it was (blanks, an order of parts); then it stays right. */
function sameMeaning(request: SignableRequest): boolean {
  const { headers, ...rest } = request
  const { authorization: _, 'x-amz-date': __, ...unsigned } = headers
  const again = sign({ ...rest, headers: unsigned }, SIGNER)
  const right = readClaim({ ...request, headers: { ...headers, ...again } })
  return readClaim(request).signature === right.signature
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { seed: { type: 'string' }, seconds: { type: 'string' } },
  })
  const seed = Number(values.seed ?? 1)
  console.log(`seed ${seed}`)
  await fuzz(seed, Number(values.seconds ?? 5))
}
