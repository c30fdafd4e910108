import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  canonicalRequest,
  isoBasic,
  isSignedWith,
  parseSigningDate,
  SigningKeys,
  sign,
  signatureOf,
  UNSIGNED_PAYLOAD,
} from './sigv4.ts'
import { readClaim, readCredential, type SignableRequest } from './sigv4-claim.ts'

interface Golden {
  readonly secret: string
  readonly date: string
  readonly region: string
  readonly service: string
  readonly requests: readonly (Omit<SignableRequest, 'body'> & { name: string; body: string })[]
}

const golden = JSON.parse(
  readFileSync(new URL('../golden/sigv4.json', import.meta.url), 'utf8'),
) as Golden

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const EMPTY_HASH = hash('sha256', '')

function isRight(request: SignableRequest, secret = SECRET): boolean {
  const claim = readClaim(request)
  const scope = readCredential(claim.credential)
  const key = new SigningKeys().keyFor(secret, scope)
  return isSignedWith(key, request, claim, claim.date, scope)
}

for (const { name, body, ...request } of golden.requests) {
  test(`a request signed by botocore is verified: ${name}`, () => {
    const signed = { ...request, body: Buffer.from(body, 'latin1') }
    assert.equal(isRight(signed, golden.secret), true)
    assert.equal(isRight(signed, `${golden.secret}x`), false)
    assert.equal(isRight({ ...signed, body: Buffer.from(`${body}x`, 'latin1') }, SECRET), false)
    assert.equal(isRight({ ...signed, method: 'PUT' }, golden.secret), false)
  })
}

test("AWS's published example: canonical request, derived key and signature", () => {
  const request: SignableRequest = {
    method: 'GET',
    target: '/?Action=ListUsers&Version=2010-05-08',
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      host: 'iam.amazonaws.com',
      'x-amz-date': '20150830T123600Z',
    },
    body: Buffer.alloc(0),
  }
  const canonical = canonicalRequest(
    request,
    { place: 'header', signedHeaders: 'content-type;host;x-amz-date' },
    EMPTY_HASH,
  )
  assert.equal(
    hash('sha256', canonical),
    'f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59',
  )
  const scope = { date: '20150830', region: 'us-east-1', service: 'iam' }
  const key = new SigningKeys().keyFor(SECRET, scope)
  assert.equal(
    key.toString('hex'),
    'c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9',
  )
  assert.equal(
    signatureOf(canonical, '20150830T123600Z', scope, key),
    '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
  )
})

test("AWS's test suite: get-vanilla", () => {
  const request: SignableRequest = {
    method: 'GET',
    target: '/',
    headers: { host: 'example.amazonaws.com' },
    body: Buffer.alloc(0),
  }
  const { authorization } = sign(request, {
    accessKeyId: 'AKIDEXAMPLE',
    secret: SECRET,
    region: 'us-east-1',
    service: 'service',
    date: '20150830T123600Z',
  })
  assert.equal(
    authorization,
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  )
})

const signer = {
  accessKeyId: 'AKID',
  secret: SECRET,
  region: 'us-east-1',
  service: 'kinesis',
  date: '20260301T123456Z',
}

function signed(request: SignableRequest): SignableRequest {
  return { ...request, headers: { ...request.headers, ...sign(request, signer) } }
}

const plain: SignableRequest = {
  method: 'POST',
  target: '/',
  headers: { host: 'localhost', 'x-amz-target': 'Kinesis_20131202.PutRecord' },
  body: Buffer.from('{}'),
}

test('over HTTP/2 `:authority` may be signed, or `host` while only `:authority` is sent', () => {
  const { host: _, ...withoutHost } = plain.headers
  const authority = signed({
    ...plain,
    headers: { ...withoutHost, ':authority': 'localhost:4566' },
  })
  assert.match(authority.headers.authorization ?? '', /SignedHeaders=:authority;/)
  assert.equal(isRight(authority), true)

  const { host, ...headers } = signed(plain).headers
  assert.equal(isRight({ ...plain, headers: { ...headers, ':authority': host } }), true)
  assert.equal(isRight({ ...plain, headers: { ...headers, ':authority': 'elsewhere' } }), false)
})

test('an unsigned payload is not part of the signature, any other is, whatever the header says', () => {
  const unsigned = signed({
    ...plain,
    headers: { ...plain.headers, 'x-amz-content-sha256': UNSIGNED_PAYLOAD },
  })
  assert.equal(isRight({ ...unsigned, body: Buffer.from('[]') }), true)
  const claimed = signed({
    ...plain,
    headers: { ...plain.headers, 'x-amz-content-sha256': hash('sha256', '{}') },
  })
  assert.equal(isRight(claimed), true)
  assert.equal(isRight({ ...claimed, body: Buffer.from('[]') }), false)
})

test('a header sent twice is signed with a bare comma and arrives with a blank behind it', () => {
  const sent = signed({ ...plain, headers: { ...plain.headers, 'x-amz-meta': 'a,b' } })
  assert.equal(isRight({ ...sent, headers: { ...sent.headers, 'x-amz-meta': 'a, b' } }), true)
})

test('a whole URL as the target is signed by its path', () => {
  const sent = signed({ ...plain, target: '/putMedia?x=1' })
  assert.equal(isRight({ ...sent, target: 'http://localhost:4566/putMedia?x=1' }), true)
})

test('whatever is signed is verified, and no changed bit of it is', () => {
  const name = fc.stringMatching(/^x-amz-[a-z0-9-]{1,10}$/)
  const value = fc.stringMatching(/^[\x21-\x7e]{0,20}$/)
  const target = fc.webPath().map((path) => (path.startsWith('/') ? path : `/${path}`))
  fc.assert(
    fc.property(
      target,
      fc.webQueryParameters(),
      fc.dictionary(name, value),
      fc.uint8Array({ maxLength: 50 }),
      (path, query, headers, body) => {
        const request = signed({
          method: 'POST',
          target: query === '' ? path : `${path}?${query}`,
          headers: { host: 'h', ...headers },
          body,
        })
        const other = { ...request, body: Buffer.concat([body, Buffer.from('x')]) }
        return isRight(request) && !isRight(other) && !isRight(request, 'other')
      },
    ),
    { numRuns: 50 },
  )
})

test('dates are read in the basic form and as in Date headers, and nothing else is a date', () => {
  const moment = Date.UTC(2026, 2, 1, 12, 34, 56)
  assert.equal(isoBasic(moment), '20260301T123456Z')
  assert.equal(parseSigningDate('20260301T123456Z'), moment)
  assert.equal(parseSigningDate('Sun, 01 Mar 2026 12:34:56 GMT'), moment)
  for (const text of ['', '201', '20260301', '20261301T000000Z', '2026-03-01T12:34:56Z', 'now']) {
    assert.equal(parseSigningDate(text), undefined, text)
  }
})

test('derived keys are remembered, boundedly', () => {
  const keys = new SigningKeys(2)
  const scope = { date: '20260301', region: 'r', service: 's' }
  const first = keys.keyFor('a', scope)
  assert.equal(keys.keyFor('a', scope), first)
  keys.keyFor('b', scope)
  keys.keyFor('c', scope)
  assert.notEqual(keys.keyFor('a', scope), first)
  assert.deepEqual(keys.keyFor('a', scope), first)
})
