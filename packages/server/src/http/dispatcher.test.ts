import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { AssertionError } from '@millrace/base/assert'
import { ServiceClock } from '@millrace/base/clock'
import { type LogFields, type Logger, silentLogger } from '@millrace/base/logger'
import { seededRandom } from '@millrace/base/random'
import { StorageError, type StorageErrorCode } from '@millrace/storage/engine'
import { encodeError, parseBody } from '@millrace/wire/codec'
import { WireError } from '@millrace/wire/errors'
import { kinesis, type PutRecordInput, type PutRecordOutput } from '@millrace/wire/services/kinesis'
import { type Access, createAccess } from '../access/access.ts'
import {
  type Call,
  type Handler,
  operation,
  type PreparedReply,
  type StreamedReply,
  service,
} from '../platform/operation.ts'
import { type Fault, noFaults, noObserver, type ObservedRequest } from '../platform/ports.ts'
import { createDispatcher, type Dispatcher, type DispatcherParts } from './dispatcher.ts'
import { type InjectedReply, type InjectedRequest, inject, toHttpRequest } from './inject.ts'

const JSON_TYPE = 'application/x-amz-json-1.1'
const CBOR_TYPE = 'application/x-amz-cbor-1.1'
const OUTPUT: PutRecordOutput = { ShardId: 'shardId-000000000000', SequenceNumber: '1' }
const RECORD = { StreamName: 'orders', Data: 'aGk=', PartitionKey: 'k' }
const PUT = { operation: 'PutRecord', body: RECORD }

type PutRecord = Handler<PutRecordInput, PutRecordOutput, undefined>

function dispatcher(
  run: PutRecord = () => OUTPUT,
  parts: Partial<DispatcherParts> = {},
): Dispatcher {
  const clock = new ServiceClock({ wall: () => 1000 })
  return createDispatcher({
    services: [service(kinesis.service, [operation(kinesis.PutRecord, run)], undefined)],
    access: createAccess({ mode: 'open', account: '000000000000', clock }),
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    observe: noObserver,
    faults: noFaults,
    controls: () => undefined,
    ...parts,
  })
}

function send(request: InjectedRequest, dispatch = dispatcher()): Promise<InjectedReply> {
  return inject(dispatch, request)
}

const UNDETERMINED =
  '<AccessDeniedException>\n  <Message>Unable to determine service/operation name to be authorized</Message>\n</AccessDeniedException>\n'

test('a request is answered in its own content type with ids and a length', async () => {
  const reply = await send(PUT)
  assert.equal(reply.status, 200)
  assert.equal(reply.text, '{"ShardId":"shardId-000000000000","SequenceNumber":"1"}')
  assert.equal(reply.headers['Content-Type'], JSON_TYPE)
  assert.equal(reply.headers['Content-Length'], reply.bytes.byteLength)
  assert.match(String(reply.headers['x-amzn-RequestId']), /^[0-9a-f-]{36}$/)
  assert.equal(Buffer.from(String(reply.headers['x-amz-id-2']), 'base64').byteLength, 72)
  assert.equal(reply.headers['Access-Control-Allow-Origin'], undefined)
})

test('what an operation answers at once is answered without a promise', () => {
  const reply = dispatcher()(toHttpRequest(PUT))
  assert.ok(!(reply instanceof Promise))
  assert.ok(dispatcher(async () => OUTPUT)(toHttpRequest(PUT)) instanceof Promise)
})

test('the operation sees the input, the caller and the moment', async () => {
  let seen: Call<PutRecordInput> | undefined
  const dispatch = dispatcher((call) => {
    seen = call
    return OUTPUT
  })
  const reply = await send({ ...PUT, accessKeyId: '123456789012', region: 'eu-north-1' }, dispatch)
  assert.equal(seen?.input.StreamName, 'orders')
  assert.equal(seen?.input.Data?.byteLength, 2)
  assert.deepEqual(seen?.context, {
    requestId: reply.headers['x-amzn-RequestId'],
    account: '123456789012',
    region: 'eu-north-1',
    accessKeyId: '123456789012',
    operation: 'PutRecord',
    nowMs: 1000,
  })
})

test('CBOR is answered in CBOR, errors too', async () => {
  const headers = { 'content-type': CBOR_TYPE }
  // {"StreamName": "orders", "Data": h'01', "PartitionKey": "k"}, maps of indefinite length
  const body = Buffer.concat([
    Buffer.from('bf6a', 'hex'),
    Buffer.from('StreamName'),
    Buffer.from('66', 'hex'),
    Buffer.from('orders'),
    Buffer.from('64', 'hex'),
    Buffer.from('Data'),
    Buffer.from('41016c', 'hex'),
    Buffer.from('PartitionKey'),
    Buffer.from('616bff', 'hex'),
  ])
  const reply = await send({ operation: 'PutRecord', headers, body })
  assert.equal(reply.headers['Content-Type'], CBOR_TYPE)
  assert.deepEqual({ ...parseBody('cbor', reply.bytes) }, { ...OUTPUT })
  const unsigned = { ...headers, authorization: undefined }
  const refused = await send({ operation: 'PutRecord', headers: unsigned, body })
  assert.equal(refused.status, 400)
  assert.deepEqual(
    { ...parseBody('cbor', refused.bytes) },
    { __type: 'MissingAuthenticationTokenException', message: 'Missing Authentication Token' },
  )
})

test('1. a CORS preflight needs nothing and tells what it was asked for', async () => {
  const reply = await send({
    method: 'OPTIONS',
    headers: {
      origin: 'https://a.example',
      authorization: undefined,
      'access-control-request-headers': 'x-amz-target',
      'access-control-request-method': 'POST',
    },
  })
  const { 'x-amzn-RequestId': id, ...headers } = reply.headers
  assert.equal(reply.status, 200)
  assert.equal(reply.text, '')
  assert.ok(id)
  assert.deepEqual(headers, {
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Allow-Headers': 'x-amz-target',
    'Access-Control-Allow-Methods': 'POST',
    'Access-Control-Max-Age': 172800,
    'Content-Length': 0,
  })
})

test('an origin makes every answer readable from any page', async () => {
  for (const body of [RECORD, '{', {}]) {
    const { headers } = await send({ ...PUT, body, headers: { origin: 'null' } })
    assert.equal(headers['Access-Control-Allow-Origin'], '*')
    assert.equal(
      headers['Access-Control-Expose-Headers'],
      'x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,x-amzn-ErrorMessage,Date',
    )
  }
})

test('2. another method than POST is refused in XML without a content type', async () => {
  for (const method of ['GET', 'PUT', 'HEAD', 'DELETE', 'OPTIONS']) {
    const reply = await send({ ...PUT, method })
    assert.deepEqual([reply.status, reply.text], [403, UNDETERMINED])
    assert.equal(reply.headers['Content-Type'], undefined)
    assert.equal(reply.headers['Content-Length'], UNDETERMINED.length)
  }
})

test('3. an empty body is a SerializationException for known targets, in CBOR unless JSON is asked', async () => {
  const cases = [
    ['PutRecord', JSON_TYPE, JSON_TYPE, 'SerializationException'],
    ['PutRecord', CBOR_TYPE, CBOR_TYPE, 'SerializationException'],
    ['PutRecord', 'text/plain', CBOR_TYPE, 'SerializationException'],
    ['PutRecord', undefined, CBOR_TYPE, 'SerializationException'],
    ['PutRecord', 'application/json', CBOR_TYPE, 'SerializationException'],
    ['Nothing', JSON_TYPE, JSON_TYPE, 'UnknownOperationException'],
    [undefined, undefined, CBOR_TYPE, 'UnknownOperationException'],
  ] as const
  for (const [target, asked, answered, type] of cases) {
    const reply = await send({
      ...(target === undefined ? {} : { operation: target }),
      headers: { 'content-type': asked },
      body: '',
    })
    assert.equal(reply.status, 400)
    assert.equal(reply.headers['Content-Type'], answered)
    const expected = encodeError(
      new WireError(type, undefined),
      answered === JSON_TYPE ? 'json' : 'cbor',
    )
    assert.deepEqual(reply.bytes, Buffer.from(expected))
  }
})

test('4. an unknown content type: XML, 404 with a target and 403 without', async () => {
  for (const [target, status, text] of [
    ['Kinesis_20131202.PutRecord', 404, '<UnknownOperationException/>\n'],
    ['Else.Nothing', 404, '<UnknownOperationException/>\n'],
    ['Kinesis_20131202', 403, UNDETERMINED],
    ['Kinesis_20131202.', 403, UNDETERMINED],
    [undefined, 403, UNDETERMINED],
  ] as const) {
    for (const type of ['text/plain', undefined, 'application/x-amz-json-1.0']) {
      const headers = { 'content-type': type, 'x-amz-target': target }
      const reply = await send({ body: '{}', headers })
      assert.deepEqual([reply.status, reply.text], [status, text])
      assert.equal(reply.headers['Content-Type'], undefined)
    }
  }
})

test('content types may have blanks and parameters', async () => {
  for (const type of [
    `  ${JSON_TYPE}  ;x`,
    `${JSON_TYPE};charset=utf-8`,
    JSON_TYPE.toUpperCase(),
  ]) {
    const reply = await send({ ...PUT, headers: { 'content-type': type } })
    assert.equal(reply.status, 200)
    assert.equal(reply.headers['Content-Type'], JSON_TYPE)
  }
})

test('5. a body that holds no object is a SerializationException without a message', async () => {
  for (const body of ['{', 'x', '1', 'null', '[]', '"text"', '{}{}', Buffer.from([0xff])]) {
    for (const target of ['PutRecord', 'Nothing']) {
      const reply = await send({ operation: target, body })
      assert.deepEqual([reply.status, reply.text], [400, '{"__type":"SerializationException"}'])
    }
  }
})

test('6. application/json is a dialect of its own', async () => {
  const headers = { 'content-type': 'application/json' }
  const parsable = await send({ ...PUT, headers })
  assert.equal(parsable.status, 404)
  assert.equal(
    parsable.text,
    '{"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"}',
  )
  assert.equal(parsable.headers['Content-Type'], 'application/json')
  const unparsable = await send({ ...PUT, body: '{', headers })
  assert.equal(unparsable.status, 400)
  assert.equal(
    unparsable.text,
    '{"Output":{"__type":"com.amazon.coral.service#SerializationException"},"Version":"1.0"}',
  )
})

test('7. an unknown target comes before authentication', async () => {
  for (const target of [
    'Kinesis_20131202.Nothing',
    'Else.PutRecord',
    '',
    'constructor',
    undefined,
  ]) {
    const headers = { 'x-amz-target': target, authorization: undefined }
    const reply = await send({ body: '{}', headers })
    assert.deepEqual([reply.status, reply.text], [400, '{"__type":"UnknownOperationException"}'])
  }
})

test('8. authentication comes before types and before what is not built', async () => {
  const headers = { authorization: undefined }
  for (const [target, body] of [
    ['PutRecord', { StreamName: [] }],
    ['ListStreams', {}],
  ] as const) {
    const reply = await send({ operation: target, body, headers })
    assert.deepEqual(
      [reply.status, reply.text],
      [
        400,
        '{"__type":"MissingAuthenticationTokenException","message":"Missing Authentication Token"}',
      ],
    )
  }
})

test('an operation that is not built says so and is no server fault', async () => {
  const reply = await send({ operation: 'ListStreams', body: {} })
  assert.deepEqual(
    [reply.status, reply.text],
    [
      400,
      '{"__type":"UnknownOperationException","message":"ListStreams is not built yet; see docs/coverage.md"}',
    ],
  )
})

test('9. types come before constraints, 10. constraints before authorization and the operation', async () => {
  let asked = 0
  let ran = 0
  const clock = new ServiceClock()
  const access: Access = {
    ...createAccess({ mode: 'open', account: '000000000000', clock }),
    authorize() {
      asked++
      throw new WireError('AccessDeniedException', 'no')
    },
  }
  const dispatch = dispatcher(
    () => {
      ran++
      return OUTPUT
    },
    { access },
  )
  const types = await send({ ...PUT, body: { ...RECORD, StreamName: '', Data: [] } }, dispatch)
  assert.equal(
    types.text,
    '{"__type":"SerializationException","Message":"Start of list found where not expected"}',
  )
  const constraints = await send({ ...PUT, body: { ...RECORD, StreamName: '/' } }, dispatch)
  assert.equal(constraints.json().__type, 'ValidationException')
  assert.deepEqual([asked, ran], [0, 0])
  const denied = await send(PUT, dispatch)
  assert.deepEqual(denied.json(), { __type: 'AccessDeniedException', message: 'no' })
  assert.deepEqual([asked, ran], [1, 0])
})

test('authorization may take its time', async () => {
  const clock = new ServiceClock()
  const open = createAccess({ mode: 'open', account: '000000000000', clock })
  const later = dispatcher(undefined, { access: { ...open, authorize: async () => {} } })
  assert.equal((await send(PUT, later)).status, 200)
  const denied = new WireError('AccessDeniedException', 'no')
  const never = dispatcher(undefined, {
    access: { ...open, authorize: () => Promise.reject(denied) },
  })
  assert.equal((await send(PUT, never)).json().__type, 'AccessDeniedException')
})

test('11. an error of the operation keeps its type, message, members and status', async () => {
  const fail = (error: unknown) => [
    dispatcher(() => {
      throw error
    }),
    dispatcher(() => Promise.reject(error)),
  ]
  for (const dispatch of fail(new WireError('ResourceNotFoundException', 'Stream x not found.'))) {
    const reply = await send(PUT, dispatch)
    assert.equal(reply.status, 400)
    assert.equal(
      reply.text,
      '{"__type":"ResourceNotFoundException","message":"Stream x not found."}',
    )
  }
  for (const dispatch of fail(new WireError('InternalFailureException', 'no'))) {
    assert.equal((await send(PUT, dispatch)).status, 500)
  }
})

test('what nobody expected is InternalFailure, and the log has it with the request id', async () => {
  const lines: [string, LogFields | undefined][] = []
  const logger: Logger = { ...silentLogger, error: (text, fields) => lines.push([text, fields]) }
  const errors = [
    new AssertionError('a broken promise'),
    new TypeError('x is not a function'),
    'text',
    undefined,
    new StorageError('damaged', 'checksum'),
    new StorageError('group-missing', 'group 5'),
  ]
  for (const error of errors) {
    const dispatch = dispatcher(() => Promise.reject(error), { logger })
    const reply = await send(PUT, dispatch)
    assert.deepEqual([reply.status, reply.text], [500, '{"__type":"InternalFailure"}'])
    const fields = lines.pop()?.[1]
    assert.equal(fields?.requestId, reply.headers['x-amzn-RequestId'])
    assert.equal(fields?.operation, 'PutRecord')
    assert.equal(fields?.error, error)
  }
})

test('storage that cannot take a request now is answered 503 with its sentence', async () => {
  const codes: StorageErrorCode[] = ['overloaded', 'disk-full', 'readonly', 'closed']
  for (const code of codes) {
    const dispatch = dispatcher(() => {
      throw new StorageError(code, `why ${code}`)
    })
    const reply = await send(PUT, dispatch)
    assert.equal(reply.status, 503)
    assert.deepEqual(reply.json(), {
      __type: 'ServiceUnavailableException',
      message: `why ${code}`,
    })
  }
})

test('a control that storage cannot take now is answered 503 with its sentence', async () => {
  const codes: StorageErrorCode[] = ['overloaded', 'disk-full', 'readonly', 'closed']
  for (const code of codes) {
    const controls = () => Promise.reject(new StorageError(code, `why ${code}`))
    const reply = await send({ path: '/_millrace/clock' }, dispatcher(undefined, { controls }))
    assert.deepEqual([reply.status, reply.json()], [503, { message: `why ${code}` }])
  }
})

test('refusals of storage are logged once a second per code, without a stack, and counted', async () => {
  const lines: [string, LogFields | undefined][] = []
  const logger: Logger = {
    ...silentLogger,
    warn: (message, fields) => lines.push([message, fields]),
  }
  let nowMs = 0
  const clock = Object.assign(new ServiceClock({ wall: () => 1000 }), { monotonicMs: () => nowMs })
  let code: StorageErrorCode = 'disk-full'
  const fail = () => Promise.reject(new StorageError(code, `why ${code}`))
  const dispatch = dispatcher(fail, { logger, clock, controls: fail })
  for (let i = 0; i < 5; i++) await send(PUT, dispatch)
  await send({ path: '/_millrace/clock' }, dispatch)
  code = 'overloaded'
  await send(PUT, dispatch)
  nowMs = 1001
  code = 'disk-full'
  await send(PUT, dispatch)
  assert.deepEqual(
    lines.map(([message, fields]) => [message, fields?.code, fields?.reason, fields?.leftOut]),
    [
      ['storage refused a request', 'disk-full', 'why disk-full', undefined],
      ['storage refused a request', 'overloaded', 'why overloaded', undefined],
      ['storage refused a request', 'disk-full', 'why disk-full', 5],
    ],
  )
  assert.ok(
    lines.every(([, fields]) => !Object.values(fields ?? {}).some((v) => v instanceof Error)),
  )
})

test('a prepared answer goes out as it is, in the protocol asked for', async () => {
  const prepared: PreparedReply = { isPrepared: true, encode: (protocol) => `"${protocol}"` }
  assert.equal(
    (
      await send(
        PUT,
        dispatcher(() => prepared),
      )
    ).text,
    '"json"',
  )
  assert.equal(
    (
      await send(
        PUT,
        dispatcher(async () => prepared),
      )
    ).text,
    '"json"',
  )
})

test('an event stream is handed on with its own content type and no length', async () => {
  const streamed: StreamedReply = {
    isStreamed: true,
    contentType: 'application/vnd.amazon.eventstream',
    async *open() {
      yield Buffer.from('one')
      yield Buffer.from('two')
    },
  }
  const reply = await send(
    PUT,
    dispatcher(() => streamed),
  )
  assert.equal(reply.headers['Content-Type'], 'application/vnd.amazon.eventstream')
  assert.equal(reply.headers['Content-Length'], undefined)
  const chunks = []
  for await (const chunk of reply.chunks ?? []) chunks.push(Buffer.from(chunk).toString())
  assert.deepEqual(chunks, ['one', 'two'])
})

test('a body in gzip is read, one that unpacks past all bounds is not', async () => {
  const headers = { 'content-encoding': 'gzip' }
  const body = gzipSync(JSON.stringify(RECORD))
  assert.equal((await send({ ...PUT, headers, body })).status, 200)
  for (const bad of [Buffer.from('not gzip'), gzipSync(Buffer.alloc(17 * 1024 * 1024))]) {
    const reply = await send({ ...PUT, headers, body: bad })
    assert.deepEqual([reply.status, reply.text], [400, '{"__type":"SerializationException"}'])
  }
})

test('faults: an error, a throttle, a lag and a cut', async () => {
  let ran = 0
  let fault: Fault | undefined
  const clock = new ServiceClock({ wall: () => 0 })
  const dispatch = dispatcher(
    () => {
      ran++
      return OUTPUT
    },
    { faults: { before: () => fault }, clock },
  )
  fault = { kind: 'throttle' }
  const throttled = await send(PUT, dispatch)
  assert.deepEqual(throttled.json(), {
    __type: 'ProvisionedThroughputExceededException',
    message: 'Rate exceeded for stream orders under account 000000000000.',
  })
  fault = { kind: 'error', type: 'KMSThrottlingException', message: 'slow', status: 418 }
  const failed = await send(PUT, dispatch)
  assert.equal(failed.status, 418)
  assert.deepEqual(failed.json(), { __type: 'KMSThrottlingException', message: 'slow' })
  fault = { kind: 'cut' }
  assert.equal((await send(PUT, dispatch)).status, 0)
  assert.equal(ran, 0)
  fault = { kind: 'cut', isAfterRun: true }
  assert.equal((await send(PUT, dispatch)).status, 0)
  assert.equal(ran, 1)
  fault = { kind: 'lag', ms: 5000 }
  const lagging = send(PUT, dispatch)
  await clock.advance(4999)
  assert.equal(ran, 1)
  await clock.advance(1)
  assert.equal((await lagging).status, 200)
  assert.equal(ran, 2)
  clock.close()
})

test('each answer is observed once, with what is known of it', async () => {
  const seen: ObservedRequest[] = []
  const observe = { observed: (request: ObservedRequest) => void seen.push(request) }
  const dispatch = dispatcher(undefined, { observe })
  const good = await send(PUT, dispatch)
  const { ms, ...rest } = seen.pop() ?? assert.fail()
  assert.ok(ms >= 0)
  assert.deepEqual(rest, {
    service: 'kinesis',
    operation: 'PutRecord',
    account: '000000000000',
    region: 'us-east-1',
    stream: 'orders',
    status: 200,
    errorType: undefined,
    bytesIn: JSON.stringify(RECORD).length,
    bytesOut: good.bytes.byteLength,
  })
  await send({ operation: 'ListStreams', body: '{}' }, dispatch)
  await send({ method: 'GET' }, dispatch)
  const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/by-arn'
  await send({ ...PUT, body: { ...RECORD, StreamName: undefined, StreamARN } }, dispatch)
  assert.deepEqual(
    seen.map(({ operation: name, stream, status, errorType }) => [name, stream, status, errorType]),
    [
      ['ListStreams', undefined, 400, 'UnknownOperationException'],
      ['', undefined, 403, 'AccessDeniedException'],
      ['PutRecord', 'by-arn', 200, undefined],
    ],
  )
})

test('paths under /_millrace/ belong to the controls, all others to the APIs', async () => {
  const paths: string[] = []
  const dispatch = dispatcher(undefined, {
    controls: ({ target }) => {
      paths.push(target)
      if (target.includes('none')) return undefined
      if (target.includes('fail')) throw new Error('x')
      return { status: 204, headers: {}, body: undefined }
    },
  })
  const get = (path: string) => send({ method: 'GET', path }, dispatch)
  const ours = ['/_millrace', '/_millrace/health', '/_millrace?x', 'http://h:1/_millrace/health']
  for (const path of ours) assert.equal((await get(path)).status, 204)
  assert.deepEqual(paths, ours)
  const none = await get('/_millrace/none')
  assert.equal(none.status, 404)
  assert.deepEqual(none.json(), { message: '/_millrace/none is not a path of Millrace.' })
  assert.equal((await get('/_millrace/fail')).status, 500)
  for (const path of ['/_millraces', '/x/_millrace/', '/?/_millrace/']) {
    assert.equal((await get(path)).status, 403)
  }
  assert.equal((await send({ ...PUT, path: '/any/path?of=theirs' }, dispatch)).status, 200)
})
