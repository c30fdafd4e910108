import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseArn, parseStreamArn, partitionOf, streamArn } from './arn.ts'

test('a stream ARN is read back into its parts', () => {
  const name = fc.stringMatching(/^[a-zA-Z0-9_.-]{1,128}$/)
  const region = fc.constantFrom('us-east-1', 'cn-north-1', 'us-gov-west-1', 'eu-south-2')
  fc.assert(
    fc.property(region, name, (region, name) => {
      const arn = streamArn(region, '123456789012', name)
      assert.deepEqual(parseStreamArn(arn), { region, account: '123456789012', name })
    }),
  )
})

test('regions have their partitions', () => {
  assert.equal(partitionOf('us-east-1'), 'aws')
  assert.equal(partitionOf('cn-north-1'), 'aws-cn')
  assert.equal(partitionOf('us-gov-west-1'), 'aws-us-gov')
})

test('ARNs of other things are no stream ARNs', () => {
  for (const text of [
    '',
    'orders',
    'arn:aws:kinesis:us-east-1:123456789012:stream/',
    'arn:aws:kinesis:us-east-1:123456789012:stream/a/consumer/c:1',
    'arn:aws:kinesis:us-east-1:123456789012:queue/a',
    'arn:aws:firehose:us-east-1:123456789012:stream/a',
    'urn:aws:kinesis:us-east-1:123456789012:stream/a',
  ]) {
    assert.equal(parseStreamArn(text), undefined, text)
  }
})

test('what follows the account is the resource, colons and all', () => {
  assert.deepEqual(parseArn('arn:aws:kinesis:r:1:stream/a/consumer/c:1'), {
    partition: 'aws',
    service: 'kinesis',
    region: 'r',
    account: '1',
    resource: 'stream/a/consumer/c:1',
  })
  assert.equal(parseArn('arn:aws:kinesis:r:1'), undefined)
  assert.equal(parseArn('arn:aws:kinesis:r:1:'), undefined)
})
