import assert from 'node:assert/strict'
import test from 'node:test'
import { Exposition } from './exposition.ts'
import { RequestMetrics } from './metrics.ts'
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

test('label values are escaped', () => {
  const exposition = new Exposition()
  exposition.gauge('x', 'About x.', [[1, { label: 'a"b\\c\nd' }]])
  assert.equal(
    exposition.toString(),
    '# HELP x About x.\n# TYPE x gauge\nx{label="a\\"b\\\\c\\nd"} 1\n',
  )
})
