import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceClock } from '@millrace/base/clock'
import { seededRandom } from '@millrace/base/random'
import { SimulatedDisk } from '@millrace/storage/simulated-disk'
import type { OperationContract } from '@millrace/wire/contract'
import { kinesis } from '@millrace/wire/services/kinesis'
import { createApp } from '../../app.ts'
import { settingsWith } from '../../config.ts'
import { makeFolds } from '../../folds.ts'
import { foldInline } from '../../platform/snapshot-fold.ts'
import { answer, bytes, put, STREAM, withStream } from './testing/data.ts'
import { ACCOUNT, REGION, type TestKinesis, testKinesis, wireError } from './testing.ts'

const OTHER = '210987654321'
const STRANGER = { account: OTHER, accessKeyId: 'AKIAIOSFODNN7EXAMPLE' }
const ARN = `arn:aws:kinesis:${REGION}:${ACCOUNT}:stream/${STREAM}`
const ELSEWHERE = 'eu-west-1'

type Refused = Parameters<typeof assert.rejects>[1]

function denied(operation: string, arn = ARN, user = 'user/AKIAIOSFODNN7EXAMPLE'): Refused {
  return wireError(
    'AccessDeniedException',
    `User: arn:aws:iam::${OTHER}:${user} is not authorized to perform: kinesis:${operation} on resource: ${arn} because no resource-based policy allows the kinesis:${operation} action`,
  )
}

const notFound: Refused = wireError(
  'ResourceNotFoundException',
  `Stream ${STREAM} under account ${ACCOUNT} not found.`,
)

function any<I, O>(contract: OperationContract<I, O>): OperationContract<unknown, unknown> {
  return contract as OperationContract<unknown, unknown>
}

/** Every operation that names a stream by ARN, with an input that its owner could send. */
function namingByArn(arn: string): [OperationContract<unknown, unknown>, object][] {
  const StreamARN = arn
  const record = { Data: bytes('x'), PartitionKey: 'k' }
  return [
    [any(kinesis.AddTagsToStream), { StreamARN, Tags: { a: 'b' } }],
    [any(kinesis.DecreaseStreamRetentionPeriod), { StreamARN, RetentionPeriodHours: 24 }],
    [any(kinesis.DescribeStream), { StreamARN }],
    [any(kinesis.DescribeStreamSummary), { StreamARN }],
    [any(kinesis.IncreaseStreamRetentionPeriod), { StreamARN, RetentionPeriodHours: 48 }],
    [any(kinesis.ListShards), { StreamARN }],
    [any(kinesis.ListTagsForResource), { ResourceARN: arn }],
    [any(kinesis.ListTagsForStream), { StreamARN }],
    [any(kinesis.PutRecord), { StreamARN, ...record }],
    [any(kinesis.PutRecords), { StreamARN, Records: [record] }],
    [any(kinesis.RemoveTagsFromStream), { StreamARN, TagKeys: ['a'] }],
    [any(kinesis.TagResource), { ResourceARN: arn, Tags: { a: 'b' } }],
    [any(kinesis.UntagResource), { ResourceARN: arn, TagKeys: ['a'] }],
    [any(kinesis.DeleteStream), { StreamARN }],
  ]
}

const FIRST_SHARD = {
  StreamARN: ARN,
  ShardId: 'shardId-000000000000',
  ShardIteratorType: 'TRIM_HORIZON',
} as const

async function withRecord(): Promise<TestKinesis> {
  const test = await withStream(await testKinesis(), 3)
  await put(test, 'theirs')
  return test
}

async function readable(test: TestKinesis): Promise<number> {
  const { Shards } = await test.call(kinesis.ListShards, { StreamARN: ARN })
  let count = 0
  for (const { ShardId } of Shards ?? []) {
    const input = { ...FIRST_SHARD, ShardId }
    const { ShardIterator = '' } = await test.call(kinesis.GetShardIterator, input)
    const page = await answer(test, kinesis.GetRecords, { ShardIterator })
    count += (page as { Records: unknown[] }).Records.length
  }
  return count
}

test('a stream is closed to other accounts, whatever they ask for by its ARN', async () => {
  const test = await withRecord()
  for (const [contract, input] of namingByArn(ARN)) {
    await assert.rejects(test.call(contract, input, STRANGER), denied(contract.name), contract.name)
  }
  for (const ShardId of [FIRST_SHARD.ShardId, 'shardId-x']) {
    const input = { ...FIRST_SHARD, ShardId }
    await assert.rejects(
      test.call(kinesis.GetShardIterator, input, STRANGER),
      denied('GetShardIterator'),
    )
  }
  const root = { account: OTHER, accessKeyId: OTHER }
  await assert.rejects(
    test.call(kinesis.DeleteStream, { StreamARN: ARN }, root),
    denied('DeleteStream', ARN, 'root'),
  )
  assert.equal(await readable(test), 1)
})

test('a stranger cannot tell a stream that exists from one that does not', async () => {
  const test = await withRecord()
  const arn = `${ARN}-not-there`
  for (const [contract, input] of namingByArn(arn)) {
    await assert.rejects(test.call(contract, input, STRANGER), denied(contract.name, arn))
  }
  const consumer = `${ARN}/consumer/c:1`
  await assert.rejects(
    test.call(kinesis.ListTagsForResource, { ResourceARN: consumer }, STRANGER),
    denied('ListTagsForResource', consumer),
  )
})

test('an ARN of another region or partition names nothing where the request was signed for', async () => {
  const test = await withRecord()
  // A stream of the same name there is not meant either.
  await test.call(
    kinesis.CreateStream,
    { StreamName: STREAM, ShardCount: 1 },
    { region: ELSEWHERE },
  )
  for (const [contract, input] of namingByArn(ARN)) {
    await assert.rejects(test.call(contract, input, { region: ELSEWHERE }), notFound, contract.name)
  }
  for (const [contract, input] of namingByArn(ARN.replace('aws', 'aws-cn'))) {
    await assert.rejects(test.call(contract, input), notFound, contract.name)
  }
  await assert.rejects(
    test.call(kinesis.GetShardIterator, FIRST_SHARD, { region: ELSEWHERE }),
    wireError(
      'ResourceNotFoundException',
      `Shard ${FIRST_SHARD.ShardId} in stream ${STREAM} under account ${ACCOUNT} does not exist`,
    ),
  )
  assert.equal(await readable(test), 1)
})

test('an iterator is no use to another account or region, also when its stream is gone', async () => {
  const test = await withRecord()
  const { ShardIterator = '' } = await test.call(kinesis.GetShardIterator, FIRST_SHARD)
  const read = (changes: object): Promise<unknown> =>
    test.call(kinesis.GetRecords, { ShardIterator }, changes)
  await assert.rejects(read(STRANGER), denied('GetRecords'))
  const missing = wireError(
    'ResourceNotFoundException',
    `Shard ${FIRST_SHARD.ShardId} in stream ${STREAM} under account ${ACCOUNT} does not exist`,
  )
  await assert.rejects(read({ region: ELSEWHERE }), missing)
  await read({})
  await test.call(kinesis.DeleteStream, { StreamARN: ARN })
  await assert.rejects(read(STRANGER), denied('GetRecords'))
  await assert.rejects(read({}), missing)
})

test('a listing goes on for the account and region it began for only', async () => {
  const test = await withRecord()
  await test.call(kinesis.CreateStream, { StreamName: 'other', ShardCount: 1 })
  const shards = await test.call(kinesis.ListShards, { StreamARN: ARN, MaxResults: 1 })
  const NextShards = { NextToken: shards.NextToken ?? '' }
  await assert.rejects(test.call(kinesis.ListShards, NextShards, STRANGER), denied('ListShards'))
  await assert.rejects(test.call(kinesis.ListShards, NextShards, { region: ELSEWHERE }), notFound)
  assert.equal((await test.call(kinesis.ListShards, NextShards)).Shards?.length, 2)

  const { NextToken = '' } = await test.call(kinesis.ListStreams, { Limit: 1 })
  const invalid = wireError('InvalidArgumentException', 'Invalid NextToken.')
  for (const changes of [STRANGER, { region: ELSEWHERE }]) {
    await assert.rejects(test.call(kinesis.ListStreams, { NextToken }, changes), invalid)
  }
  assert.deepEqual((await test.call(kinesis.ListStreams, { NextToken })).StreamNames, ['other'])
})

test('through the door: an account number as access key is that account, and only that', async () => {
  const app = await createApp(settingsWith({ data: '/data', limits: 'none' }), {
    disk: new SimulatedDisk({ random: seededRandom(1) }),
    clock: new ServiceClock({ wall: () => 1_000_000 }),
    random: seededRandom(2),
    snapshotFold: foldInline(makeFolds),
  })
  const send = (
    operation: string,
    accessKeyId: string,
    body: object,
  ): ReturnType<typeof app.inject> => app.inject({ operation, accessKeyId, body })
  await send('CreateStream', ACCOUNT, { StreamName: STREAM, ShardCount: 1 })
  const refused = await send('DeleteStream', OTHER, { StreamARN: ARN })
  assert.deepEqual(
    [refused.status, refused.json()],
    [
      400,
      {
        __type: 'AccessDeniedException',
        message: `User: arn:aws:iam::${OTHER}:root is not authorized to perform: kinesis:DeleteStream on resource: ${ARN} because no resource-based policy allows the kinesis:DeleteStream action`,
      },
    ],
  )
  assert.equal((await send('DescribeStream', ACCOUNT, { StreamARN: ARN })).status, 200)
  await app.close()
})
