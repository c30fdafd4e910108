// The orders that were seen in the real service's messages, against the rule that explains them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enumOrder, memberOrder } from './member-order.ts'

/** As listed by tests that kinesalite ran against the service; members it couldn't tell are left out. */
const SEEN: Readonly<Record<string, readonly string[]>> = {
  PutRecordInput: [
    'sequenceNumberForOrdering',
    'partitionKey',
    'explicitHashKey',
    'data',
    'streamName',
  ],
  PutRecordsInput: ['records', 'streamName'],
  PutRecordsRequestEntry: ['partitionKey', 'explicitHashKey', 'data'],
  GetShardIteratorInput: ['shardId', 'shardIteratorType', 'startingSequenceNumber', 'streamName'],
  GetRecordsInput: ['limit', 'shardIterator'],
  DescribeStreamInput: ['limit', 'exclusiveStartShardId', 'streamName'],
  CreateStreamInput: ['shardCount', 'streamName'],
  SplitShardInput: ['newStartingHashKey', 'streamName', 'shardToSplit'],
  AddTagsToStreamInput: ['tags', 'streamName'],
  ListTagsForStreamInput: ['limit', 'exclusiveStartTagKey', 'streamName'],
  ListStreamsInput: ['limit', 'exclusiveStartStreamName'],
  IncreaseStreamRetentionPeriodInput: ['retentionPeriodHours', 'streamName'],
}

for (const [structure, order] of Object.entries(SEEN)) {
  test(`${structure}: ${order.join(', ')}`, () => {
    assert.deepEqual(memberOrder(structure, [...order].reverse()), order)
    assert.deepEqual(memberOrder(structure, [...order].sort()), order)
  })
}

test('no member is lost or doubled, however many there are', () => {
  const names = Array.from({ length: 60 }, (_, index) => `member${index}`)
  assert.deepEqual(memberOrder('Anything', names).sort(), [...names].sort())
})

test('enum values come in the order that was seen, else in the order of the model', () => {
  const model = ['AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER', 'TRIM_HORIZON', 'LATEST']
  assert.deepEqual(enumOrder('ShardIteratorType', [...model, 'AT_TIMESTAMP']), [
    'AFTER_SEQUENCE_NUMBER',
    'LATEST',
    'AT_TIMESTAMP',
    'AT_SEQUENCE_NUMBER',
    'TRIM_HORIZON',
  ])
  assert.deepEqual(enumOrder('StreamMode', ['PROVISIONED', 'ON_DEMAND']), [
    'PROVISIONED',
    'ON_DEMAND',
  ])
})
