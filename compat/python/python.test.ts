// The AWS CLI and boto3, unchanged: JSON 1.1 over HTTP/1.1, plain and TLS.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { awsCli, python } from '../install.ts'
import { type RunningServer, removeDataFolder, startServer } from '../server.ts'

const run = promisify(execFile)
let server: RunningServer
let env: NodeJS.ProcessEnv

before(async () => {
  server = await startServer()
  env = {
    ...process.env,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_DEFAULT_REGION: 'eu-central-1',
    AWS_ENDPOINT_URL: server.url,
    AWS_PAGER: '',
  }
})
after(async () => {
  await server.stop()
  removeDataFolder(server.dataFolder)
})

async function aws(...args: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run(awsCli, ['kinesis', ...args], { env })
  return stdout.trim() === '' ? {} : JSON.parse(stdout)
}

test('AWS CLI: create, put from a file, read back, delete', async () => {
  await aws('create-stream', '--stream-name', 'cli', '--shard-count', '1')
  await aws('wait', 'stream-exists', '--stream-name', 'cli')
  const file = path.join(server.dataFolder, 'record.bin')
  await writeFile(file, Buffer.from([0, 1, 2, 0xff]))
  const data = `fileb://${file}`
  const put = await aws(
    'put-record',
    '--stream-name',
    'cli',
    '--partition-key',
    'k',
    '--data',
    data,
  )
  assert.equal(put.ShardId, 'shardId-000000000000')
  const shard = ['--stream-name', 'cli', '--shard-id', '0']
  const iterator = await aws(
    'get-shard-iterator',
    ...shard,
    '--shard-iterator-type',
    'TRIM_HORIZON',
  )
  const page = await aws('get-records', '--shard-iterator', String(iterator.ShardIterator))
  const [record] = page.Records as Record<string, unknown>[]
  assert.equal(record?.Data, 'AAEC/w==')
  assert.equal(record?.PartitionKey, 'k')
  assert.equal(record?.SequenceNumber, put.SequenceNumber)
  await aws('delete-stream', '--stream-name', 'cli')
  await assert.rejects(aws('describe-stream', '--stream-name', 'cli'), (error: Error) => {
    assert.match(
      error.message,
      /\(ResourceNotFoundException\) when calling the DescribeStream operation/,
    )
    assert.match(error.message, /Stream cli under account 000000000000 not found\./)
    return true
  })
})

test('AWS CLI: an operation that is not built says so and where to look', async () => {
  await assert.rejects(aws('describe-account-settings'), /is not built yet; see docs\/coverage\.md/)
})

const PARTS = 7
for (const [name, endpoint, extra] of [
  ['plain', () => server.url, {}],
  ['TLS', () => `https://localhost:${server.port}`, { caFile: true }],
] as const) {
  test(`boto3 over ${name}: the seed scenario`, async () => {
    const info = JSON.parse(readFileSync(path.join(server.dataFolder, 'server.json'), 'utf8'))
    const { stdout } = await run(
      python,
      [path.join(import.meta.dirname, 'scenario.py'), endpoint(), `boto3-${name}`],
      { env: 'caFile' in extra ? { ...env, AWS_CA_BUNDLE: info.caFile } : env },
    )
    assert.equal(stdout.match(/^held: /gm)?.length, PARTS, stdout)
  })
}
