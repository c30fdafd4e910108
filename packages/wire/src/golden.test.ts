// Bodies that real SDKs sent (golden/README.md says how they were caught) and what they read as.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { codecOf, parseBody } from './codec.ts'
import type { OperationContract } from './contract.ts'
import { kinesis } from './services/kinesis.ts'
import { plain } from './testing/values.ts'

const TWO_RECORDS = {
  StreamName: 'orders',
  Records: [
    { PartitionKey: 'ключ', Data: 'hex:6f6e65' },
    {
      PartitionKey: 'b',
      ExplicitHashKey: '170141183460469231731687303715884105728',
      Data: `hex:${'00'.repeat(300)}`,
    },
  ],
}
const ITERATOR = {
  StreamName: 'orders',
  ShardId: 'shardId-000000000000',
  ShardIteratorType: 'AT_TIMESTAMP',
}

const BODIES: Readonly<Record<string, unknown>> = {
  'java-PutRecord.cbor': { StreamName: 'orders', PartitionKey: 'k', Data: 'hex:' },
  'java-PutRecords.cbor': TWO_RECORDS,
  'java-GetShardIterator.cbor': { ...ITERATOR, Timestamp: 1700000000123 },
  'java-GetRecords.cbor': { ShardIterator: 'AAAA', Limit: 10000 },
  'java-CreateStream.cbor': {
    StreamName: 'orders',
    ShardCount: 1000,
    StreamModeDetails: { StreamMode: 'PROVISIONED' },
    Tags: { team: 'a b' },
  },
  'java-ListShards.cbor': {
    StreamName: 'orders',
    MaxResults: 5,
    ShardFilter: { Type: 'AT_TIMESTAMP', Timestamp: -1 },
  },
  'java-EnableEnhancedMonitoring.cbor': { StreamName: 'orders', ShardLevelMetrics: ['ALL'] },
  'java-DeleteStream.cbor': { StreamName: 'orders', EnforceConsumerDeletion: true },
  'botocore-PutRecord.json': { StreamName: 'orders', PartitionKey: 'k', Data: 'hex:' },
  'botocore-PutRecords.json': TWO_RECORDS,
  'botocore-GetShardIterator.json': { ...ITERATOR, Timestamp: 1700000000000 },
  'botocore-CreateStream.json': {
    StreamName: 'orders',
    ShardCount: 1000,
    Tags: { team: 'a b' },
  },
  'js-PutRecords.json': TWO_RECORDS,
  'js-GetShardIterator.json': { ...ITERATOR, Timestamp: 1700000000123 },
}

for (const [file, expected] of Object.entries(BODIES)) {
  test(`${file} reads as what its client was asked to send`, () => {
    const [, operation, protocol] = /-(\w+)\.(json|cbor)$/.exec(file) ?? []
    assert(operation !== undefined && (protocol === 'json' || protocol === 'cbor'))
    const contracts = kinesis as unknown as Record<string, OperationContract<unknown, unknown>>
    const contract = contracts[operation]
    assert(contract !== undefined)
    const body = readFileSync(join(import.meta.dirname, '../golden', file))
    const value = parseBody(protocol, body)
    assert(value !== undefined)
    const codec = codecOf(contract)
    const input = codec.readTypes(value, protocol)
    codec.checkConstraints(input)
    assert.deepEqual(plain(input), expected)
  })
}
