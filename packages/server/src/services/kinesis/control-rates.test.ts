import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kinesis } from '@millrace/wire/services/kinesis'
import { ControlRates } from './control-rates.ts'
import { CALL_RATES } from './limits.ts'
import { ACCOUNT, REGION, START_MS, testKinesis, wireError } from './testing.ts'

const context = {
  requestId: '',
  account: ACCOUNT,
  region: REGION,
  accessKeyId: ACCOUNT,
  operation: '',
  nowMs: START_MS,
}

test('every control operation is let through as often as AWS says, then throttled', () => {
  for (const [operation, { perSecond }] of Object.entries(CALL_RATES)) {
    const rates = new ControlRates()
    const take = (nowMs: number): void =>
      rates.take(operation, { StreamName: 'a' }, { ...context, nowMs })
    for (let i = 0; i < perSecond; i++) take(START_MS)
    assert.throws(
      () => take(START_MS),
      wireError('LimitExceededException', `Rate exceeded for stream a under account ${ACCOUNT}.`),
      operation,
    )
    for (let i = 0; i < perSecond; i++) take(START_MS + 1000)
    assert.throws(() => take(START_MS + 1000), operation)
  }
})

test('the name is told from an ARN too; without one the account is named', () => {
  const rates = new ControlRates()
  const StreamARN = `arn:aws:kinesis:${REGION}:${ACCOUNT}:stream/orders`
  for (let i = 0; i < 10; i++) rates.take('DescribeStream', { StreamARN }, context)
  assert.throws(
    () => rates.take('DescribeStream', { StreamARN }, context),
    wireError(
      'LimitExceededException',
      `Rate exceeded for stream orders under account ${ACCOUNT}.`,
    ),
  )
  rates.take('DescribeLimits', {}, context)
  assert.throws(
    () => rates.take('DescribeLimits', {}, context),
    wireError('LimitExceededException', `Rate exceeded for account ${ACCOUNT}.`),
  )
})

test('accounts, regions and operations do not share a bucket; ListShards has one per stream', () => {
  const rates = new ControlRates()
  for (let i = 0; i < 5; i++) rates.take('ListStreams', {}, context)
  assert.throws(() => rates.take('ListStreams', {}, context))
  rates.take('ListStreams', {}, { ...context, account: '000000000001' })
  rates.take('ListStreams', {}, { ...context, region: 'eu-west-1' })
  rates.take('DescribeLimits', {}, context)
  for (let i = 0; i < 1000; i++) rates.take('ListShards', { StreamName: 'a' }, context)
  assert.throws(() => rates.take('ListShards', { StreamName: 'a' }, context))
  rates.take('ListShards', { StreamName: 'b' }, context)
})

test('buckets of accounts that were never seen again do not gather', () => {
  const rates = new ControlRates()
  for (let i = 0; i < 60_000; i++) {
    const account = String(i).padStart(12, '0')
    rates.take('DescribeLimits', {}, { ...context, account, nowMs: START_MS + i })
  }
  assert.ok(rates.bucketCount <= 10_001)
  const last = { ...context, account: '000000059999', nowMs: START_MS + 59_999 }
  assert.throws(() => rates.take('DescribeLimits', {}, last))
})

test('a throttled call does nothing, and without limits none is throttled', async () => {
  const limited = await testKinesis({ limits: 'aws' })
  const create = (kit: typeof limited, i: number): Promise<void> =>
    kit.call(kinesis.CreateStream, { StreamName: `s${i}`, ShardCount: 1 })
  for (let i = 0; i < 5; i++) await create(limited, i)
  await assert.rejects(
    create(limited, 5),
    wireError('LimitExceededException', `Rate exceeded for stream s5 under account ${ACCOUNT}.`),
  )
  assert.equal((await limited.call(kinesis.ListStreams, {})).StreamNames.length, 5)
  await limited.advance(200)
  await create(limited, 5)
  const free = await testKinesis()
  for (let i = 0; i < 20; i++) await create(free, i)
})
