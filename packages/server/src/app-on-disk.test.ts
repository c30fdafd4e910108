// What the whole product promises of its data folder, on the simulated disk: numbers that never come
// back, many small streams, and a disk without room.
import assert from 'node:assert/strict'
import test from 'node:test'
import { ServiceClock } from '@millrace/base/clock'
import { seededRandom } from '@millrace/base/random'
import { SimulatedDisk } from '@millrace/storage/simulated-disk'
import { type App, createApp } from './app.ts'
import { settingsWith } from './config.ts'
import { makeFolds } from './folds.ts'
import { foldInline } from './platform/snapshot-fold.ts'

const MIB = 1024 * 1024
const SHARD = 'shardId-000000000000'

function newDisk(capacityBytes = 2 ** 40): SimulatedDisk {
  return new SimulatedDisk({ random: seededRandom(1), capacityBytes })
}

function start(disk: SimulatedDisk): Promise<App> {
  return createApp(settingsWith({ data: '/data', limits: 'none' }), {
    disk,
    clock: new ServiceClock({ wall: () => 1_000_000 }),
    random: seededRandom(2),
    snapshotFold: foldInline(makeFolds),
  })
}

async function call(app: App, operation: string, body: unknown) {
  const { status, text } = await app.inject({ operation, body })
  return { status, body: text === '' ? {} : JSON.parse(text) }
}

async function ok(app: App, operation: string, body: unknown) {
  const reply = await call(app, operation, body)
  assert.equal(reply.status, 200, `${operation}: ${JSON.stringify(reply.body)}`)
  return reply.body
}

async function put(app: App, StreamName: string, text: string): Promise<string> {
  const Data = Buffer.from(text).toString('base64')
  return (await ok(app, 'PutRecord', { StreamName, PartitionKey: 'k', Data })).SequenceNumber
}

async function texts(app: App, StreamName: string): Promise<string[]> {
  const { ShardIterator } = await ok(app, 'GetShardIterator', {
    StreamName,
    ShardId: SHARD,
    ShardIteratorType: 'TRIM_HORIZON',
  })
  const { Records } = await ok(app, 'GetRecords', { ShardIterator })
  return Records.map(({ Data }: { Data: string }) => Buffer.from(Data, 'base64').toString())
}

async function made(app: App, StreamName: string): Promise<void> {
  await ok(app, 'CreateStream', { StreamName, ShardCount: 1 })
  await app.advance(60_000)
}

async function deleted(app: App, StreamName: string): Promise<void> {
  await ok(app, 'DeleteStream', { StreamName })
  await app.advance(60_000)
}

test('a stream deleted and made again under its name: its old numbers never come back', async () => {
  let disk = newDisk()
  let app = await start(disk)
  const numbers = new Set<string>()
  for (let life = 0; life < 4; life++) {
    await made(app, 'a')
    assert.deepEqual(await texts(app, 'a'), [])
    const stored = []
    for (let i = 0; i < 5; i++) {
      const number = await put(app, 'a', `${life}/${i}`)
      assert.ok(!numbers.has(number), `${number} was given before`)
      numbers.add(number)
      stored.push(`${life}/${i}`)
    }
    assert.deepEqual(await texts(app, 'a'), stored)
    if (life % 2 === 0) await deleted(app, 'a')
    if (life < 2) await app.close()
    else disk = disk.crash()
    app = await start(disk)
    if (life % 2 === 1) {
      assert.deepEqual(await texts(app, 'a'), stored)
      await deleted(app, 'a')
    }
    assert.equal((await call(app, 'PutRecord', { StreamName: 'a' })).status, 400)
  }
  await app.close()
})

test('1000 streams of one record take less than 100 MB, and are there after a restart', async () => {
  const disk = newDisk()
  const app = await start(disk)
  const names = Array.from({ length: 1000 }, (_, i) => `s${String(i).padStart(4, '0')}`)
  for (const StreamName of names) await ok(app, 'CreateStream', { StreamName, ShardCount: 1 })
  await app.advance(60_000)
  await Promise.all(names.map((name) => put(app, name, `of ${name}`)))
  // Long enough for the journal to roll by age and to be sealed.
  await app.advance(2 * 3_600_000)
  assert.ok(disk.usedBytes < 100 * MIB, `${disk.usedBytes} bytes`)
  await app.close()
  const again = await start(disk)
  for (const name of [names[0]!, names[499]!, names[999]!]) {
    assert.deepEqual(await texts(again, name), [`of ${name}`])
  }
  assert.ok(disk.usedBytes < 100 * MIB, `${disk.usedBytes} bytes`)
  await again.close()
})

test('a full disk on which DeleteStream still works, and puts go on afterwards', async () => {
  const disk = newDisk(90 * MIB)
  const app = await start(disk)
  await made(app, 'big')
  await made(app, 'small')
  await put(app, 'small', 'kept')
  const Data = Buffer.alloc(512 * 1024, 'x').toString('base64')
  const isTaken = async (StreamName: string): Promise<boolean> => {
    const { status } = await call(app, 'PutRecord', { StreamName, PartitionKey: 'k', Data })
    assert.ok(status === 200 || status === 500 || status === 503, `${status}`)
    for (let turns = 0; turns < 10; turns++) await new Promise(setImmediate)
    return status === 200
  }
  for (let refusals = 0; refusals < 5; ) refusals = (await isTaken('big')) ? 0 : refusals + 1
  assert.equal(app.health().status, 'readonly')
  await ok(app, 'DeleteStream', { StreamName: 'big' })
  for (let tries = 0; tries < 20 && app.health().status !== 'ready'; tries++) {
    await new Promise(setImmediate)
  }
  assert.equal(app.health().status, 'ready')
  for (let i = 0; i < 10; i++) assert.ok(await isTaken('small'))
  assert.equal((await texts(app, 'small'))[0], 'kept')
  await app.close()
})
