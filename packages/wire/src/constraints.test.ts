// Constraint errors, word for word as the real service lists them, and the checks that find them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { codecOf, parseBody } from './codec.ts'
import { shownPattern } from './constraint-messages.ts'
import { patternTest } from './constraints.ts'
import type { OperationContract } from './contract.ts'
import { WireError } from './errors.ts'
import { kinesis } from './services/kinesis.ts'

/** The errors listed after the count, which is checked here; `[]` when the body is fine. */
function errors<I, O>(contract: OperationContract<I, O>, body: unknown): string[] {
  const codec = codecOf(contract)
  const value = parseBody('json', Buffer.from(JSON.stringify(body)))
  assert(value !== undefined)
  const input = codec.readTypes(value, 'json')
  try {
    codec.checkConstraints(input)
    return []
  } catch (error) {
    assert(error instanceof WireError)
    assert.equal(error.type, 'ValidationException')
    const [, count, plural, list] =
      /^(\d+) validation error(s?) detected: ([\s\S]*)$/.exec(error.message) ?? []
    assert(list !== undefined, error.message)
    const listed = list.split(/; (?=Value )/)
    assert.equal(Number(count), listed.length)
    assert.equal(plural, listed.length === 1 ? '' : 's')
    return listed
  }
}

const NAME = '[a-zA-Z0-9_.-]+'

function broken(value: string | null, path: string, constraint: string): string {
  const shown = value === null ? 'null' : `'${value}'`
  return `Value ${shown} at '${path}' failed to satisfy constraint: Member must ${constraint}`
}
const pattern = (text: string): string => `satisfy regular expression pattern: ${text}`
const shortest = (length: number): string => `have length greater than or equal to ${length}`
const longest = (length: number): string => `have length less than or equal to ${length}`

test('what is missing: PutRecords lists records, not the names that may be left out', () => {
  assert.deepEqual(errors(kinesis.PutRecords, {}), [broken(null, 'records', 'not be null')])
})

test('an empty name breaks its pattern and its minimum, in this order; records come first', () => {
  assert.deepEqual(errors(kinesis.PutRecords, { StreamName: '', Records: [] }), [
    broken('[]', 'records', shortest(1)),
    broken('', 'streamName', pattern(NAME)),
    broken('', 'streamName', shortest(1)),
  ])
})

test('PutRecord lists its members in the order of the service', () => {
  const body = {
    StreamName: '',
    PartitionKey: '',
    Data: '',
    ExplicitHashKey: '',
    SequenceNumberForOrdering: '',
  }
  assert.deepEqual(errors(kinesis.PutRecord, body), [
    broken('', 'sequenceNumberForOrdering', pattern('0|([1-9]\\d{0,128})')),
    broken('', 'partitionKey', shortest(1)),
    broken('', 'explicitHashKey', pattern('0|([1-9]\\d{0,38})')),
    broken('', 'streamName', pattern(NAME)),
    broken('', 'streamName', shortest(1)),
  ])
})

test('GetShardIterator names the types in the order of the service', () => {
  const body = { StreamName: '', ShardIteratorType: '', ShardId: '', StartingSequenceNumber: '' }
  assert.deepEqual(errors(kinesis.GetShardIterator, body), [
    broken('', 'shardId', pattern(NAME)),
    broken('', 'shardId', shortest(1)),
    broken(
      '',
      'shardIteratorType',
      'satisfy enum value set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_TIMESTAMP, AT_SEQUENCE_NUMBER, TRIM_HORIZON]',
    ),
    broken('', 'startingSequenceNumber', pattern('0|([1-9]\\d{0,128})')),
    broken('', 'streamName', pattern(NAME)),
    broken('', 'streamName', shortest(1)),
  ])
})

test('SplitShard lists the hash key, then the stream, then the shard', () => {
  const long = 'a'.repeat(129)
  const body = { StreamName: long, ShardToSplit: long, NewStartingHashKey: '01' }
  assert.deepEqual(errors(kinesis.SplitShard, body), [
    broken('01', 'newStartingHashKey', pattern('0|([1-9]\\d{0,38})')),
    broken(long, 'streamName', longest(128)),
    broken(long, 'shardToSplit', longest(128)),
  ])
})

test('numbers have a smallest and a largest value', () => {
  const limit = (Limit: number): string[] =>
    errors(kinesis.GetRecords, { ShardIterator: 'A', Limit })
  assert.deepEqual(limit(0), [broken('0', 'limit', 'have value greater than or equal to 1')])
  assert.deepEqual(limit(10001), [
    broken('10001', 'limit', 'have value less than or equal to 10000'),
  ])
  assert.deepEqual(limit(10000), [])
})

test('inside lists paths count from 1 and go through member', () => {
  const Records = [
    { PartitionKey: 'a', Data: '' },
    { PartitionKey: '', ExplicitHashKey: '-1' },
    null,
  ]
  assert.deepEqual(errors(kinesis.PutRecords, { Records }), [
    broken('', 'records.2.member.partitionKey', shortest(1)),
    broken('-1', 'records.2.member.explicitHashKey', pattern('0|([1-9]\\d{0,38})')),
    broken(null, 'records.2.member.data', 'not be null'),
    broken(null, 'records.3.member', 'not be null'),
  ])
})

test('a blob prints as a Java buffer', () => {
  const Data = Buffer.alloc(10485761).toString('base64')
  assert.deepEqual(errors(kinesis.PutRecord, { PartitionKey: 'a', Data }), [
    broken('java.nio.HeapByteBuffer[pos=0 lim=10485761 cap=10485761]', 'data', longest(10485760)),
  ])
})

test('structures in a list print as Java objects', () => {
  const Records = Array.from({ length: 501 }, () => ({ PartitionKey: 'a', Data: '' }))
  const [error, ...others] = errors(kinesis.PutRecords, { Records })
  assert.deepEqual(others, [])
  const object = 'com\\.amazonaws\\.kinesis\\.v20131202\\.PutRecordsRequestEntry@[0-9a-f]{8}'
  assert.match(
    error ?? '',
    new RegExp(
      `^Value '\\[(${object}, ){500}${object}\\]' at 'records' failed to satisfy constraint: Member must have length less than or equal to 500$`,
    ),
  )
})

test('items of a list of texts are complained of together', () => {
  const long = 'k'.repeat(129)
  assert.deepEqual(errors(kinesis.RemoveTagsFromStream, { TagKeys: ['a', long, 'b'] }), [
    broken(
      `[a, ${long}, b]`,
      'tagKeys',
      'satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1]',
    ),
  ])
})

test('enums in a list are complained of together', () => {
  const [error] = errors(kinesis.EnableEnhancedMonitoring, { ShardLevelMetrics: ['Nothing'] })
  assert.equal(
    error,
    broken(
      '[Nothing]',
      'shardLevelMetrics',
      'satisfy constraint: [Member must satisfy enum value set: [IncomingBytes, IncomingRecords, OutgoingBytes, OutgoingRecords, WriteProvisionedThroughputExceeded, ReadProvisionedThroughputExceeded, IteratorAgeMilliseconds, ALL]]',
    ),
  )
})

test('keys and values of a map are complained of at the map', () => {
  const key = 'k'.repeat(129)
  const value = 'v'.repeat(257)
  const shown = `{a=b, ${key}=${value}}`
  const at = `Value '${shown}' at 'tags' failed to satisfy constraint:`
  assert.deepEqual(errors(kinesis.AddTagsToStream, { Tags: { a: 'b', [key]: value } }), [
    `${at} Map keys must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1]`,
    `${at} Map value must satisfy constraint: [Member must have length less than or equal to 256, Member must have length greater than or equal to 0]`,
  ])
  assert.deepEqual(errors(kinesis.AddTagsToStream, { Tags: {} }), [
    broken('{}', 'tags', shortest(1)),
  ])
})

test('members of structures in members are reached', () => {
  const body = { StreamName: 'a', StreamModeDetails: {} }
  assert.deepEqual(errors(kinesis.CreateStream, body), [
    broken(null, 'streamModeDetails.streamMode', 'not be null'),
  ])
})

test('ten errors are listed at most', () => {
  const Records = Array.from({ length: 20 }, () => ({ PartitionKey: '', Data: '' }))
  assert.equal(errors(kinesis.PutRecords, { Records }).length, 10)
})

test('a text far too long is measured, not matched: patterns can take quadratic time', () => {
  const StreamARN = 'arn:aws:kinesis:'.repeat(200_000)
  assert.deepEqual(errors(kinesis.DeleteStream, { StreamARN }), [
    broken(StreamARN, 'streamARN', longest(2048)),
  ])
})

test('lengths are counted in UTF-16 units', () => {
  const put = (PartitionKey: string): string[] =>
    errors(kinesis.PutRecord, { PartitionKey, Data: '' })
  assert.deepEqual(put('😀'.repeat(128)), [])
  assert.equal(put(`${'😀'.repeat(128)}a`).length, 1)
})

test('patterns are shown without their anchors', () => {
  assert.equal(shownPattern('^(0|([1-9]\\d{0,38}))$'), '0|([1-9]\\d{0,38})')
  assert.equal(shownPattern('^[a-z0-9]+$'), '[a-z0-9]+')
  assert.equal(shownPattern('^(arn):aws.*:x'), '(arn):aws.*:x')
  assert.equal(shownPattern('^(a)|(b)$'), '(a)|(b)')
  assert.equal(shownPattern('[a-zA-Z0-9_.-]+'), '[a-zA-Z0-9_.-]+')
})

test('patterns that are tested without the regex engine agree with it', () => {
  const patterns = [
    '[a-zA-Z0-9_.-]+',
    '[a-zA-Z0-9\\.\\_]+',
    '[0-9a-z_]+',
    '^[a-z0-9]+$',
    '^(0|([1-9]\\d{0,38}))$',
    '^(0|([1-9]\\d{0,128}))$',
    '[^:*]*',
    '\\d{12}',
  ]
  const characters = fc.constantFrom(...'09a zZ_.-:*\\[]^é\n')
  const texts = fc.oneof(
    fc.string({ unit: characters, maxLength: 6 }),
    fc.string({ unit: fc.constantFrom(...'0123'), maxLength: 140 }),
  )
  for (const pattern of patterns) {
    const whole = new RegExp(`^(?:${pattern})$`)
    const matches = patternTest(pattern)
    fc.assert(
      fc.property(texts, (text) => {
        assert.equal(matches(text), whole.test(text), `${pattern} on ${JSON.stringify(text)}`)
      }),
      { numRuns: 400 },
    )
  }
})
