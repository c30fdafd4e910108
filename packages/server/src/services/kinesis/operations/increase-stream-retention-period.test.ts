import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blockOf } from '@millrace/storage/engine'
import { kinesis } from '@millrace/wire/services/kinesis'
import { ACCOUNT, type TestKinesis, testKinesis, wireError } from '../testing.ts'

const HOUR_MS = 3_600_000
const increase = kinesis.IncreaseStreamRetentionPeriod
const decrease = kinesis.DecreaseStreamRetentionPeriod

async function withStream(transitionMs = 0): Promise<TestKinesis> {
  const kit = await testKinesis({ transitionMs })
  await kit.call(kinesis.CreateStream, { StreamName: 'a', ShardCount: 1 })
  await kit.advance(transitionMs)
  return kit
}

async function hours(kit: TestKinesis): Promise<number> {
  const { StreamDescription } = await kit.call(kinesis.DescribeStream, { StreamName: 'a' })
  return StreamDescription.RetentionPeriodHours
}

async function append(kit: TestKinesis, text: string): Promise<void> {
  const log = kit.streams.forData({ StreamName: 'a' }, kit.context()).group.log(0)
  const [result] = await kit.engine.append([blockOf(log, [Buffer.from(text)])])
  assert.equal(result?.kind, 'appended')
}

/** Entries not older than the horizon, as every read asks for them. */
async function readable(kit: TestKinesis): Promise<number> {
  const stream = kit.streams.forData({ StreamName: 'a' }, kit.context())
  const notBeforeMs = stream.horizonMs(kit.clock.now())
  const bounds = { entriesMax: 100, bytesMax: 1000, notBeforeMs }
  const { batches } = await stream.group.log(0).read(0, bounds)
  return batches.reduce((sum, batch) => sum + batch.count, 0)
}

test('retention goes up and down between 24 and 8760 hours, and the same value is accepted', async () => {
  const kit = await withStream()
  for (const [operation, RetentionPeriodHours] of [
    [increase, 24],
    [increase, 25],
    [increase, 25],
    [decrease, 25],
    [increase, 8760],
    [decrease, 24],
    [decrease, 24],
  ] as const) {
    const input = { StreamName: 'a', RetentionPeriodHours }
    assert.equal(await kit.call(operation, input), undefined)
    assert.equal(await hours(kit), RetentionPeriodHours)
  }
})

test('retention out of bounds or in the wrong direction is refused with the exact texts', async () => {
  const kit = await withStream()
  await kit.call(increase, { StreamName: 'a', RetentionPeriodHours: 48 })
  const refused = (
    operation: typeof increase,
    RetentionPeriodHours: number,
    message: string,
  ): Promise<void> =>
    assert.rejects(
      kit.call(operation, { StreamName: 'a', RetentionPeriodHours }),
      wireError('InvalidArgumentException', message),
    )
  for (const operation of [increase, decrease]) {
    await refused(
      operation,
      23,
      'Minimum allowed retention period is 24 hours. Requested retention period (23 hours) is too ' +
        'short.',
    )
    await refused(
      operation,
      8761,
      'Maximum allowed retention period is 8760 hours. Requested retention period (8761 hours) is ' +
        'too long.',
    )
  }
  await refused(
    increase,
    47,
    'Requested retention period (47 hours) for stream a can not be shorter than existing retention ' +
      'period (48 hours). Use DecreaseRetentionPeriod API.',
  )
  await refused(
    decrease,
    49,
    'Requested retention period (49 hours) for stream a can not be longer than existing retention ' +
      'period (48 hours). Use IncreaseRetentionPeriod API.',
  )
  await assert.rejects(
    kit.call(increase, { StreamName: 'b', RetentionPeriodHours: 48 }),
    wireError('ResourceNotFoundException', `Stream b under account ${ACCOUNT} not found.`),
  )
  assert.equal(await hours(kit), 48)
})

test('with transitions the stream is UPDATING, and cannot be changed again meanwhile', async () => {
  const kit = await withStream(500)
  await kit.call(increase, { StreamName: 'a', RetentionPeriodHours: 48 })
  const { StreamDescription } = await kit.call(kinesis.DescribeStream, { StreamName: 'a' })
  assert.equal(StreamDescription.StreamStatus, 'UPDATING')
  assert.equal(kit.streams.forData({ StreamName: 'a' }, kit.context()).name, 'a')
  const again = { StreamName: 'a', RetentionPeriodHours: 72 }
  await assert.rejects(
    kit.call(increase, again),
    wireError(
      'ResourceInUseException',
      `Stream a under account ${ACCOUNT} not ACTIVE, instead in state UPDATING`,
    ),
  )
  await kit.advance(500)
  await kit.call(increase, again)
  assert.equal(await hours(kit), 72)
})

test('records live exactly as long as the retention says, then their space comes back', async () => {
  const kit = await withStream()
  await append(kit, 'early')
  await kit.advance(HOUR_MS)
  await append(kit, 'late')
  await kit.advance(23 * HOUR_MS)
  assert.equal(await readable(kit), 2)
  await kit.advance(1)
  assert.equal(await readable(kit), 1)
  const log = kit.streams.forData({ StreamName: 'a' }, kit.context()).group.log(0)
  assert.equal(log.first, 0)
  await kit.retention.run()
  assert.equal(log.first, 1)
  await kit.advance(HOUR_MS)
  await kit.retention.run()
  assert.equal(log.first, 2)
  assert.equal(kit.engine.metrics().bytesCached < 1000, true)
})

test('an increase revives nothing, a decrease hides at once', async () => {
  const kit = await withStream()
  await append(kit, 'first')
  await kit.advance(25 * HOUR_MS)
  await kit.call(increase, { StreamName: 'a', RetentionPeriodHours: 100 })
  assert.equal(await readable(kit), 0)
  await append(kit, 'second')
  await kit.advance(50 * HOUR_MS)
  assert.equal(await readable(kit), 1)
  await kit.call(decrease, { StreamName: 'a', RetentionPeriodHours: 24 })
  assert.equal(await readable(kit), 0)
  await kit.call(increase, { StreamName: 'a', RetentionPeriodHours: 100 })
  assert.equal(await readable(kit), 0)
})

test('changes at the same time are decided one after the other', async () => {
  const kit = await withStream()
  const change = (RetentionPeriodHours: number): Promise<void> =>
    kit.call(increase, { StreamName: 'a', RetentionPeriodHours })
  const results = await Promise.allSettled([change(100), change(50)])
  assert.deepEqual(
    results.map((result) => result.status),
    ['fulfilled', 'rejected'],
  )
  assert.equal(await hours(kit), 100)
})
