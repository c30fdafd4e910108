// A request made ready to be sent: signed, and laid out once as HTTP/1.1 bytes and once as HTTP/2
// headers, so that a measured loop only writes buffers. The signature's time is that of preparing.
import { authorization, type Scope, timestampOf } from './sigv4.ts'

export type Codec = 'json' | 'cbor'

export type Prepared = {
  readonly operation: string
  /** The whole HTTP/1.1 request, to be written in one go. */
  readonly http1: readonly Buffer[]
  /** The HTTP/2 request headers. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: readonly Buffer[]
}

/** Open access takes any well-formed signature; twelve digits as a key id would name an account. */
const scope: Scope = {
  accessKeyId: 'AKIDBENCHMARK0000000',
  secretAccessKey: 'benchmark/secret',
  region: 'us-east-1',
  service: 'kinesis',
}

/** Body parts are not copied when there are several: requests may share the long ones. */
export function prepare(
  host: string,
  call: { operation: string; codec: Codec; body: readonly Buffer[] },
): Prepared {
  const byteLength = call.body.reduce((sum, part) => sum + part.length, 0)
  const timestamp = timestampOf(new Date())
  const signed = {
    'content-type': `application/x-amz-${call.codec}-1.1`,
    host,
    'x-amz-date': timestamp,
    'x-amz-target': `Kinesis_20131202.${call.operation}`,
  }
  const signature = authorization(scope, {
    method: 'POST',
    path: '/',
    query: '',
    headers: signed,
    body: call.body,
    timestamp,
  })
  const head = Buffer.from(
    `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Type: ${signed['content-type']}\r\n` +
      `X-Amz-Date: ${timestamp}\r\nX-Amz-Target: ${signed['x-amz-target']}\r\n` +
      `Authorization: ${signature}\r\nContent-Length: ${byteLength}\r\n\r\n`,
    'latin1',
  )
  const headers = {
    ':method': 'POST',
    ':path': '/',
    ':scheme': 'http',
    ':authority': host,
    ...signed,
    authorization: signature,
    'content-length': String(byteLength),
  }
  const only = call.body[0]
  if (call.body.length !== 1 || only === undefined) {
    return {
      operation: call.operation,
      http1: [head, ...call.body],
      headers,
      body: call.body,
    }
  }
  const whole = Buffer.concat([head, only])
  return {
    operation: call.operation,
    http1: [whole],
    headers,
    body: [whole.subarray(head.length)],
  }
}
