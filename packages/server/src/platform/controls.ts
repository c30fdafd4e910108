// What is under /_millrace/: health and metrics for who operates it, clock, faults and reset for who
// tests with it. Browsers are kept out: a request of a page that isn't ours (by Origin or
// Sec-Fetch-Site) is answered 403 and nothing carries CORS headers, so that no web page can read or
// change anything here. What changes state wants loopback and open access, or --test-controls.
//
// A page can make its own name resolve to 127.0.0.1 and would then be of the same origin as we are;
// so a browser is believed only when it calls us by an address, `localhost` or the configured host. A
// server on loopback takes no other name from anybody, since not every browser says that it is one.
import { isIP } from 'node:net'
import type { MaybePromise } from '@millrace/storage/engine'
import type { HttpReply, HttpRequest } from '../http/message.ts'
import { parseDuration } from './duration.ts'
import { EXPOSITION_CONTENT_TYPE } from './exposition.ts'
import type { FaultRule, RuleInForce } from './faults.ts'
import type { ControlRoute } from './ports.ts'

export interface Health {
  readonly status: 'ready' | 'recovering' | 'readonly' | 'stopping'
  /** Why it isn't ready. */
  readonly reason?: string | undefined
}

export interface ControlParts {
  readonly version: string
  readonly health: () => Health
  /** The page for Prometheus. */
  readonly metrics: () => string
  readonly clock: {
    now(): number
    offsetMs(): number
    /** Durable, and what fell due has fired, when it resolves. */
    advance(byMs: number): Promise<void>
  }
  readonly faults: {
    rules(): RuleInForce[]
    /** Rules out of the tester's body, or what is wrong with it. */
    read(body: Record<string, unknown>): FaultRule[] | string
    set(rules: readonly FaultRule[]): void
  }
  /** Empties everything. */
  readonly reset: () => Promise<void>
  /** Whether requests that change state are taken from who is not on this machine, and with verify. */
  readonly isTestControlled: boolean
  readonly access: 'open' | 'verify'
  /** As configured. */
  readonly host: string
}

type Answer = (request: HttpRequest) => MaybePromise<HttpReply>

interface Control {
  readonly about: string
  readonly methods: Readonly<Partial<Record<string, Answer>>>
}

/** One move of the clock: a hundred years, so that times stay dates. */
const ADVANCE_MS_MAX = 100 * 365 * 86_400_000

export function createControls(parts: ControlParts): ControlRoute {
  const { clock, faults } = parts
  const clockReply = (): HttpReply =>
    json(200, { now: new Date(clock.now()).toISOString(), offsetMs: clock.offsetMs() })
  const faultsReply = (): HttpReply => json(200, { rules: faults.rules() })

  const controls: Readonly<Record<string, Control>> = {
    '/_millrace/': { about: 'This list.', methods: { GET: () => json(200, list(controls)) } },
    '/_millrace/health': {
      about: 'Whether requests are served: 200 when ready, else 503 and why.',
      methods: {
        GET() {
          const { status, reason } = parts.health()
          const isReady = status === 'ready'
          return json(isReady ? 200 : 503, { status, reason, version: parts.version })
        },
      },
    },
    '/_millrace/metrics': {
      about: 'Counters and gauges for Prometheus.',
      methods: { GET: () => text(200, EXPOSITION_CONTENT_TYPE, parts.metrics()) },
    },
    '/_millrace/clock': {
      about: 'Service time; POST {"advance":"PT25H"} or {"advanceMs":90000000} moves it forward.',
      methods: {
        GET: clockReply,
        POST: (request) =>
          withBody(request, async (body) => {
            const byMs = readAdvance(body)
            if (typeof byMs === 'string') return problem(400, byMs)
            if (clock.now() + byMs > SERVICE_MS_MAX)
              return problem(400, 'Service time ends in the year 9999.')
            await clock.advance(byMs)
            return clockReply()
          }),
      },
    },
    '/_millrace/faults': {
      about:
        'Rules that make requests fail; POST {"rules":[{"operations":["PutRecords"],"stream":"x","kind":"throttle","rate":0.05,"seed":1}]} sets them, DELETE ends them.',
      methods: {
        GET: faultsReply,
        POST: (request) =>
          withBody(request, (body) => {
            const rules = faults.read(body)
            if (typeof rules === 'string') return problem(400, rules)
            faults.set(rules)
            return faultsReply()
          }),
        DELETE() {
          faults.set([])
          return faultsReply()
        },
      },
    },
    '/_millrace/reset': {
      about: 'POST deletes every stream and ends all faults; the clock stays.',
      methods: {
        async POST() {
          await parts.reset()
          return json(200, {})
        },
      },
    },
  }

  return (request) => {
    const path = pathOf(request.target)
    const control = controls[path === '/_millrace' ? '/_millrace/' : path]
    const intruder = intruderIn(request, parts.host)
    if (intruder !== undefined) return problem(403, intruder)
    if (control === undefined) return undefined
    const { methods } = control
    const answer = Object.hasOwn(methods, request.method) ? methods[request.method] : undefined
    if (answer === undefined) {
      const allowed = Object.keys(methods).join(', ')
      return problem(405, `${path} takes ${allowed}.`, { Allow: allowed })
    }
    const { status, reason } = parts.health()
    if (status === 'recovering' && !WHILE_RECOVERING.has(path))
      return problem(503, reason ?? 'Not yet.')
    if (request.method !== 'GET') {
      const refusal = refusalOf(request, parts)
      if (refusal !== undefined) return problem(403, refusal)
    }
    return answer(request)
  }
}

/** What answers before the data has been read. */
const WHILE_RECOVERING: ReadonlySet<string> = new Set([
  '/_millrace',
  '/_millrace/',
  '/_millrace/health',
])

/** The end of what ISO 8601 writes with four digits. */
const SERVICE_MS_MAX = Date.UTC(9999, 11, 31)

function list(controls: Readonly<Record<string, Control>>): unknown {
  return {
    controls: Object.entries(controls).map(([path, { about, methods }]) => ({
      path,
      methods: Object.keys(methods),
      about,
    })),
  }
}

function refusalOf(request: HttpRequest, parts: ControlParts): string | undefined {
  if (parts.isTestControlled) return undefined
  if (!request.isLoopback)
    return 'From another machine nothing can be changed here, unless Millrace was started with --test-controls.'
  if (parts.access !== 'open')
    return 'With --access verify nothing can be changed here, unless Millrace was started with --test-controls.'
  return undefined
}

/** Why this isn't answered, if a page that isn't ours may have sent it. */
function intruderIn({ headers }: HttpRequest, ownHost: string): string | undefined {
  // Some clients send a whole URL.
  const host = (headers.host ?? headers[':authority'] ?? '').replace(/^https?:\/\//i, '')
  const { origin } = headers
  const site = headers['sec-fetch-site']
  const isBrowser = origin !== undefined || site !== undefined
  if ((isBrowser || (isLoopbackName(ownHost) && host !== '')) && !isTrustedName(host, ownHost))
    return `What is under /_millrace/ answers as localhost, an address or the configured host, not as ${host}.`
  const isOwnOrigin =
    origin === undefined || origin === `http://${host}` || origin === `https://${host}`
  if (isOwnOrigin && (site === undefined || site === 'same-origin' || site === 'none'))
    return undefined
  return 'Nothing under /_millrace/ answers pages of another origin.'
}

/** `host` with or without a port: an address, localhost, or the host that was configured. */
function isTrustedName(host: string, ownHost: string): boolean {
  const name = /^(\[[^\]]*\]|[^:]*)(?::\d+)?$/.exec(host)?.[1]?.toLowerCase() ?? ''
  return (
    isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0 ||
    LOCALHOST.test(name) ||
    name === ownHost.toLowerCase()
  )
}

function isLoopbackName(name: string): boolean {
  return LOCALHOST.test(name.toLowerCase()) || name === '::1' || /^127(\.\d+){3}$/.test(name)
}

const LOCALHOST = /^([^@/]*\.)?localhost$/

function readAdvance(body: Record<string, unknown>): number | string {
  const stray = Object.keys(body).find((name) => name !== 'advance' && name !== 'advanceMs')
  if (stray !== undefined)
    return `There is no member "${stray}"; there are "advance" (a duration such as PT25H) and "advanceMs".`
  const { advance, advanceMs } = body
  if ((advance === undefined) === (advanceMs === undefined))
    return 'Give either "advance" (a duration such as PT25H) or "advanceMs".'
  const byMs = advance === undefined ? advanceMs : durationOf(advance)
  if (byMs === undefined)
    return `"advance" must be an ISO 8601 duration of weeks, days, hours, minutes and seconds, such as P1DT12H or PT0.5S.`
  if (!Number.isSafeInteger(byMs) || (byMs as number) < 0)
    return '"advanceMs" must be a whole number of milliseconds, and the clock only goes forward.'
  if ((byMs as number) > ADVANCE_MS_MAX) return 'The clock goes forward by 36500 days at most.'
  return byMs as number
}

function durationOf(value: unknown): number | undefined {
  return typeof value === 'string' ? parseDuration(value) : undefined
}

function withBody(
  request: HttpRequest,
  answer: (body: Record<string, unknown>) => MaybePromise<HttpReply>,
): MaybePromise<HttpReply> {
  let body: unknown
  try {
    body = JSON.parse(request.body.toString())
  } catch (error) {
    return problem(400, `The body isn't JSON: ${(error as Error).message}.`)
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return problem(400, 'The body must be a JSON object.')
  return answer(body as Record<string, unknown>)
}

/** Without host, query and fragment. */
function pathOf(target: string): string {
  return target.replace(/^https?:\/\/[^/]*/i, '').replace(/[?#].*$/s, '')
}

function problem(status: number, message: string, headers: HttpReply['headers'] = {}): HttpReply {
  const reply = json(status, { message })
  return { ...reply, headers: { ...reply.headers, ...headers } }
}

function json(status: number, value: unknown): HttpReply {
  return text(status, 'application/json', `${JSON.stringify(value)}\n`)
}

function text(status: number, contentType: string, body: string): HttpReply {
  const headers = {
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  }
  return { status, headers, body }
}
