// What a value of the wrong type is told, word for word; and what is converted without a word.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codecOf, type Protocol, parseBody } from './codec.ts'
import type { OperationContract } from './contract.ts'
import { WireError } from './errors.ts'
import { kinesis } from './services/kinesis.ts'
import { structureOf } from './shape.ts'
import { plain } from './testing/values.ts'
import { TypeReaders } from './types.ts'

function typed<I, O>(
  contract: OperationContract<I, O>,
  body: unknown,
  protocol: Protocol = 'json',
): I {
  const value = parseBody('json', Buffer.from(JSON.stringify(body)))
  assert(value !== undefined)
  return codecOf(contract).readTypes(value, protocol)
}

function complaint(contract: OperationContract<never, never>, body: unknown): string {
  try {
    typed(contract, body)
  } catch (error) {
    assert(error instanceof WireError)
    assert.equal(error.type, 'SerializationException')
    return error.message
  }
  throw new Error(`${JSON.stringify(body)} was taken`)
}

const LIST = 'Start of list found where not expected'
const OBJECT = 'Start of structure or map found where not expected.'
const NUMBER =
  'class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to'
const BOOLEAN = 'class java.lang.Boolean can not be converted to'
const STRING = 'class java.lang.String can not be converted to'
const NUMBERS = [23, -2147483648, 2147483648, 34.56]

type Cases = readonly (readonly [value: unknown, message: string])[]

function cases(
  kind: string,
  contract: OperationContract<never, never>,
  bodyWith: (value: unknown) => unknown,
  rows: Cases,
): void {
  for (const [value, message] of rows) {
    test(`${JSON.stringify(value)} for a ${kind}: ${message}`, () => {
      assert.equal(complaint(contract, bodyWith(value)), message)
    })
  }
}

const contract = <I, O>(found: OperationContract<I, O>): OperationContract<never, never> =>
  found as unknown as OperationContract<never, never>

cases('string', contract(kinesis.PutRecord), (StreamName) => ({ StreamName }), [
  [[], LIST],
  [{}, OBJECT],
  [true, `${BOOLEAN} an String`],
  ...NUMBERS.map((number) => [number, `${NUMBER} an String`] as const),
])

cases('blob', contract(kinesis.PutRecord), (Data) => ({ Data }), [
  [[], LIST],
  [{}, OBJECT],
  [true, `${BOOLEAN} a Blob`],
  ...NUMBERS.map((number) => [number, `${NUMBER} a Blob`] as const),
  [
    '23456',
    "'23456' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: 5",
  ],
  ['=+/=', "'=+/=' can not be converted to a Blob: Invalid Base64 character: '='"],
  [
    '+/+=',
    "'+/+=' can not be converted to a Blob: Invalid last non-pad Base64 character dectected",
  ],
])

cases('integer', contract(kinesis.GetRecords), (Limit) => ({ Limit }), [
  [[], LIST],
  [{}, OBJECT],
  ['23', `${STRING} an Integer`],
  [false, `${BOOLEAN} an Integer`],
])

cases('boolean', contract(kinesis.PutRecord), (DryRun) => ({ DryRun }), [
  [[], LIST],
  [{}, OBJECT],
  ['HelloWtf', "'HELLOWTF' can not be converted to an Boolean"],
  ['23', "'23' can not be converted to an Boolean"],
  [23, `${NUMBER} an Boolean`],
  [-2147483648, `${NUMBER} an Boolean`],
])

cases('timestamp', contract(kinesis.GetShardIterator), (Timestamp) => ({ Timestamp }), [
  [[], LIST],
  [{}, OBJECT],
  ['2015', `${STRING} milliseconds since epoch`],
  [true, `${BOOLEAN} milliseconds since epoch`],
])

cases('list', contract(kinesis.PutRecords), (Records) => ({ Records }), [
  [{}, OBJECT],
  ['23', 'Expected list or null'],
  [true, 'Expected list or null'],
  ...NUMBERS.map((number) => [number, 'Expected list or null'] as const),
])

cases('map', contract(kinesis.AddTagsToStream), (Tags) => ({ Tags }), [
  [[], LIST],
  ['23', 'Expected map or null'],
  [true, 'Expected map or null'],
  ...NUMBERS.map((number) => [number, 'Expected map or null'] as const),
])

cases('structure', contract(kinesis.PutRecords), (record) => ({ Records: [record] }), [
  [[], LIST],
  ['23', 'Expected null'],
  [true, 'Expected null'],
  ...NUMBERS.map((number) => [number, 'Expected null'] as const),
])

test('types are looked at in list items and map values too', () => {
  const record = { PartitionKey: 'a', Data: 5 }
  assert.equal(complaint(contract(kinesis.PutRecords), { Records: [record] }), `${NUMBER} a Blob`)
  assert.equal(
    complaint(contract(kinesis.AddTagsToStream), { Tags: { a: 5 } }),
    `${NUMBER} an String`,
  )
})

test('members that are null count as absent, members that nobody knows are ignored', () => {
  const input = typed(kinesis.PutRecord, {
    StreamName: null,
    PartitionKey: 'a',
    Data: 'YQ==',
    Surprise: [{ deep: [1] }],
  })
  assert.equal(input.StreamName, undefined)
  assert.equal(input.PartitionKey, 'a')
  assert.equal(plain(input.Data), 'hex:61')
})

test('integers are floored and saturate', () => {
  const limit = (text: string): number | undefined => {
    const value = parseBody('json', Buffer.from(`{"Limit":${text}}`))
    assert(value !== undefined)
    return codecOf(kinesis.GetRecords).readTypes(value, 'json').Limit
  }
  assert.equal(limit('5.9'), 5)
  assert.equal(limit('-5.1'), -6)
  assert.equal(limit('2147483648'), 2147483647)
  assert.equal(limit('1e400'), 2147483647)
  assert.equal(limit('-1e400'), -2147483648)
  assert.equal(limit('123456789012345678901234567890'), 2147483647)
})

test('moments are seconds with a fraction in JSON, milliseconds in CBOR', () => {
  const body = { Timestamp: 1459799926.48 }
  assert.equal(typed(kinesis.GetShardIterator, body).Timestamp, 1459799926480)
  const milliseconds = { Timestamp: 1459799926480 }
  assert.equal(typed(kinesis.GetShardIterator, milliseconds, 'cbor').Timestamp, 1459799926480)
  assert.equal(typed(kinesis.GetShardIterator, { Timestamp: 1e300 }).Timestamp, 8.64e15)
})

test('some texts, and numbers with a fraction, are taken for booleans', () => {
  const dryRun = (value: unknown): boolean | undefined =>
    typed(kinesis.PutRecord, { DryRun: value }).DryRun
  assert.deepEqual(['true', 'Yes', '1', 34.56].map(dryRun), [true, true, true, true])
  assert.deepEqual(['FALSE', 'no', '0'].map(dryRun), [false, false, false])
})

test('keys that objects are born with are ordinary keys', () => {
  const text = '{"Tags":{"__proto__":"a","constructor":"b"},"__proto__":{"StreamName":"c"}}'
  const value = parseBody('json', Buffer.from(text))
  assert(value !== undefined)
  const input = codecOf(kinesis.AddTagsToStream).readTypes(value, 'json')
  assert.deepEqual(Object.entries(input.Tags), [
    ['__proto__', 'a'],
    ['constructor', 'b'],
  ])
  assert.equal(input.StreamName, undefined)
})

test('a shape that holds itself is read to a bounded depth', () => {
  const model = {
    metadata: { service: 's', source: 's', protocol: 'json', apiVersion: '1' },
    operations: {},
    shapes: {
      Tree: { type: 'structure', members: { Child: 'Tree', Name: 'Name' } },
      Name: 'string',
    },
  } as const
  const read = new TypeReaders('seconds').of(structureOf(model, 'Tree'))
  const nested = (depth: number): unknown => {
    let tree: unknown = { Name: 'leaf' }
    for (let level = 0; level < depth; level++) tree = { Child: tree }
    return tree
  }
  assert.deepEqual(read(nested(60)), nested(60))
  assert.throws(() => read(nested(100_000)), WireError)
  assert.deepEqual(read(nested(60)), nested(60))
})
