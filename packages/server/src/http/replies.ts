// The shapes of answers that no operation gives: CORS preflights, the XML that AWS answers before it
// knows a service, and the headers that all answers carry.
import type { HttpReply, HttpRequest } from './message.ts'
import type { RequestId } from './request-ids.ts'

/** Headers of every answer. Browsers may read them from any page, as with AWS. */
export function replyHeaders(origin: string | undefined, id: RequestId): HttpReply['headers'] {
  if (origin === undefined) {
    return { 'x-amzn-RequestId': id.uuid, 'x-amz-id-2': id.id2 }
  }
  return {
    'x-amzn-RequestId': id.uuid,
    'x-amz-id-2': id.id2,
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Expose-Headers':
      'x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,x-amzn-ErrorMessage,Date',
  }
}

export function isPreflight(request: HttpRequest): boolean {
  return request.method === 'OPTIONS' && request.headers.origin !== undefined
}

export function preflightReply(request: HttpRequest, id: RequestId): HttpReply {
  const headers: HttpReply['headers'] = {
    'x-amzn-RequestId': id.uuid,
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Max-Age': 172800,
    'Content-Length': 0,
  }
  const asked = request.headers['access-control-request-headers']
  const method = request.headers['access-control-request-method']
  if (asked !== undefined) headers['Access-Control-Allow-Headers'] = asked
  if (method !== undefined) headers['Access-Control-Allow-Methods'] = method
  return { status: 200, headers, body: undefined }
}

/** What AWS answers when neither method nor target say what is meant. No content type is sent. */
export function undeterminedReply(headers: HttpReply['headers']): HttpReply {
  const body =
    '<AccessDeniedException>\n' +
    '  <Message>Unable to determine service/operation name to be authorized</Message>\n' +
    '</AccessDeniedException>\n'
  return whole(403, headers, body)
}

/** What AWS answers to a target in a content type that it doesn't know. */
export function unknownContentReply(headers: HttpReply['headers']): HttpReply {
  return whole(404, headers, '<UnknownOperationException/>\n')
}

/** `application/json` is a dialect that AWS parses and then refuses. */
export function legacyReply(
  headers: HttpReply['headers'],
  type: 'SerializationException' | 'UnknownOperationException',
): HttpReply {
  headers['Content-Type'] = 'application/json'
  return whole(
    type === 'SerializationException' ? 400 : 404,
    headers,
    `{"Output":{"__type":"com.amazon.coral.service#${type}"},"Version":"1.0"}`,
  )
}

/** A reply with its length set; `headers` becomes the reply's own. */
export function whole(
  status: number,
  headers: HttpReply['headers'],
  body: string | Uint8Array,
): HttpReply {
  headers['Content-Length'] = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
  return { status, headers, body }
}
