// Every operation of every model, through both protocols: what is written reads back the same, and what the
// model allows passes its checks.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { codecOf, encodeError, type Protocol, parseBody } from './codec.ts'
import { constraintMessage } from './constraint-messages.ts'
import { ConstraintChecks } from './constraints.ts'
import type { OperationContract } from './contract.ts'
import { WireError } from './errors.ts'
import { BytesPayload } from './payload.ts'
import { CborSink, CborWriters } from './protocols/cbor-writer.ts'
import { JsonWriters } from './protocols/json.ts'
import { kinesis } from './services/kinesis.ts'
import { type StructureShape, structureOf } from './shape.ts'
import { plain, valuesOf } from './testing/values.ts'
import { TypeReaders } from './types.ts'

const PROTOCOLS: readonly Protocol[] = ['json', 'cbor']
const { service, ...contracts } = kinesis
const operations = Object.values(contracts) as readonly OperationContract<unknown, unknown>[]

const toJson = new JsonWriters()
const toCbor = new CborWriters()
const readers = { json: new TypeReaders('seconds'), cbor: new TypeReaders('milliseconds') }
const checks = new ConstraintChecks()

/** A body of that shape, as a client would write it. */
function bodyOf(shape: StructureShape, value: unknown, protocol: Protocol): Buffer {
  if (protocol === 'json') return Buffer.from(JSON.stringify(toJson.of(shape)(value)))
  const sink = new CborSink()
  toCbor.of(shape)(sink, value)
  return Buffer.from(sink.take())
}

test('the contract has an operation for each line of the model, 57 of them', () => {
  assert.deepEqual(Object.keys(contracts), Object.keys(service.model.operations))
  assert.equal(operations.length, 57)
})

for (const contract of operations) {
  const { name } = contract
  const input = structureOf(service.model, contract.model.in ?? '')
  const output =
    contract.model.out === undefined ? undefined : structureOf(service.model, contract.model.out)

  test(`${name}: what the model allows is read and passes`, () => {
    const codec = codecOf(contract)
    fc.assert(
      fc.property(valuesOf(input), fc.constantFrom(...PROTOCOLS), (value, protocol) => {
        const parsed = parseBody(protocol, bodyOf(input, value, protocol))
        assert(parsed !== undefined)
        const read = codec.readTypes(parsed, protocol)
        assert.deepEqual(plain(read), plain(wellFormed(value)))
        codec.checkConstraints(read)
      }),
      { numRuns: 20 },
    )
  })

  test(`${name}: what is answered reads back the same`, () => {
    const codec = codecOf(contract)
    if (output === undefined) {
      assert.equal(codec.encode(undefined, 'json'), '')
      assert.equal(codec.encode(undefined, 'cbor'), '')
      return
    }
    fc.assert(
      fc.property(valuesOf(output), fc.constantFrom(...PROTOCOLS), (value, protocol) => {
        const body = codec.encode(value, protocol)
        const parsed = parseBody(protocol, Buffer.from(body as string))
        assert(parsed !== undefined)
        const read = readers[protocol].of(output)(parsed)
        assert.deepEqual(plain(read), plain(wellFormed(value)))
      }),
      { numRuns: 20 },
    )
  })
}

/** Lone surrogates don't survive UTF-8. */
function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed()
  if (Array.isArray(value)) return value.map(wellFormed)
  if (typeof value !== 'object' || value === null || 'writeTo' in value) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key.toWellFormed(), wellFormed(each)]),
  )
}

test('whenever a check says no, the messages say why, and the other way round', () => {
  // Values of any other input of the service: mostly wrong for this one, sometimes right.
  const shapes = operations.map((each) => structureOf(service.model, each.model.in ?? ''))
  for (const shape of shapes) {
    const check = checks.of(shape)
    const strange = fc.dictionary(
      fc.constantFrom('none', ...shape.members.map((member) => member.name)),
      fc.oneof(
        fc.string(),
        fc.integer(),
        fc.array(fc.string()),
        fc.constant({}),
        fc.constant(null),
      ),
      { noNullPrototype: true },
    )
    fc.assert(
      fc.property(strange, (value) => {
        let read: unknown
        try {
          read = readers.json.of(shape)(value)
        } catch (error) {
          assert(error instanceof WireError)
          return
        }
        const isFine = check === undefined || check(read)
        assert.equal(constraintMessage(shape, read, 'p') === undefined, isFine)
      }),
      { numRuns: 30 },
    )
  }
})

test('entries of PutRecords read and check as every other structure does', () => {
  const entry = structureOf(service.model, 'PutRecordsRequestEntry')
  // The same shape by another name gets no shortcut.
  const twin: StructureShape = { ...entry, name: 'Twin' }
  const member = fc.oneof(
    fc.constantFrom('', 'a', 'YQ==', 'YQ=', 'Y-==', '0', '01', 'k'.repeat(256), 'k'.repeat(257)),
    fc.constantFrom(null, undefined, 1, true, [], {}),
  )
  const entries = fc.oneof(
    fc.record({ Data: member, PartitionKey: member, ExplicitHashKey: member, Surprise: member }, {
      requiredKeys: [],
      noNullPrototype: true,
    } as { requiredKeys: [] }),
    fc.constantFrom<unknown>('text', 5, [], false, new BytesPayload(new Uint8Array(2))),
  )
  const outcome = (shape: StructureShape, value: unknown): unknown => {
    try {
      const read = readers.json.of(shape)(structuredClone(value))
      return [plain(read), checks.of(shape)?.(read)]
    } catch (error) {
      assert(error instanceof WireError)
      return error.message
    }
  }
  fc.assert(
    fc.property(entries, (value) => {
      assert.deepEqual(outcome(entry, value), outcome(twin, value))
    }),
    { numRuns: 2000 },
  )
})

test('only members of the model are answered, and none that is undefined', () => {
  const codec = codecOf(kinesis.PutRecord)
  const output = { ShardId: 's', SequenceNumber: '1', EncryptionType: undefined, Secret: 1 }
  const answered = { ShardId: 's', SequenceNumber: '1' }
  assert.deepEqual(JSON.parse(String(codec.encode(output as never, 'json'))), answered)
  assert.deepEqual(
    parseBody('cbor', Buffer.from(codec.encode(output as never, 'cbor') as Uint8Array)),
    answered,
  )
})

test('moments are answered as seconds in JSON, as tag 1 over milliseconds in CBOR', () => {
  const codec = codecOf(kinesis.DescribeStreamConsumer)
  const output = {
    ConsumerDescription: {
      ConsumerName: 'c',
      ConsumerARN: 'a',
      ConsumerStatus: 'ACTIVE' as const,
      ConsumerCreationTimestamp: 1700000000123,
      StreamARN: 's',
    },
  }
  assert.match(String(codec.encode(output, 'json')), /"ConsumerCreationTimestamp":1700000000\.123,/)
  const cbor = Buffer.from(codec.encode(output, 'cbor') as Uint8Array).toString('hex')
  assert(cbor.includes('c11b0000018bcfe5687b'))
})

test('an event stream is no part of the answer; its events are encoded by name', () => {
  const codec = codecOf(kinesis.SubscribeToShard)
  assert.equal(codec.encode({ EventStream: never() }, 'json'), '{}')
  const event = {
    Records: [
      {
        SequenceNumber: '1',
        ApproximateArrivalTimestamp: 1700000000123,
        Data: new BytesPayload(Buffer.from('one')),
        PartitionKey: 'k',
      },
    ],
    ContinuationSequenceNumber: '1',
    MillisBehindLatest: 0,
  }
  assert.deepEqual(JSON.parse(String(codec.encodeEvent('SubscribeToShardEvent', event, 'json'))), {
    Records: [
      {
        SequenceNumber: '1',
        ApproximateArrivalTimestamp: 1700000000.123,
        Data: 'b25l',
        PartitionKey: 'k',
      },
    ],
    ContinuationSequenceNumber: '1',
    MillisBehindLatest: 0,
  })
  assert.throws(() => codec.encodeEvent('Nothing', {}, 'json'))
})

async function* never(): AsyncGenerator<never> {}

test('errors carry their type and their message, with a capital in one case', () => {
  const json = (error: WireError): unknown => JSON.parse(String(encodeError(error, 'json')))
  assert.deepEqual(json(new WireError('ResourceNotFoundException', 'Stream x')), {
    __type: 'ResourceNotFoundException',
    message: 'Stream x',
  })
  assert.deepEqual(json(new WireError('SerializationException', 'Expected null')), {
    __type: 'SerializationException',
    Message: 'Expected null',
  })
  assert.deepEqual(json(new WireError('InternalFailure', undefined)), { __type: 'InternalFailure' })
  const members = { Reason: { Code: 1, Ratio: 0.5, Parts: ['a', null, true] } }
  const error = new WireError('Odd', 'm', { members })
  const expected = { __type: 'Odd', message: 'm', ...members }
  assert.deepEqual(json(error), expected)
  assert.deepEqual(parseBody('cbor', encodeError(error, 'cbor') as Buffer), expected)
})

test('bodies that hold no object are unparsable', () => {
  const bodies = ['', 'hello', '[]', '1', '"a"', 'null', '{"a":1', '{}x', '\ufeff{}', "{'a':1}"]
  for (const body of bodies) {
    assert.equal(parseBody('json', Buffer.from(body)), undefined, body)
  }
  assert.deepEqual(parseBody('json', Buffer.from(' {"a":1,"a":2}\n')), { a: 2 })
})

test('nesting that nobody asked for is carried without harm', () => {
  const deep = '['.repeat(200_000) + ']'.repeat(200_000)
  const value = parseBody('json', Buffer.from(`{"Surprise":${deep},"Records":[]}`))
  assert(value !== undefined)
  const codec = codecOf(kinesis.PutRecords)
  assert.throws(() => codec.checkConstraints(codec.readTypes(value, 'json')), WireError)
})
