import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kinesis } from '@millrace/wire/services/kinesis'
import { ACCOUNT, REGION, testKinesis, wireError } from '../testing.ts'

const notFound = wireError(
  'ResourceNotFoundException',
  `Stream a under account ${ACCOUNT} not found.`,
)
const input = { StreamName: 'a', ShardCount: 2 }

test('a deleted stream is gone with the answer, and its storage too', async () => {
  const { call, engine } = await testKinesis()
  const groupIds = engine.groupIds()
  await call(kinesis.CreateStream, input)
  assert.equal(await call(kinesis.DeleteStream, { StreamName: 'a' }), undefined)
  assert.deepEqual(engine.groupIds(), groupIds)
  await assert.rejects(call(kinesis.DescribeStream, { StreamName: 'a' }), notFound)
  await assert.rejects(call(kinesis.DeleteStream, { StreamName: 'a' }), notFound)
})

test('not-found prints the name when the ARN was given', async () => {
  const { call } = await testKinesis()
  const StreamARN = `arn:aws:kinesis:${REGION}:${ACCOUNT}:stream/a`
  await assert.rejects(call(kinesis.DeleteStream, { StreamARN }), notFound)
})

test('with transitions a stream is DELETING, takes data meanwhile, and is gone later', async () => {
  const { advance, call, context, engine, streams } = await testKinesis({ transitionMs: 500 })
  await call(kinesis.CreateStream, input)
  await advance(500)
  await call(kinesis.DeleteStream, { StreamName: 'a' })
  const during = await call(kinesis.DescribeStream, { StreamName: 'a' })
  assert.equal(during.StreamDescription.StreamStatus, 'DELETING')
  assert.equal(streams.forData({ StreamName: 'a' }, context()).name, 'a')
  await assert.rejects(
    call(kinesis.CreateStream, input),
    wireError('ResourceInUseException', `Stream a under account ${ACCOUNT} already exists.`),
  )
  await call(kinesis.DeleteStream, { StreamName: 'a' })
  await advance(499)
  assert.equal(streams.forData({ StreamName: 'a' }, context()).name, 'a')
  await advance(1)
  await assert.rejects(call(kinesis.DescribeStream, { StreamName: 'a' }), notFound)
  assert.deepEqual(engine.groupIds(), [1])
})

test('a stream can be deleted while it is CREATING', async () => {
  const { advance, call } = await testKinesis({ transitionMs: 500 })
  await call(kinesis.CreateStream, input)
  await call(kinesis.DeleteStream, { StreamName: 'a' })
  const { StreamDescription } = await call(kinesis.DescribeStream, { StreamName: 'a' })
  assert.equal(StreamDescription.StreamStatus, 'DELETING')
  assert.deepEqual(StreamDescription.Shards, [])
  await advance(500)
  await assert.rejects(call(kinesis.DescribeStream, { StreamName: 'a' }), notFound)
})

test('a new stream of the name has later creation seconds and another group', async () => {
  const { call, fold } = await testKinesis()
  const seen: { seconds: number; created: number; groupId: number }[] = []
  for (let i = 0; i < 5; i++) {
    await call(kinesis.CreateStream, input)
    const facts = fold.find(ACCOUNT, REGION, 'a')
    assert.ok(facts)
    const seconds = facts.shards[0]?.createdSeconds ?? 0
    seen.push({
      seconds,
      created: Math.floor(facts.createdMs / 1000),
      groupId: facts.groupId,
    })
    await call(kinesis.DeleteStream, { StreamName: 'a' })
  }
  for (let i = 1; i < seen.length; i++) {
    const [earlier, later] = [seen[i - 1], seen[i]]
    assert.ok(earlier && later)
    assert.ok(later.seconds > earlier.seconds)
    assert.ok(later.created > earlier.created)
    assert.ok(later.groupId > earlier.groupId)
  }
})

test('deleting twice at the same time deletes once', async () => {
  const { call, engine } = await testKinesis()
  await call(kinesis.CreateStream, input)
  await Promise.all([
    call(kinesis.DeleteStream, { StreamName: 'a' }),
    call(kinesis.DeleteStream, { StreamName: 'a' }),
  ])
  assert.deepEqual(engine.groupIds(), [1])
})
