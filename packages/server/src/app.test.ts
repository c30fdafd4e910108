import assert from 'node:assert/strict'
import test from 'node:test'
import { ServiceClock } from '@millrace/base/clock'
import { seededRandom } from '@millrace/base/random'
import { SimulatedDisk } from '@millrace/storage/simulated-disk'
import { App, type AppOverrides, createApp } from './app.ts'
import { type Settings, settingsWith } from './config.ts'
import { makeFolds } from './folds.ts'
import { foldInline } from './platform/snapshot-fold.ts'

const settings = (changes: Partial<Settings> = {}): Settings =>
  settingsWith({ data: '/data', limits: 'none', ...changes })

function newDisk(): SimulatedDisk {
  return new SimulatedDisk({ random: seededRandom(1) })
}

function overrides(disk: SimulatedDisk, wallMs = 1_000_000): AppOverrides {
  return {
    disk,
    clock: new ServiceClock({ wall: () => wallMs }),
    random: seededRandom(2),
    snapshotFold: foldInline(makeFolds),
  }
}

async function ok(app: App, operation: string, body: unknown): Promise<Record<string, unknown>> {
  const reply = await app.inject({ operation, body })
  assert.equal(reply.status, 200, `${operation}: ${reply.text}`)
  return reply.text === '' ? {} : reply.json()
}

test('streams, records, tokens and the clock outlive a restart', async () => {
  const disk = newDisk()
  const first = await createApp(settings(), overrides(disk))
  await ok(first, 'CreateStream', { StreamName: 'a', ShardCount: 1 })
  await ok(first, 'PutRecord', { StreamName: 'a', PartitionKey: 'k', Data: 'AAAA' })
  const { ShardIterator } = await ok(first, 'GetShardIterator', {
    StreamName: 'a',
    ShardId: 'shardId-000000000000',
    ShardIteratorType: 'TRIM_HORIZON',
  })
  await first.advance(60_000)
  await first.close()

  const second = await createApp(settings(), overrides(disk))
  assert.equal(second.clock.now(), 1_060_000)
  const { Records } = await ok(second, 'GetRecords', { ShardIterator })
  assert.deepEqual(
    (Records as { Data: string }[]).map(({ Data }) => Data),
    ['AAAA'],
  )
  await second.close()
})

test('service time does not fall when the wall clock was set back between two runs', async () => {
  const disk = newDisk()
  const first = await createApp(settings(), overrides(disk, 5_000_000))
  await ok(first, 'CreateStream', { StreamName: 'a', ShardCount: 1 })
  await first.close()
  const second = await createApp(settings(), overrides(disk, 1_000_000))
  assert.equal(second.clock.now(), 5_000_000)
  await second.close()
})

test('streams named in the settings are made when missing and left alone when there', async () => {
  const disk = newDisk()
  const streams = [
    { name: 'orders', shardCount: 3 },
    { name: 'events', shardCount: undefined },
  ]
  const first = await createApp(settings({ streams, transitionMs: 1000 }), overrides(disk))
  const summary = async (app: App, StreamName: string) =>
    (await ok(app, 'DescribeStreamSummary', { StreamName })).StreamDescriptionSummary as Record<
      string,
      unknown
    >
  const orders = await summary(first, 'orders')
  assert.equal(orders.StreamStatus, 'ACTIVE')
  assert.equal(orders.OpenShardCount, 3)
  const events = await summary(first, 'events')
  assert.deepEqual(events.StreamModeDetails, { StreamMode: 'ON_DEMAND' })
  await ok(first, 'PutRecord', { StreamName: 'orders', PartitionKey: 'k', Data: 'AAAA' })
  await first.close()

  const changed = [{ name: 'orders', shardCount: 5 }]
  const second = await createApp(settings({ streams: changed }), overrides(disk))
  assert.equal((await summary(second, 'orders')).OpenShardCount, 3)
  assert.equal((await summary(second, 'orders')).StreamCreationTimestamp, 1000)
  await second.close()
})

test('many streams pass through snapshots of the catalog and come back', async () => {
  const disk = newDisk()
  const small = settings({ snapshotAfter: 1024 })
  const first = await createApp(small, overrides(disk))
  await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      ok(first, 'CreateStream', { StreamName: `s${i}`, ShardCount: 1 }),
    ),
  )
  await first.close()
  assert([...disk.files().keys()].some((path) => path.endsWith('.snapshot')))
  const second = await createApp(small, overrides(disk))
  const { StreamNames } = await ok(second, 'ListStreams', { Limit: 100 })
  assert.equal((StreamNames as string[]).length, 50)
  await second.close()
})

test('until its data is read, health says recovering and requests are told to come back', async () => {
  const disk = newDisk()
  const release = disk.stall({ operations: ['lock'] })
  const app = new App(settings(), overrides(disk))
  const opening = app.open()
  const health = await app.inject({ method: 'GET', path: '/_millrace/health' })
  assert.equal(health.status, 503)
  assert.equal(health.json().status, 'recovering')
  const call = await app.inject({ operation: 'ListStreams', body: {} })
  assert.equal(call.status, 503)
  assert.equal(call.json().__type, 'ServiceUnavailableException')
  const clock = await app.inject({
    method: 'POST',
    path: '/_millrace/clock',
    body: { advanceMs: 1 },
  })
  assert.equal(clock.status, 503)
  release()
  await opening
  assert.equal((await app.inject({ method: 'GET', path: '/_millrace/health' })).status, 200)
  await app.close()
})

test('when the disk fails, writes stop, reads go on, and health says readonly and why', async () => {
  const disk = newDisk()
  const app = await createApp(settings(), overrides(disk))
  await ok(app, 'CreateStream', { StreamName: 'a', ShardCount: 1 })
  disk.fail({ operations: ['write', 'sync'], code: 'EIO' })
  const put = await app.inject({
    operation: 'PutRecord',
    body: { StreamName: 'a', PartitionKey: 'k', Data: 'AAAA' },
  })
  assert(put.status >= 500, put.text)
  const health = await app.inject({ method: 'GET', path: '/_millrace/health' })
  assert.equal(health.status, 503)
  assert.equal(health.json().status, 'readonly')
  assert.equal(typeof health.json().reason, 'string')
  const create = await app.inject({
    operation: 'CreateStream',
    body: { StreamName: 'b', ShardCount: 1 },
  })
  assert(create.status >= 500, create.text)
  assert.deepEqual((await ok(app, 'ListStreams', {})).StreamNames, ['a'])
  await app.close()
})

test('a start that fails lets the folder go', async () => {
  const disk = newDisk()
  const mend = disk.fail({ operations: ['write'], path: 'journal', code: 'EIO' })
  await assert.rejects(createApp(settings(), overrides(disk)))
  mend()
  const app = await createApp(settings(), overrides(disk))
  await ok(app, 'ListStreams', {})
  await app.close()
})

test('closing twice is closing once, and health says stopping meanwhile', async () => {
  const app = await createApp(settings(), overrides(newDisk()))
  const closing = app.close()
  assert.deepEqual(app.health(), { status: 'stopping', reason: 'Millrace is stopping.' })
  assert.equal(app.close(), closing)
  await closing
})
