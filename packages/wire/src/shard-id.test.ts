import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseShardId, shardId } from './shard-id.ts'

test('shard ids have twelve digits and are read back', () => {
  assert.equal(shardId(0), 'shardId-000000000000')
  assert.equal(shardId(2147483647), 'shardId-002147483647')
  fc.assert(
    fc.property(fc.nat(), (number) => {
      assert.equal(parseShardId(shardId(number)), number)
    }),
  )
})

test('shard ids are read as leniently as AWS reads them', () => {
  for (const text of ['0', '-0', 'a-00000000000', 'shardId-0', 'shardId-000000000000']) {
    assert.equal(parseShardId(text), 0, text)
  }
  for (const text of ['', '-', 'shardId', 'shardId-', 'ABKLFD8', 'shardId-1-2', 'a.1']) {
    assert.equal(parseShardId(text), undefined, text)
  }
  assert.equal(parseShardId('shardId-002147483648'), undefined)
})

test('a negative number prints as AWS prints it', () => {
  assert.equal(shardId(-2147483648), 'shardId--02147483648')
})
