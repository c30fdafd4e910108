// The life of a request: bytes to values, who calls, what is asked, and back to bytes, in the order in
// which AWS checks (each step answers before the next is looked at). What can be answered at once is
// answered synchronously: no promise is made unless the operation made one.
//
// Expected errors are WireErrors and are encoded here, once. Storage that can't take a request right
// now answers 503, which clients retry. Anything else is our fault: InternalFailure, and the log says
// with the request's id what happened.
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { Clock } from '@millrace/base/clock'
import type { Logger } from '@millrace/base/logger'
import type { Random } from '@millrace/base/random'
import { type MaybePromise, StorageError } from '@millrace/storage/engine'
import { encodeError, type Protocol, parseBody } from '@millrace/wire/codec'
import { WireError } from '@millrace/wire/errors'
import type { Access } from '../access/access.ts'
import { namedStream } from '../platform/named-stream.ts'
import type {
  Call,
  PreparedReply,
  RequestContext,
  Service,
  StreamedReply,
} from '../platform/operation.ts'
import type { ControlRoute, Fault, FaultHook, RequestObserver } from '../platform/ports.ts'
import type { HttpReply, HttpRequest } from './message.ts'
import { RefusalLog } from './refusal-log.ts'
import * as replies from './replies.ts'
import { RequestIds } from './request-ids.ts'
import * as routing from './routes.ts'

export interface DispatcherParts {
  readonly services: readonly Service[]
  readonly access: Access
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly observe: RequestObserver
  readonly faults: FaultHook
  readonly controls: ControlRoute
}

export type Dispatcher = (request: HttpRequest) => MaybePromise<HttpReply>

/** What a body may grow to when its content encoding is undone. */
const INFLATED_BYTES_MAX = 16 * 1024 * 1024

/** One request on its way; filled in as the steps are passed. */
interface Exchange {
  readonly request: HttpRequest
  readonly id: string
  readonly headers: HttpReply['headers']
  readonly startedMs: number
  protocol: Protocol
  route: routing.Route | undefined
  context: RequestContext | undefined
  input: unknown
}

export function createDispatcher(parts: DispatcherParts): Dispatcher {
  const { access, clock, faults, logger, observe } = parts
  const routes = routing.routesOf(parts.services)
  const ids = new RequestIds(parts.random)
  const refusals = new RefusalLog(clock, logger)
  const inflate = promisify(gunzip)

  return function dispatch(request) {
    if (isControl(request.target)) return control(request)
    const id = ids.next()
    if (replies.isPreflight(request)) return replies.preflightReply(request, id)
    const exchange: Exchange = {
      request,
      id: id.uuid,
      headers: replies.replyHeaders(request.headers.origin, id),
      startedMs: clock.monotonicMs(),
      protocol: 'json',
      route: undefined,
      context: undefined,
      input: undefined,
    }
    if (request.headers['content-encoding'] !== undefined) return inflated(exchange)
    return answer(exchange, request.body)
  }

  /** The steps before an operation is known to be meant; they end in replies of their own. */
  function answer(exchange: Exchange, body: Buffer): MaybePromise<HttpReply> {
    const { request, headers } = exchange
    if (request.method !== 'POST') {
      return observed(exchange, replies.undeterminedReply(headers), 'AccessDeniedException')
    }
    const target = request.headers['x-amz-target']
    const mediaType = routing.mediaType(request.headers['content-type'])
    const protocol = routing.PROTOCOLS.get(mediaType)
    const route = routes.get(target ?? '')
    exchange.route = route
    if (body.byteLength === 0) {
      exchange.protocol = protocol ?? 'cbor'
      const type = route === undefined ? 'UnknownOperationException' : 'SerializationException'
      return refused(exchange, new WireError(type, undefined))
    }
    if (protocol === undefined && mediaType !== routing.LEGACY_MEDIA_TYPE) {
      return routing.isWholeTarget(target)
        ? observed(exchange, replies.unknownContentReply(headers), 'UnknownOperationException')
        : observed(exchange, replies.undeterminedReply(headers), 'AccessDeniedException')
    }
    const value = parseBody(protocol ?? 'json', body, target)
    if (protocol === undefined) {
      const type = value === undefined ? 'SerializationException' : 'UnknownOperationException'
      return observed(exchange, replies.legacyReply(headers, type), type)
    }
    exchange.protocol = protocol
    if (value === undefined) {
      return refused(exchange, new WireError('SerializationException', undefined))
    }
    if (route === undefined) {
      return refused(exchange, new WireError('UnknownOperationException', undefined))
    }
    return called(exchange, route, value)
  }

  /** Authenticate, types, constraints, authorize, run, encode. */
  function called(
    exchange: Exchange,
    route: routing.Route,
    value: Record<string, unknown>,
  ): MaybePromise<HttpReply> {
    try {
      const caller = access.authenticate(exchange.request, route.signingName)
      const context: RequestContext = {
        requestId: exchange.id,
        account: caller.account,
        region: caller.region,
        accessKeyId: caller.accessKeyId,
        operation: route.operation,
        nowMs: clock.now(),
      }
      exchange.context = context
      if (route.run === undefined) {
        throw new WireError(
          'UnknownOperationException',
          `${route.operation} is not built yet; see docs/coverage.md`,
        )
      }
      const codec = route.codec()
      const input = codec.readTypes(value, exchange.protocol)
      exchange.input = input
      codec.checkConstraints(input)
      const { service, operation } = route
      const allowed = access.authorize({ service, operation, input, context })
      const fault = faults.before(service, operation, input)
      if (allowed !== undefined || fault !== undefined) {
        return slowly(exchange, route, { input, context }, route.run, allowed, fault)
      }
      const output = route.run({ input, context })
      if (output instanceof Promise) return ran(exchange, route, output)
      return encoded(exchange, route, output)
    } catch (error) {
      return failed(exchange, error)
    }
  }

  /** An operation that takes its time. */
  async function ran(
    exchange: Exchange,
    route: routing.Route,
    output: Promise<unknown>,
  ): Promise<HttpReply> {
    try {
      return encoded(exchange, route, await output)
    } catch (error) {
      return failed(exchange, error)
    }
  }

  /** The same, when a policy has to be fetched or the tester wants something to go wrong. */
  async function slowly(
    exchange: Exchange,
    route: routing.Route,
    call: Call<unknown>,
    run: (call: Call<unknown>) => MaybePromise<unknown>,
    allowed: MaybePromise<void>,
    fault: Fault | undefined,
  ): Promise<HttpReply> {
    const untyped = refusedForData(exchange)
    if (untyped !== undefined) return untyped
    try {
      await allowed
      switch (fault?.kind) {
        case 'throttle':
          throw throttling(route, call.input, call.context)
        case 'error':
          throw new WireError(
            fault.type,
            fault.message,
            fault.status === undefined ? {} : { status: fault.status },
          )
        case 'lag':
          await new Promise<void>((resolve) => clock.at(clock.now() + fault.ms, resolve))
          break
        case 'cut':
          if (fault.isAfterRun) await run(call)
          return observed(exchange, { status: 0, headers: {}, body: undefined }, undefined)
      }
      return encoded(exchange, route, await run(call))
    } catch (error) {
      return failed(exchange, error)
    }
  }

  async function inflated(exchange: Exchange): Promise<HttpReply> {
    const { request } = exchange
    let body = request.body
    if (/^\s*(x-)?gzip\s*$/i.test(request.headers['content-encoding'] ?? '')) {
      try {
        body = await inflate(body, { maxOutputLength: INFLATED_BYTES_MAX })
      } catch {
        // Too large when unpacked, or not gzip: either way there is no body to read.
        return refused(exchange, new WireError('SerializationException', undefined))
      }
    }
    return answer(exchange, body)
  }

  async function control(request: HttpRequest): Promise<HttpReply> {
    try {
      const reply = await parts.controls(request)
      if (reply !== undefined) return reply
      return controlError(404, `${routing.pathOf(request.target)} is not a path of Millrace.`)
    } catch (error) {
      if (isRetried(error)) {
        refusals.refused(error, undefined)
        return controlError(503, error.message)
      }
      logger.error('control request failed', { target: request.target, error })
      return controlError(500, 'Unexpected failure; the log says more.')
    }
  }

  function encoded(exchange: Exchange, route: routing.Route, output: unknown): HttpReply {
    const { headers, protocol } = exchange
    if (isStreamed(output)) {
      headers['Content-Type'] = output.contentType
      return observed(exchange, { status: 200, headers, body: output.open(protocol) }, undefined)
    }
    const body = isPrepared(output)
      ? output.encode(protocol)
      : route.codec().encode(output, protocol)
    headers['Content-Type'] = CONTENT_TYPES[protocol]
    return observed(exchange, replies.whole(200, headers, body), undefined)
  }

  /** Data that isn't base64 shows when it is written, but is answered before what comes after types. */
  function refusedForData(exchange: Exchange): HttpReply | undefined {
    if (exchange.input === undefined) return undefined
    const fault = exchange.route?.codec().payloadFault(exchange.input)
    if (fault === undefined) return undefined
    exchange.input = undefined
    return refused(exchange, fault)
  }

  function failed(exchange: Exchange, error: unknown): HttpReply {
    const untyped = refusedForData(exchange)
    if (untyped !== undefined) return untyped
    if (error instanceof WireError) return refused(exchange, error)
    const { id: requestId, route } = exchange
    if (isRetried(error)) {
      refusals.refused(error, requestId)
      return refused(exchange, new WireError('ServiceUnavailableException', error.message))
    }
    logger.error('request failed unexpectedly', {
      requestId,
      operation: route?.operation,
      error,
    })
    return refused(exchange, new WireError('InternalFailure', undefined))
  }

  function refused(exchange: Exchange, error: WireError): HttpReply {
    const { headers, protocol } = exchange
    headers['Content-Type'] = CONTENT_TYPES[protocol]
    const reply = replies.whole(error.status, headers, encodeError(error, protocol))
    return observed(exchange, reply, error.type)
  }

  function observed(
    exchange: Exchange,
    reply: HttpReply,
    errorType: string | undefined,
  ): HttpReply {
    const { context, route, request } = exchange
    observe.observed({
      service: route?.service ?? '',
      operation: route?.operation ?? '',
      account: context?.account ?? '',
      region: context?.region ?? '',
      stream: namedStream(exchange.input),
      status: reply.status,
      errorType,
      bytesIn: request.body.byteLength,
      bytesOut: Number(reply.headers['Content-Length'] ?? 0),
      ms: clock.monotonicMs() - exchange.startedMs,
    })
    return reply
  }
}

const CONTENT_TYPES = {
  json: 'application/x-amz-json-1.1',
  cbor: 'application/x-amz-cbor-1.1',
} as const

/** Storage's errors that pass by themselves or by the operator's hand: clients should try again. */
const RETRIED: ReadonlySet<string> = new Set(['overloaded', 'disk-full', 'readonly', 'closed'])

function isRetried(error: unknown): error is StorageError {
  return error instanceof StorageError && RETRIED.has(error.code)
}

function isControl(target: string): boolean {
  // Nearly every request is for `/`; only then is nothing compared.
  return target.length > 1 && /^\/_millrace(?:[/?]|$)/.test(routing.pathOf(target))
}

function controlError(status: number, message: string): HttpReply {
  const headers = { 'Content-Type': 'application/json' }
  return replies.whole(status, headers, `${JSON.stringify({ message })}\n`)
}

function isPrepared(output: unknown): output is PreparedReply {
  return (output as PreparedReply | undefined)?.isPrepared === true
}

function isStreamed(output: unknown): output is StreamedReply {
  return (output as StreamedReply | undefined)?.isStreamed === true
}

/** The first throttling error that the operation's model lists. */
function throttling(route: routing.Route, input: unknown, context: RequestContext): WireError {
  const type =
    route.model.errors?.find((name) => /Throughput|LimitExceeded|Throttling/.test(name)) ??
    'LimitExceededException'
  const stream = namedStream(input)
  const of = stream === undefined ? '' : ` for stream ${stream}`
  return new WireError(type, `Rate exceeded${of} under account ${context.account}.`)
}
