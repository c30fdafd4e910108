import assert from 'node:assert/strict'
import test from 'node:test'
import type { EngineMetrics } from '@millrace/storage/engine'
import { Exposition } from './exposition.ts'
import { MetricsPage, RequestMetrics } from './metrics.ts'
import type { ObservedRequest } from './ports.ts'

const request: ObservedRequest = {
  service: 'kinesis',
  operation: 'PutRecord',
  account: '000000000000',
  region: 'us-east-1',
  stream: 'a',
  status: 200,
  errorType: undefined,
  bytesIn: 10,
  bytesOut: 20,
  ms: 3,
}

function page(...requests: Partial<ObservedRequest>[]): string {
  const metrics = new RequestMetrics()
  for (const each of requests) metrics.observed({ ...request, ...each })
  const exposition = new Exposition()
  metrics.expose(exposition)
  return exposition.toString()
}

function value(text: string, sample: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${sample} `))
  assert(line !== undefined, `${sample} in\n${text}`)
  return Number(line.slice(sample.length + 1))
}

test('latencies are counted into cumulative buckets, with bounds included', () => {
  const text = page({ ms: 0.25 }, { ms: 0.3 }, { ms: 100 }, { ms: 60_000 })
  const bucket = (le: string) =>
    value(
      text,
      `millrace_request_duration_seconds_bucket{service="kinesis",operation="PutRecord",le="${le}"}`,
    )
  assert.equal(bucket('0.00025'), 1)
  assert.equal(bucket('0.0005'), 2)
  assert.equal(bucket('0.1'), 3)
  assert.equal(bucket('10'), 3)
  assert.equal(bucket('+Inf'), 4)
  const sum = 'millrace_request_duration_seconds_sum{service="kinesis",operation="PutRecord"}'
  assert(Math.abs(value(text, sum) - 60.10055) < 1e-9)
})

test('requests are counted by what became of them, a connection cut on purpose as such', () => {
  const text = page(
    {},
    { status: 400, errorType: 'ValidationException' },
    { status: 400, errorType: 'ValidationException' },
    { status: 0 },
  )
  const count = (error: string) =>
    value(text, `millrace_requests_total{service="kinesis",operation="PutRecord",error="${error}"}`)
  assert.equal(count(''), 1)
  assert.equal(count('ValidationException'), 2)
  assert.equal(count('Cut'), 1)
  const bytes = 'millrace_request_bytes_total{service="kinesis",operation="PutRecord"}'
  assert.equal(value(text, bytes), 40)
})

function storagePage(engine: Partial<EngineMetrics>): string {
  const none: EngineMetrics = {
    commits: 0,
    bytesCommitted: 0,
    commitMs: [],
    bytesOnDisk: 0,
    bytesUnacknowledged: 0,
    bytesCached: 0,
    filesUnsealed: 0,
    segments: 0,
    readsFromDisk: 0,
  }
  const catalog = { appends: 0, commands: 0, commandsLost: 0, snapshots: 0, snapshotFailures: 0 }
  return new MetricsPage({
    version: '1',
    requests: new RequestMetrics(),
    engine: () => ({ ...none, ...engine }),
    catalog: () => ({ ...catalog, bytesSinceSnapshot: 0 }),
    background: () => [],
    listener: () => undefined,
    nowMs: () => 0,
    clockOffsetMs: () => 0,
    streams: () => 0,
  }).text()
}

test('how far sealing and retention are behind is shown in seconds, if the engine knows it', () => {
  const text = storagePage({ oldestUnsealedMs: 2500, retentionLagMs: 61_000, damagedBlocks: 2 })
  assert.equal(value(text, 'millrace_oldest_unsealed_seconds'), 2.5)
  assert.equal(value(text, 'millrace_retention_lag_seconds'), 61)
  assert.equal(value(text, 'millrace_damaged_blocks'), 2)
  assert.doesNotMatch(storagePage({}), /oldest_unsealed|retention_lag|damaged_blocks/)
})

test('label values are escaped', () => {
  const exposition = new Exposition()
  exposition.gauge('x', 'About x.', [[1, { label: 'a"b\\c\nd' }]])
  assert.equal(
    exposition.toString(),
    '# HELP x About x.\n# TYPE x gauge\nx{label="a\\"b\\\\c\\nd"} 1\n',
  )
})
