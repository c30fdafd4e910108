import assert from 'node:assert/strict'
import test from 'node:test'
import { ServiceClock } from '@millrace/base/clock'
import { MemoryEngine } from '@millrace/storage/memory-engine'
import { type App, createApp } from '../app.ts'
import { type Settings, settingsWith } from '../config.ts'
import type { InjectedReply, InjectedRequest } from '../http/inject.ts'
import { fuzzControls } from './controls.fuzz.ts'

const START_MS = Date.UTC(2026, 0, 1)

async function start(t: test.TestContext, changes: Partial<Settings> = {}): Promise<App> {
  const clock = new ServiceClock({ wall: () => START_MS })
  const engine = new MemoryEngine({ clock })
  const app = await createApp(settingsWith({ engine: 'memory', ...changes }), { clock, engine })
  t.after(() => app.close())
  return app
}

const get = (app: App, path: string, more: InjectedRequest = {}): Promise<InjectedReply> =>
  app.inject({ method: 'GET', path, ...more })
const post = (app: App, path: string, body: unknown, more: InjectedRequest = {}) =>
  app.inject({ method: 'POST', path, body, ...more })

async function streamNames(app: App): Promise<unknown> {
  return (await app.inject({ operation: 'ListStreams', body: {} })).json().StreamNames
}

test('health is ready with the version', async (t) => {
  const reply = await get(await start(t), '/_millrace/health')
  assert.equal(reply.status, 200)
  assert.deepEqual(reply.json(), { status: 'ready', version: '0.1.0' })
  assert.equal(reply.headers['Content-Type'], 'application/json')
})

test('the index lists every control', async (t) => {
  const app = await start(t)
  for (const path of ['/_millrace/', '/_millrace', '/_millrace/?x=1']) {
    const reply = await get(app, path)
    assert.equal(reply.status, 200)
    const { controls } = reply.json() as { controls: { path: string }[] }
    assert.deepEqual(
      controls.map((control) => control.path),
      [
        '/_millrace/',
        '/_millrace/health',
        '/_millrace/metrics',
        '/_millrace/clock',
        '/_millrace/faults',
        '/_millrace/reset',
      ],
    )
  }
})

test('an unknown path is 404, a wrong method 405 with what is allowed', async (t) => {
  const app = await start(t)
  assert.equal((await get(app, '/_millrace/helth')).status, 404)
  assert.equal((await get(app, '/_millrace/constructor')).status, 404)
  const odd = await app.inject({ method: 'constructor', path: '/_millrace/clock' })
  assert.equal(odd.status, 405)
  const reply = await get(app, '/_millrace/reset')
  assert.equal(reply.status, 405)
  assert.equal(reply.headers.Allow, 'POST')
})

test('the clock goes forward by a duration or by milliseconds, and everything sees it', async (t) => {
  const app = await start(t)
  assert.deepEqual((await get(app, '/_millrace/clock')).json(), {
    now: '2026-01-01T00:00:00.000Z',
    offsetMs: 0,
  })
  const reply = await post(app, '/_millrace/clock', { advance: 'PT25H' })
  assert.equal(reply.status, 200)
  assert.deepEqual(reply.json(), { now: '2026-01-02T01:00:00.000Z', offsetMs: 90_000_000 })
  const second = await post(app, '/_millrace/clock', { advanceMs: 1 })
  assert.deepEqual(second.json(), { now: '2026-01-02T01:00:00.001Z', offsetMs: 90_000_001 })
})

test('clock moves asked for at once are made one after the other', async (t) => {
  const app = await start(t)
  await Promise.all(
    Array.from({ length: 10 }, () => post(app, '/_millrace/clock', { advance: 'PT1H' })),
  )
  assert.deepEqual((await get(app, '/_millrace/clock')).json(), {
    now: '2026-01-01T10:00:00.000Z',
    offsetMs: 36_000_000,
  })
})

test('the clock outlives a restart', async () => {
  const settings = settingsWith({ engine: 'memory' })
  const clock = new ServiceClock({ wall: () => START_MS })
  const engine = new MemoryEngine({ clock })
  const first = await createApp(settings, { clock, engine })
  await post(first, '/_millrace/clock', { advance: 'P1D' })
  const later = new ServiceClock({ wall: () => START_MS + 5 })
  const second = await createApp(settings, { clock: later, engine })
  assert.deepEqual((await get(second, '/_millrace/clock')).json(), {
    now: '2026-01-02T00:00:00.005Z',
    offsetMs: 86_400_000,
  })
  await first.close()
  await second.close()
})

test('what falls due within a move has happened before its reply', async (t) => {
  const app = await start(t, { transitionMs: 60_000 })
  await app.inject({ operation: 'CreateStream', body: { StreamName: 'a', ShardCount: 1 } })
  await post(app, '/_millrace/clock', { advance: 'PT1M' })
  await app.inject({ operation: 'DeleteStream', body: { StreamName: 'a' } })
  assert.deepEqual(await streamNames(app), ['a'])
  await post(app, '/_millrace/clock', { advance: 'PT1M' })
  assert.deepEqual(await streamNames(app), [])
})

test('a move of the clock that is not understood is answered with what is', async (t) => {
  const app = await start(t)
  const bad: [unknown, RegExp][] = [
    ['{', /^The body isn't JSON: /],
    ['[]', /^The body must be a JSON object\.$/],
    [{}, /^Give either "advance"/],
    [{ advance: 'PT1H', advanceMs: 1 }, /^Give either "advance"/],
    [{ advance: '25h' }, /^"advance" must be an ISO 8601 duration/],
    [{ advance: 'P1M' }, /^"advance" must be an ISO 8601 duration/],
    [{ advance: 5 }, /^"advance" must be an ISO 8601 duration/],
    [{ advanceMs: -1 }, /the clock only goes forward\.$/],
    [{ advanceMs: 1.5 }, /must be a whole number/],
    [{ advanceMs: '1' }, /must be a whole number/],
    [{ advance: 'P36501D' }, /by 36500 days at most\.$/],
    [{ advance: 'PT1H', by: 1 }, /^There is no member "by"/],
  ]
  for (const [body, words] of bad) {
    const reply = await post(app, '/_millrace/clock', body)
    assert.equal(reply.status, 400)
    assert.match(String(reply.json().message), words)
  }
  for (let i = 0; i < 79; i++) await post(app, '/_millrace/clock', { advance: 'P36500D' })
  const reply = await post(app, '/_millrace/clock', { advance: 'P36500D' })
  assert.match(String(reply.json().message), /ends in the year 9999/)
})

test('faults strike through the port until they are deleted', async (t) => {
  const app = await start(t)
  await app.inject({ operation: 'CreateStream', body: { StreamName: 'a', ShardCount: 1 } })
  const describe = () =>
    app.inject({ operation: 'DescribeStreamSummary', body: { StreamName: 'a' } })
  const rule = { operations: ['DescribeStreamSummary'], stream: 'a', kind: 'throttle', seed: 1 }
  const reply = await post(app, '/_millrace/faults', { rules: [rule] })
  assert.deepEqual(reply.json(), { rules: [{ ...rule, rate: 1, hits: 0 }] })
  assert.equal((await describe()).json().__type, 'LimitExceededException')
  assert.deepEqual((await get(app, '/_millrace/faults')).json(), {
    rules: [{ ...rule, rate: 1, hits: 1 }],
  })
  assert.equal((await app.inject({ method: 'DELETE', path: '/_millrace/faults' })).status, 200)
  assert.equal((await describe()).status, 200)
})

test('fault rules that are not understood are answered with what is', async (t) => {
  const app = await start(t)
  const reply = await post(app, '/_millrace/faults', { rules: [{ kind: 'boom' }] })
  assert.equal(reply.status, 400)
  assert.match(String(reply.json().message), /^Rule 1: "kind" must be/)
  assert.deepEqual((await get(app, '/_millrace/faults')).json(), { rules: [] })
})

test('faults of one stream strike its iterators and the pages of its shards', async (t) => {
  const app = await start(t)
  const ask = (operation: string, body: unknown) => app.inject({ operation, body })
  const tokens: Record<string, { ShardIterator: unknown; NextToken: unknown }> = {}
  for (const StreamName of ['struck', 'spared']) {
    await ask('CreateStream', { StreamName, ShardCount: 2 })
    await app.clock.advance(60_000)
    const ShardId = 'shardId-000000000000'
    const iterator = { StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' }
    const { ShardIterator } = (await ask('GetShardIterator', iterator)).json()
    const { NextToken } = (await ask('ListShards', { StreamName, MaxResults: 1 })).json()
    tokens[StreamName] = { ShardIterator, NextToken }
  }
  await post(app, '/_millrace/faults', { rules: [{ stream: 'struck', kind: 'throttle' }] })
  const statuses = async ({ ShardIterator, NextToken }: { [name: string]: unknown } = {}) => [
    (await ask('GetRecords', { ShardIterator })).status,
    (await ask('ListShards', { NextToken })).status,
  ]
  assert.deepEqual(await statuses(tokens.struck), [400, 400])
  assert.deepEqual(await statuses(tokens.spared), [200, 200])
  // What is no token of ours is no stream's, and is refused as ever.
  assert.deepEqual(await statuses({ ShardIterator: 'AAAA', NextToken: 'AAAA' }), [400, 400])
  const { rules } = (await get(app, '/_millrace/faults')).json() as { rules: { hits: number }[] }
  assert.equal(rules[0]?.hits, 2)
})

test('reset deletes every stream and ends faults, and the clock stays', async (t) => {
  const app = await start(t)
  for (const StreamName of ['a', 'b'])
    await app.inject({ operation: 'CreateStream', body: { StreamName, ShardCount: 1 } })
  await post(app, '/_millrace/clock', { advance: 'PT1H' })
  await post(app, '/_millrace/faults', { rules: [{ kind: 'throttle' }] })
  assert.equal((await post(app, '/_millrace/reset', '')).status, 200)
  assert.deepEqual(await streamNames(app), [])
  assert.deepEqual((await get(app, '/_millrace/faults')).json(), { rules: [] })
  assert.equal((await get(app, '/_millrace/clock')).json().offsetMs, 3_600_000)
})

test('pages of other origins are kept out, also by a name that was made to point here', async (t) => {
  const app = await start(t)
  const status = async (headers: Record<string, string>) =>
    (await get(app, '/_millrace/health', { headers })).status
  assert.equal(await status({ origin: 'https://example.com' }), 403)
  assert.equal(await status({ origin: 'null' }), 403)
  assert.equal(await status({ host: '127.0.0.1:4566', origin: 'http://127.0.0.1:3000' }), 403)
  const rebound = { host: 'example.com:4566', origin: 'http://example.com:4566' }
  assert.equal(await status(rebound), 403)
  assert.equal(await status({ host: 'example.com:4566', 'sec-fetch-site': 'same-origin' }), 403)
  for (const host of ['127.0.0.1:4566', 'localhost:4566', '[::1]:4566', 'a.localhost'])
    assert.equal(
      await status({ host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }),
      200,
    )
  for (const site of ['cross-site', 'same-site'])
    assert.equal(await status({ 'sec-fetch-site': site }), 403, site)
  assert.equal(await status({ 'sec-fetch-site': 'none' }), 200)
  const reply = await get(app, '/_millrace/reset', { headers: { origin: 'https://example.com' } })
  assert.equal(reply.status, 403)
  assert(!Object.keys(reply.headers).some((name) => /^access-control/i.test(name)))
})

test('on loopback only names of this machine are answered, whoever asks', async (t) => {
  const app = await start(t, { host: '127.0.0.1' })
  const ask = (host: string | undefined, target = '/_millrace/health') =>
    get(app, target, { headers: { host } })
  const refused = await ask('evil.com:4566')
  assert.equal(refused.status, 403)
  assert.match(String(refused.json().message), /answers as localhost.*evil\.com/)
  for (const host of ['evil.com', 'localhost.evil.com', '127.0.0.1.evil.com', 'localhost@evil.com'])
    assert.equal((await ask(host)).status, 403, host)
  for (const host of [
    'localhost',
    'LOCALHOST:4566',
    'x.localhost',
    '10.1.2.3',
    '[::1]:1',
    undefined,
  ])
    assert.equal((await ask(host)).status, 200, String(host))
  assert.equal((await ask('http://localhost:4566')).status, 200)
  const byAuthority = { headers: { host: undefined, ':authority': 'evil.com' } }
  assert.equal((await get(app, '/_millrace/health', byAuthority)).status, 403)
  const named = await start(t, { host: 'millrace.localhost' })
  assert.equal(
    (await get(named, '/_millrace/', { headers: { host: 'millrace.localhost' } })).status,
    200,
  )
  const open = await start(t, { host: '0.0.0.0', access: 'open' })
  assert.equal((await get(open, '/_millrace/', { headers: { host: 'millrace:4566' } })).status, 200)
})

test('a page cannot move the clock by a request that carries no Origin', async (t) => {
  const app = await start(t)
  const headers = { 'sec-fetch-site': 'cross-site' }
  const reply = await post(app, '/_millrace/clock', { advance: 'PT1H' }, { headers })
  assert.equal(reply.status, 403)
  assert.equal((await get(app, '/_millrace/clock')).json().offsetMs, 0)
})

test('state is changed from this machine with open access only, unless test controls are on', async (t) => {
  const remote = { isLoopback: false }
  const app = await start(t)
  const refused = await post(app, '/_millrace/reset', '', remote)
  assert.equal(refused.status, 403)
  assert.match(String(refused.json().message), /unless Millrace was started with --test-controls/)
  assert.equal((await post(app, '/_millrace/clock', { advanceMs: 1 }, remote)).status, 403)
  assert.equal((await get(app, '/_millrace/faults', remote)).status, 200)

  const trusting = await start(t, { testControls: true })
  assert.equal((await post(trusting, '/_millrace/reset', '', remote)).status, 200)
})

test('metrics count requests by operation and outcome', async (t) => {
  const app = await start(t)
  await app.inject({ operation: 'ListStreams', body: {} })
  await app.inject({ operation: 'ListStreams', body: {} })
  await app.inject({ operation: 'DescribeStream', body: { StreamName: 'a' } })
  const reply = await get(app, '/_millrace/metrics')
  assert.equal(reply.headers['Content-Type'], 'text/plain; version=0.0.4; charset=utf-8')
  const has = (line: string) => assert(reply.text.includes(`${line}\n`), line)
  has('millrace_requests_total{service="kinesis",operation="ListStreams",error=""} 2')
  has(
    'millrace_requests_total{service="kinesis",operation="DescribeStream",error="ResourceNotFoundException"} 1',
  )
  has('millrace_request_bytes_total{service="kinesis",operation="ListStreams"} 4')
  has('millrace_request_duration_seconds_count{service="kinesis",operation="ListStreams"} 2')
  has('millrace_clock_offset_seconds 0')
  has('millrace_streams 0')
  for (const line of reply.text.trimEnd().split('\n'))
    assert.match(line, /^(# (HELP|TYPE) millrace_\w+ .+|millrace_\w+(\{.*\})? -?[\d.e+-]+)$/)
})

test('whatever is sent to the controls, nothing fails and the server serves on', async () => {
  await fuzzControls(1, 300)
})
