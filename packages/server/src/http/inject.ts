// A request through the dispatcher without a socket: what tests and the simulation use. It fills in
// what every client sends (POST, the JSON content type, a well-formed signature, a length), so that a
// test names only what it is about.
import type { MaybePromise } from '@millrace/storage/engine'
import type { HttpReply, HttpRequest } from './message.ts'

export interface InjectedRequest {
  readonly method?: string
  readonly path?: string
  /** `PutRecord`, or a whole target such as `DynamoDB_20120810.Scan`. */
  readonly operation?: string
  /** Values are written as JSON; text and bytes are sent as they are. */
  readonly body?: unknown
  /** Added to the ones filled in; undefined leaves one out. Lower-case names. */
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly accessKeyId?: string
  readonly region?: string
  readonly isLoopback?: boolean
}

export interface InjectedReply {
  readonly status: number
  readonly headers: HttpReply['headers']
  /** The whole body. Event streams are in `chunks` instead, and this is empty. */
  readonly bytes: Buffer
  readonly text: string
  readonly chunks: AsyncIterable<Uint8Array> | undefined
  /** The body read as JSON; throws when it isn't. */
  json(): Record<string, unknown>
}

const TARGET_PREFIX = 'Kinesis_20131202.'

export async function inject(
  dispatch: (request: HttpRequest) => MaybePromise<HttpReply>,
  request: InjectedRequest,
): Promise<InjectedReply> {
  return toInjectedReply(await dispatch(toHttpRequest(request)))
}

export function toHttpRequest(request: InjectedRequest): HttpRequest {
  const { operation, accessKeyId = '000000000000', region = 'us-east-1' } = request
  const body = bytesOf(request.body)
  const scope = `${accessKeyId}/20260101/${region}/kinesis/aws4_request`
  return {
    method: request.method ?? 'POST',
    target: request.path ?? '/',
    httpVersion: '1.1',
    headers: {
      host: '127.0.0.1',
      'content-type': 'application/x-amz-json-1.1',
      'content-length': String(body.byteLength),
      'x-amz-date': '20260101T000000Z',
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-date;x-amz-target, Signature=${'0'.repeat(64)}`,
      ...(operation === undefined
        ? {}
        : { 'x-amz-target': operation.includes('.') ? operation : TARGET_PREFIX + operation }),
      ...request.headers,
    },
    body,
    isLoopback: request.isLoopback ?? true,
  }
}

function bytesOf(body: unknown): Buffer {
  if (body === undefined) return Buffer.alloc(0)
  if (typeof body === 'string') return Buffer.from(body)
  if (body instanceof Uint8Array) return Buffer.from(body)
  return Buffer.from(JSON.stringify(body))
}

function toInjectedReply({ status, headers, body }: HttpReply): InjectedReply {
  const isWhole = body === undefined || typeof body === 'string' || body instanceof Uint8Array
  const bytes = isWhole ? Buffer.from(body ?? '') : Buffer.alloc(0)
  const text = bytes.toString()
  return {
    status,
    headers,
    bytes,
    text,
    chunks: isWhole ? undefined : body,
    json: () => JSON.parse(text) as Record<string, unknown>,
  }
}
