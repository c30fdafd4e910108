import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'

const MAIN = join(import.meta.dirname, 'main.ts')
const BIN = join(import.meta.dirname, '..', 'bin', 'millrace.mjs')

function folder(t: test.TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'millrace-run-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

interface Process {
  readonly child: ChildProcess
  readonly out: () => string
  readonly err: () => string
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | string | null>
  /** The URL of the ready line; rejects when the process ends first. */
  readonly ready: Promise<string>
}

function start(t: test.TestContext, args: readonly string[], entry = BIN, cwd = tmpdir()): Process {
  const child = spawn(process.execPath, [entry, ...args], {
    cwd,
    env: { ...process.env, MILLRACE_PORT: '0' },
  })
  t.after(() => child.kill('SIGKILL'))
  let out = ''
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const ended = new Promise<number | string | null>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal))
  })
  const ready = new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
      const match = /^Millrace ready on (\S+)$/m.exec(out)
      if (match?.[1] !== undefined) resolve(match[1])
    })
    ended.then((code) => reject(new Error(`ended with ${code}: ${err}`)), reject)
  })
  ready.catch(() => {})
  return { child, out: () => out, err: () => err, ended, ready }
}

async function call(url: string, operation: string, body: unknown): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: {
      'x-amz-target': `Kinesis_20131202.${operation}`,
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-date': '20260101T000000Z',
      authorization: `AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
    },
    body: JSON.stringify(body),
  })
}

test('the process says when it is ready, serves, stops on SIGTERM, and finds its records again', async (t) => {
  const data = join(folder(t), 'made', 'below')
  const args = ['--data', data, '--streams', 'orders:1', '--log', 'human']
  const first = start(t, args, MAIN)
  const url = await first.ready
  assert.equal(first.out(), `Millrace ready on ${url}\n`)
  const facts = JSON.parse(readFileSync(join(data, 'server.json'), 'utf8'))
  assert.deepEqual(facts, { url, pid: first.child.pid, caFile: join(data, 'tls', 'ca.pem') })
  assert.match(readFileSync(facts.caFile, 'utf8'), /BEGIN CERTIFICATE/)
  const put = await call(url, 'PutRecord', {
    StreamName: 'orders',
    PartitionKey: 'k',
    Data: 'aGVsbG8=',
  })
  assert.equal(put.status, 200)
  first.child.kill('SIGTERM')
  assert.equal(await first.ended, 0)
  assert(!existsSync(join(data, 'server.json')))
  for (const words of [
    /^ {2}address +http:/m,
    /^ {2}data +\/.+\(sync\)$/m,
    /aws kinesis list-streams/,
  ])
    assert.match(first.err(), words)

  const second = start(t, args)
  const again = await second.ready
  const shard = { StreamName: 'orders', ShardId: 'shardId-000000000000' }
  const iterator = await call(again, 'GetShardIterator', {
    ...shard,
    ShardIteratorType: 'TRIM_HORIZON',
  })
  const records = await call(again, 'GetRecords', await iterator.json())
  const { Records } = (await records.json()) as { Records: { Data: string }[] }
  assert.deepEqual(
    Records.map(({ Data }) => Data),
    ['aGVsbG8='],
  )

  const third = start(t, args)
  assert.equal(await third.ended, 1)
  assert.match(
    third.err(),
    /^millrace: The data folder .* is in use by another Millrace process\. .*--data\.\n$/m,
  )
  second.child.kill('SIGINT')
  assert.equal(await second.ended, 0)

  writeFileSync(join(data, 'format.json'), '{"format":999,"durability":"sync"}')
  const fourth = start(t, args)
  assert.equal(await fourth.ended, 1)
  assert.match(fourth.err(), /^millrace: .*999/m)
  assert.doesNotMatch(fourth.err(), /\n {4}at /)
})

test('a port in use, a folder that cannot be made and an unknown address are one sentence and exit 1', async (t) => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  t.after(() => taken.close())
  const { port } = taken.address() as { port: number }
  const data = folder(t)
  writeFileSync(join(data, 'file'), '')
  const runs: [string[], RegExp][] = [
    [
      ['--port', String(port), '--data', data],
      /^millrace: Port \d+ of 127\.0\.0\.1 is in use by another process\. .*--port/,
    ],
    [['--data', join(data, 'file', 'below')], /^millrace: .*file.*--data/],
    [['--host', '192.0.2.1', '--access', 'open', '--data', data], /^millrace: .*192\.0\.2\.1/],
  ]
  for (const [args, words] of runs) {
    const run = start(t, [...args, '--log-level', 'error'])
    assert.equal(await run.ended, 1)
    assert.match(run.err(), words)
    assert.equal(run.err().trimEnd().split('\n').length, 1, run.err())
    assert.equal(run.out(), '')
  }
})

test('settings that are not understood are one sentence and exit 2', async (t) => {
  const data = folder(t)
  mkdirSync(join(data, 'sub'))
  const keys = join(data, 'keys.json')
  writeFileSync(keys, '{}')
  const runs: [string[], RegExp][] = [
    [['--prot', '1'], /^millrace: There is no flag --prot\. Did you mean --port\?/],
    [['--port', 'x'], /^millrace: --port is "x": it must be a whole number from 0 to 65535\.\n$/],
    [
      ['--access', 'verify', '--credentials', keys, '--engine', 'memory'],
      /^millrace: The credentials file .*keys\.json has no list "accessKeys"/,
    ],
    [
      ['--tls-cert', keys, '--tls-key', keys, '--engine', 'memory'],
      /^millrace: .*keys\.json.* can't be used for TLS/,
    ],
  ]
  for (const [args, words] of runs) {
    const run = start(t, [...args, '--log-level', 'error'])
    assert.equal(await run.ended, 2)
    assert.match(run.err(), words)
    assert.equal(run.out(), '')
  }
  writeFileSync(join(data, 'millrace.config.json'), '{"limits": "few"}')
  const run = start(t, ['--engine', 'memory'], BIN, data)
  assert.equal(await run.ended, 2)
  assert.match(run.err(), /^millrace: "limits" in millrace\.config\.json is "few": it must be aws/)
})

test('--help and --version print and end', async (t) => {
  const help = start(t, ['--help'])
  assert.equal(await help.ended, 0)
  assert.match(help.out(), /--transition-ms MS/)
  const version = start(t, ['--version'])
  assert.equal(await version.ended, 0)
  assert.match(version.out(), /^\d+\.\d+\.\d+\n$/)
})

test('a second signal, later than an echo of the first, stops at once', async (t) => {
  const run = start(t, ['--engine', 'memory', '--stop-ms', '600000', '--log', 'json'])
  const url = await run.ready
  // A request whose body never ends keeps a graceful stop waiting.
  const body = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('{')) })
  const pending = fetch(url, { method: 'POST', body, duplex: 'half' } as RequestInit)
  pending.catch(() => {})
  while (!/^millrace_connections 2$/m.test(await metrics(url))) await pause(20)
  run.child.kill('SIGTERM')
  run.child.kill('SIGTERM')
  await pause(700)
  assert.equal(run.child.exitCode, null)
  run.child.kill('SIGTERM')
  assert.equal(await run.ended, 128 + 15)
})

async function metrics(url: string): Promise<string> {
  return (await fetch(`${url}/_millrace/metrics`)).text()
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
