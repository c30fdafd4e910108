import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blockOf } from '@millrace/storage/engine'
import { kinesis } from '@millrace/wire/services/kinesis'
import { readNewStream } from './new-stream.ts'
import { ACCOUNT, REGION, testKinesis, wireError } from './testing.ts'

const input = { StreamName: 'a', ShardCount: 2 }

test('a restart finds the streams as they were', async () => {
  const kit = await testKinesis()
  await kit.call(kinesis.CreateStream, { ...input, Tags: { t: '1' } })
  await kit.call(kinesis.IncreaseStreamRetentionPeriod, {
    StreamName: 'a',
    RetentionPeriodHours: 100,
  })
  const before = await kit.call(kinesis.DescribeStream, { StreamName: 'a' })
  const after = await kit.restarted()
  assert.deepEqual(await after.call(kinesis.DescribeStream, { StreamName: 'a' }), before)
  assert.deepEqual(after.fold.snapshot(), kit.fold.snapshot())
})

test('a deletion under way goes on after a restart', async () => {
  const kit = await testKinesis({ transitionMs: 500 })
  await kit.call(kinesis.CreateStream, input)
  await kit.call(kinesis.DeleteStream, { StreamName: 'a' })
  const after = await kit.restarted()
  const { StreamDescription } = await after.call(kinesis.DescribeStream, { StreamName: 'a' })
  assert.equal(StreamDescription.StreamStatus, 'DELETING')
  await after.advance(500)
  assert.deepEqual(after.engine.groupIds(), [1])
})

test('a deletion that fell due while nothing ran makes room for the name', async () => {
  const kit = await testKinesis({ transitionMs: 500 })
  await kit.call(kinesis.CreateStream, input)
  await kit.call(kinesis.DeleteStream, { StreamName: 'a' })
  kit.streams.stop()
  await kit.advance(500)
  await assert.rejects(
    kit.call(kinesis.DescribeStream, { StreamName: 'a' }),
    wireError('ResourceNotFoundException', `Stream a under account ${ACCOUNT} not found.`),
  )
  assert.deepEqual((await kit.call(kinesis.ListStreams, {})).StreamNames, [])
  await kit.call(kinesis.CreateStream, input)
  const { StreamDescription } = await kit.call(kinesis.DescribeStream, { StreamName: 'a' })
  assert.equal(StreamDescription.StreamStatus, 'CREATING')
  assert.equal(kit.engine.groupIds().length, 2)
})

test('groups that a crash left without a stream are deleted at start, others are kept', async () => {
  const kit = await testKinesis()
  await kit.call(kinesis.CreateStream, input)
  const [, groupId] = kit.engine.groupIds()
  await kit.engine.createGroup(50, [0])
  await kit.engine.createGroup(51, [0])
  kit.streams.stop()
  await kit.streams.start(new Set([51]))
  assert.deepEqual(kit.engine.groupIds(), [1, groupId, 51])
})

test('records of a stream that the catalog never knew stop the start', async () => {
  const kit = await testKinesis()
  const group = await kit.engine.createGroup(50, [0])
  await kit.engine.append([blockOf(group.log(0), [Buffer.from('record')])])
  await assert.rejects(kit.restarted(), { code: 'damaged', message: /group 50 holds records/ })
  assert.deepEqual(kit.engine.groupIds(), [1, 50])
})

test('records of a stream whose deletion was cut short are deleted at start', async () => {
  const kit = await testKinesis()
  await kit.call(kinesis.CreateStream, input)
  const { groupId, name } = await kit.addStream({})
  const group = kit.engine.openGroup(groupId)
  await kit.engine.append([blockOf(group.log(0), [Buffer.from('record')])])
  const deleteGroup = kit.engine.deleteGroup
  kit.engine.deleteGroup = () => Promise.reject(new Error('the process died'))
  await assert.rejects(kit.call(kinesis.DeleteStream, { StreamName: name }), /died/)
  kit.engine.deleteGroup = deleteGroup
  assert.deepEqual(kit.engine.groupIds(), [1, 2, 3])
  const after = await kit.restarted()
  assert.deepEqual(after.engine.groupIds(), [1, 2])
})

test('group numbers are not used again, also those of lost creations', async () => {
  const kit = await testKinesis()
  await kit.engine.createGroup(50, [0])
  await kit.engine.deleteGroup(50)
  await kit.call(kinesis.CreateStream, input)
  assert.deepEqual(kit.engine.groupIds(), [1, 51])
})

test('a stream whose records are missing stops the start', async () => {
  const kit = await testKinesis()
  await kit.call(kinesis.CreateStream, input)
  await kit.engine.deleteGroup(2)
  await assert.rejects(kit.restarted(), {
    code: 'damaged',
    message: /The records of stream a .* missing/,
  })
})

test('streams are found for data only when they take data', async () => {
  const { advance, call, context, streams } = await testKinesis({ transitionMs: 500 })
  await call(kinesis.CreateStream, input)
  assert.throws(
    () => streams.forData({ StreamName: 'a' }, context()),
    wireError('ResourceNotFoundException', `Stream a under account ${ACCOUNT} not found.`),
  )
  assert.equal(streams.forControl({ StreamName: 'a' }, context()).name, 'a')
  await advance(500)
  const stream = streams.forData({ StreamName: 'a' }, context())
  const StreamARN = `arn:aws:kinesis:${REGION}:${ACCOUNT}:stream/a`
  assert.equal(streams.forData({ StreamARN }, context()), stream)
  assert.equal(streams.byGroup(stream.group.id), stream)
  assert.throws(
    () => streams.forData({ StreamName: 'a' }, context({ region: 'eu-west-1' })),
    wireError('ResourceNotFoundException', `Stream a under account ${ACCOUNT} not found.`),
  )
  assert.equal(streams.forData({ StreamName: 'a' }, context()), stream)
})

test('the object of a deleted stream is let go', async () => {
  const { call, context, streams } = await testKinesis()
  await call(kinesis.CreateStream, input)
  const first = streams.forData({ StreamName: 'a' }, context())
  await call(kinesis.DeleteStream, { StreamName: 'a' })
  assert.equal(streams.byGroup(first.group.id), undefined)
  await call(kinesis.CreateStream, input)
  const second = streams.forData({ StreamName: 'a' }, context())
  assert.notEqual(second, first)
  await assert.rejects(
    streams.change(first, () => ({ kind: 'kinesis.tags-changed', tags: {} })),
    wireError('ResourceNotFoundException', `Stream a under account ${ACCOUNT} not found.`),
  )
})

test('ensure makes a missing stream, ACTIVE at once, and leaves others alone', async () => {
  const { call, context, streams } = await testKinesis({ transitionMs: 500 })
  const wanted = readNewStream({ StreamName: 'a', ShardCount: 3 }, ACCOUNT)
  await streams.ensure(wanted, context())
  const before = await call(kinesis.DescribeStream, { StreamName: 'a' })
  assert.equal(before.StreamDescription.StreamStatus, 'ACTIVE')
  assert.equal(before.StreamDescription.Shards.length, 3)
  await streams.ensure({ ...wanted, shardCount: 5 }, context())
  assert.deepEqual(await call(kinesis.DescribeStream, { StreamName: 'a' }), before)
})

test('deleteAll leaves the catalog alone', async () => {
  const { call, engine, streams } = await testKinesis({ transitionMs: 500 })
  for (const StreamName of ['a', 'b', 'c']) await call(kinesis.CreateStream, { StreamName })
  await call(kinesis.CreateStream, input, { account: '000000000001', region: 'eu-west-1' })
  await streams.deleteAll()
  assert.deepEqual(engine.groupIds(), [1])
  assert.deepEqual((await call(kinesis.ListStreams, {})).StreamNames, [])
})
