import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kinesis } from '@millrace/wire/services/kinesis'
import { testKinesis } from '../testing.ts'

test('DescribeLimits counts the shards and on-demand streams of an account in a region', async () => {
  const { advance, call } = await testKinesis({ limits: 'aws' })
  const other = { account: '000000000001' }
  await call(kinesis.CreateStream, { StreamName: 'a', ShardCount: 3 })
  await call(kinesis.CreateStream, { StreamName: 'b' })
  await call(kinesis.CreateStream, { StreamName: 'c', ShardCount: 5 }, other)
  assert.deepEqual(await call(kinesis.DescribeLimits, {}), {
    ShardLimit: 20_000,
    OpenShardCount: 7,
    OnDemandStreamCount: 1,
    OnDemandStreamCountLimit: 50,
  })
  await call(kinesis.DeleteStream, { StreamName: 'b' })
  await advance(1000)
  const after = await call(kinesis.DescribeLimits, {})
  assert.equal(after.OpenShardCount, 3)
  assert.equal(after.OnDemandStreamCount, 0)
  assert.equal((await call(kinesis.DescribeLimits, {}, { region: 'eu-west-3' })).ShardLimit, 1000)
})
