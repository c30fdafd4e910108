// Throws bodies, methods and headers at everything under /_millrace/: whatever comes in, the answer is
// JSON (or the page of metrics) and never an unexpected failure, time never falls, and afterwards the
// server serves as before.
import { ServiceClock } from '@millrace/base/clock'
import { MemoryEngine } from '@millrace/storage/memory-engine'
import fc from 'fast-check'
import { type App, createApp } from '../app.ts'
import { settingsWith } from '../config.ts'
import type { InjectedRequest } from '../http/inject.ts'

const REQUESTS_A_ROUND = 300

export async function fuzz(seed: number, seconds: number): Promise<void> {
  const until = Date.now() + seconds * 1000
  for (let round = 0; Date.now() < until; round++)
    await fuzzControls(seed + round, REQUESTS_A_ROUND)
}

/** Some requests to one server. Throws what it finds, with the requests that lead there. */
export async function fuzzControls(seed: number, requests: number): Promise<void> {
  const clock = new ServiceClock({ wall: () => 0 })
  const engine = new MemoryEngine({ clock })
  const app = await createApp(settingsWith({ engine: 'memory' }), { clock, engine })
  let lastMs = 0
  try {
    await fc.assert(
      fc.asyncProperty(anyRequest, async (request) => {
        const reply = await app.inject(request)
        if (![200, 400, 403, 404, 405].includes(reply.status))
          throw new Error(`answered ${reply.status}: ${reply.text}`)
        if (reply.headers['Content-Type'] === 'application/json') reply.json()
        if (clock.now() < lastMs) throw new Error('time fell')
        lastMs = clock.now()
      }),
      { seed, numRuns: requests, endOnFailure: true },
    )
    await assertServes(app)
  } finally {
    await app.close()
  }
}

async function assertServes(app: App): Promise<void> {
  await app.inject({ method: 'POST', path: '/_millrace/reset' })
  for (const [operation, body] of [
    ['CreateStream', { StreamName: 'a', ShardCount: 1 }],
    ['PutRecord', { StreamName: 'a', PartitionKey: 'k', Data: 'AAAA' }],
  ] as const) {
    const reply = await app.inject({ operation, body })
    if (reply.status !== 200) throw new Error(`${operation} answered ${reply.text}`)
  }
}

const oneOf = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values)

const scalar = fc.oneof(
  fc.anything({ maxDepth: 2 }),
  fc.double(),
  fc.integer(),
  oneOf<unknown>(0, 1, -1, 1e308, '', 'PT1H', 'P1D', 'PT0.001S', 'P1Y', '__proto__', null, true),
)

const rule = fc.dictionary(
  oneOf(
    'operations',
    'stream',
    'kind',
    'rate',
    'ms',
    'error',
    'message',
    'status',
    'afterRun',
    'seed',
    'x',
  ),
  fc.oneof(
    scalar,
    oneOf<unknown>('throttle', 'error', 'lag', 'cut', 'a', 0.5, 400, 503, true, 7),
    fc.constant(['PutRecord']),
  ),
)

const body: fc.Arbitrary<unknown> = fc.oneof(
  fc.string(),
  fc.uint8Array({ maxLength: 40 }),
  fc.dictionary(oneOf('advance', 'advanceMs', 'rules', 'x', '__proto__'), scalar).map(asJson),
  fc.record({ rules: fc.array(fc.oneof(rule, scalar), { maxLength: 5 }) }).map(asJson),
)

const anyRequest: fc.Arbitrary<InjectedRequest> = fc.record(
  {
    method: oneOf('GET', 'POST', 'DELETE', 'PUT', 'OPTIONS', 'HEAD', 'constructor'),
    path: fc
      .tuple(
        oneOf('', 'http://127.0.0.1', '//'),
        oneOf('', '/', '/health', '/metrics', '/clock', '/faults', '/reset', '/toString', '/%00'),
        oneOf('', '?a=b', '#c', '/..'),
      )
      .map(([host, path, rest]) => `${host}/_millrace${path}${rest}`),
    headers: fc.dictionary(
      oneOf('origin', 'host', 'sec-fetch-site', ':authority', 'content-encoding'),
      oneOf('', 'null', 'http://127.0.0.1', 'localhost:1', '[::1]:1', '[', 'a:b:c', 'gzip', '%'),
    ),
    body,
    isLoopback: fc.boolean(),
  },
  { requiredKeys: ['method', 'path'] },
)

/** As the wire would carry it; what JSON can't say is sent as text. */
function asJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    return String(Object.keys(value as object))
  }
}
