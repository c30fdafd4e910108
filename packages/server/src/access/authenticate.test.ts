import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceClock } from '@millrace/base/clock'
import { WireError } from '@millrace/wire/errors'
import { isoBasic, sign } from '@millrace/wire/sigv4'
import { toHttpRequest } from '../http/inject.ts'
import type { HttpRequest } from '../http/message.ts'
import { createAccess } from './access.ts'

const NOW = Date.UTC(2026, 2, 1, 12, 0, 0)
const KEY = { id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG', account: '111122223333' }

const clock = new ServiceClock({ wall: () => NOW })
const open = createAccess({ mode: 'open', account: '000000000000', clock })
const verify = createAccess({ mode: 'verify', account: '000000000000', accessKeys: [KEY], clock })

type Headers = Readonly<Record<string, string | undefined>>

function request(headers: Headers = {}, path = '/'): HttpRequest {
  return toHttpRequest({ operation: 'ListStreams', body: '{}', path, headers })
}

/** A request with a right signature, unless told otherwise. */
function signedRequest(
  options: {
    id?: string
    secret?: string
    date?: string
    region?: string
    service?: string
    headers?: Headers
  } = {},
): HttpRequest {
  const { id = KEY.id, secret = KEY.secret, region = 'eu-west-1', service = 'kinesis' } = options
  const unsigned = request({
    authorization: undefined,
    'x-amz-date': undefined,
    ...options.headers,
  })
  const added = sign(unsigned, {
    accessKeyId: id,
    secret,
    region,
    service,
    date: options.date ?? isoBasic(NOW),
  })
  return { ...unsigned, headers: { ...unsigned.headers, ...added } }
}

function authorization(credential: string): Headers {
  return {
    authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=abc`,
  }
}

function refuses(access: typeof open, refused: HttpRequest, type: string, message: string): void {
  assert.throws(
    () => access.authenticate(refused, 'kinesis'),
    (error) => {
      assert.ok(error instanceof WireError)
      assert.deepEqual([error.type, error.message, error.status], [type, message, 400])
      return true
    },
  )
}

const HEADER_START = 'AWS4-HMAC-SHA256 '
const needs = (name: string) => `Authorization header requires '${name}' parameter. `
const NEEDS_DATE =
  "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "

for (const [name, access] of [
  ['open', open],
  ['verify', verify],
] as const) {
  test(`${name}: without a signature the token is missing`, () => {
    const text = 'Missing Authentication Token'
    const type = 'MissingAuthenticationTokenException'
    refuses(access, request({ authorization: undefined }), type, text)
    refuses(access, request({ authorization: '' }), type, text)
  })

  test(`${name}: header and query at once are refused`, () => {
    refuses(
      access,
      request({}, '/?X-Amz-Algorithm=x'),
      'InvalidSignatureException',
      "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
    )
  })

  test(`${name}: an incomplete header is told everything that it lacks`, () => {
    const type = 'IncompleteSignatureException'
    const cases: [string, Headers, string][] = [
      [HEADER_START, {}, needs('Credential') + needs('Signature') + needs('SignedHeaders')],
      [`${HEADER_START}Credential=a`, {}, needs('Signature') + needs('SignedHeaders')],
      [`${HEADER_START}Credential=a, SignedHeaders=, Signature=b`, {}, needs('SignedHeaders')],
      [
        `${HEADER_START}Signature=b,SignedHeaders=c`,
        { 'x-amz-date': undefined },
        needs('Credential') + NEEDS_DATE,
      ],
      ['AWS4', {}, needs('Credential') + needs('Signature') + needs('SignedHeaders')],
    ]
    for (const [header, others, text] of cases) {
      const refused = request({ authorization: header, ...others })
      refuses(access, refused, type, `${text}Authorization=${header}`)
    }
  })

  test(`${name}: a part without an equals sign is named`, () => {
    const header = 'Bearer token'
    refuses(
      access,
      request({ authorization: header }),
      'IncompleteSignatureException',
      "'token' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer token'.",
    )
  })

  test(`${name}: an incomplete query is told everything that it lacks`, () => {
    const missing = (names: string[]) =>
      `${names.map((each) => `AWS query-string parameters must include 'X-Amz-${each}'. `).join('')}Re-examine the query-string parameters.`
    const type = 'IncompleteSignatureException'
    const without = { authorization: undefined }
    refuses(
      access,
      request(without, '/?X-Amz-Algorithm=AWS4-HMAC-SHA256'),
      type,
      missing(['Credential', 'Signature', 'SignedHeaders', 'Date']),
    )
    refuses(
      access,
      request(without, '/?X-Amz-Algorithm=&X-Amz-Credential=a&X-Amz-Signature=b&X-Amz-Date=c'),
      type,
      missing(['Algorithm', 'SignedHeaders']),
    )
  })
}

test('a credential must have five parts, a valid region, this service and the terminator', () => {
  for (const credential of ['mock', 'a/b/c/d', 'a/b/c/d/e/f', '/b/c/kinesis/aws4_request']) {
    refuses(
      open,
      request(authorization(credential)),
      'IncompleteSignatureException',
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${credential}'`,
    )
  }
  refuses(
    open,
    request(authorization('a/20260301/us-east-1/dynamodb/aws4_request')),
    'InvalidSignatureException',
    "Credential should be scoped to correct service: 'kinesis'. ",
  )
  refuses(
    open,
    request(authorization('a/20260301/a:b/x/y')),
    'InvalidSignatureException',
    "Credential should be scoped to a valid region, not 'a:b'. Credential should be scoped to correct service: 'kinesis'. Credential should be scoped with a valid terminator: 'aws4_request', not 'y'. ",
  )
})

test('open: a 12-digit access key is the account, any other means the configured one', () => {
  for (const [id, account] of [
    ['123456789012', '123456789012'],
    ['12345678901', '000000000000'],
    ['AKIAIOSFODNN7EXAMPLE', '000000000000'],
  ] as const) {
    const caller = {
      account,
      region: 'ap-southeast-2',
      accessKeyId: id,
    }
    const headers = authorization(`${id}/20260301/ap-southeast-2/kinesis/aws4_request`)
    // The second time the answer comes from memory.
    assert.deepEqual(open.authenticate(request(headers), 'kinesis'), caller)
    assert.deepEqual(open.authenticate(request(headers), 'kinesis'), caller)
  }
})

test('open: what is remembered of a credential is good for its own service only', () => {
  const headers = authorization('a/20260301/us-east-1/kinesis/aws4_request')
  open.authenticate(request(headers), 'kinesis')
  assert.throws(() => open.authenticate(request(headers), 'firehose'), WireError)
})

test('open: a remembered credential does not make an incomplete header complete', () => {
  const credential = 'a/20260301/us-east-1/kinesis/aws4_request'
  open.authenticate(request(authorization(credential)), 'kinesis')
  for (const header of [
    `${HEADER_START}Credential=${credential}, SignedHeaders=host`,
    `${HEADER_START}Credential=${credential}, SignedHeaders=host, Signature=`,
    `${HEADER_START}Credential=${credential}, SignedHeaders=, Signature=a`,
  ]) {
    assert.throws(() => open.authenticate(request({ authorization: header }), 'kinesis'), WireError)
  }
  const undated = { ...authorization(credential), 'x-amz-date': undefined }
  assert.throws(() => open.authenticate(request(undated), 'kinesis'), WireError)
})

test('open: dates do not matter, and commas without blanks are fine', () => {
  const header = `${HEADER_START}Credential=a/19990101/r-1/kinesis/aws4_request,SignedHeaders=host,Signature=b`
  const caller = { account: '000000000000', region: 'r-1', accessKeyId: 'a' }
  const old = request({ authorization: header, 'x-amz-date': '19990101T000000Z' })
  assert.deepEqual(open.authenticate(old, 'kinesis'), caller)
  const query =
    '/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2F19990101%2Fr-1%2Fkinesis%2Faws4_request&X-Amz-Signature=b&X-Amz-SignedHeaders=host&X-Amz-Date=x'
  assert.deepEqual(
    open.authenticate(request({ authorization: undefined }, query), 'kinesis'),
    caller,
  )
})

test('verify: a right signature of a known key gives its account and the region of the scope', () => {
  assert.deepEqual(verify.authenticate(signedRequest(), 'kinesis'), {
    account: '111122223333',
    region: 'eu-west-1',
    accessKeyId: KEY.id,
  })
})

test('verify: a wrong secret, a changed body and a changed header are refused', () => {
  const text =
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.'
  const type = 'InvalidSignatureException'
  refuses(verify, signedRequest({ secret: 'guess' }), type, text)
  const right = signedRequest()
  refuses(verify, { ...right, body: Buffer.from('{"Limit":1}') }, type, text)
  const headers = { ...right.headers, 'x-amz-target': 'Kinesis_20131202.DeleteStream' }
  refuses(verify, { ...right, headers }, type, text)
})

test('verify: an unknown key and a session nobody opened are refused', () => {
  const text = 'The security token included in the request is invalid.'
  refuses(verify, signedRequest({ id: 'AKIAELSE' }), 'UnrecognizedClientException', text)
  refuses(
    verify,
    signedRequest({ headers: { 'x-amz-security-token': 'token' } }),
    'UnrecognizedClientException',
    text,
  )
})

test('verify: a signature may be five minutes old or ahead, and no more', () => {
  const at = (ms: number) => isoBasic(NOW + ms)
  for (const ms of [-300_000, 300_000]) {
    assert.ok(verify.authenticate(signedRequest({ date: at(ms) }), 'kinesis'))
  }
  refuses(
    verify,
    signedRequest({ date: at(-301_000) }),
    'InvalidSignatureException',
    'Signature expired: 20260301T115459Z is now earlier than 20260301T115500Z (20260301T120000Z - 5 min.)',
  )
  refuses(
    verify,
    signedRequest({ date: at(301_000) }),
    'InvalidSignatureException',
    'Signature not yet current: 20260301T120501Z is still later than 20260301T120500Z (20260301T120000Z + 5 min.)',
  )
})

test('verify: a date that is none, and one that the scope contradicts', () => {
  refuses(
    verify,
    request({ 'x-amz-date': '201' }),
    'IncompleteSignatureException',
    "Date must be in ISO-8601 'basic format'. Got '201'. See http://en.wikipedia.org/wiki/ISO_8601",
  )
  const right = signedRequest()
  const wrong = right.headers.authorization?.replace('/20260301/', '/20260302/')
  refuses(
    verify,
    { ...right, headers: { ...right.headers, authorization: wrong } },
    'InvalidSignatureException',
    "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260302' != '20260301', from '20260301T120000Z'.",
  )
})

test('verify: the host must be signed, with the one algorithm there is', () => {
  const right = signedRequest()
  const change = (from: string, to: string): HttpRequest => ({
    ...right,
    headers: { ...right.headers, authorization: right.headers.authorization?.replace(from, to) },
  })
  refuses(
    verify,
    change(';host;', ';'),
    'InvalidSignatureException',
    "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
  )
  refuses(
    verify,
    change('AWS4-HMAC-SHA256 ', 'AWS4-HMAC-SHA25 '),
    'IncompleteSignatureException',
    "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA25' (only AWS4-HMAC-SHA256 for now). ",
  )
})
