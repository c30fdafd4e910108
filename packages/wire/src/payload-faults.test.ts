// Base64 is looked at when it is written; these hold that against reading it whole where types are read.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { codecOf } from './codec.ts'
import { WireError } from './errors.ts'
import { BytesPayload, payloadFault, toBytes } from './payload.ts'
import { kinesis, type PutRecordsInput } from './services/kinesis.ts'

const codec = codecOf(kinesis.PutRecords)

/** Data, and what is said of it as it stands: by length and padding, by its characters, or nothing. */
const datas: Readonly<Record<string, string | undefined>> = {
  '': undefined,
  AAAA: undefined,
  'AAA=': undefined,
  AAA: 'Base64 encoded length is expected a multiple of 4 bytes but found: 3',
  'AAB=': 'Invalid last non-pad Base64 character dectected',
  'A-AA': "Invalid Base64 character: '-'",
  'A!AA': "Invalid Base64 character: '!'",
  'AAé=': "Invalid Base64 character: 'é'",
  'A=AA': "Invalid Base64 character: '='",
  'A AA': "Invalid Base64 character: ' '",
}

interface RawRecord {
  readonly Data: unknown
  readonly PartitionKey?: unknown
  readonly ExplicitHashKey?: unknown
}

const anyRecord: fc.Arbitrary<RawRecord> = fc.record(
  {
    Data: fc.oneof(
      { weight: 12, arbitrary: fc.constantFrom('', 'AAAA', 'AAA=') },
      { weight: 4, arbitrary: fc.constantFrom(...Object.keys(datas)) },
      fc.constantFrom(1, null, []),
    ),
    PartitionKey: fc.oneof({ weight: 9, arbitrary: fc.constant('k') }, fc.constantFrom(1, null)),
    ExplicitHashKey: fc.oneof({ weight: 9, arbitrary: fc.constant('0') }, fc.constant([])),
  },
  { requiredKeys: ['Data', 'PartitionKey'] },
)

/** The service's way: member after member, record after record, each looked at whole. */
function firstComplaint(records: readonly RawRecord[]): string | undefined {
  const scalar = (value: unknown, to: string): string | undefined => {
    if (Array.isArray(value)) return 'Start of list found where not expected'
    if (typeof value !== 'number') return undefined
    return `class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to ${to}`
  }
  for (const { Data, ExplicitHashKey, PartitionKey } of records) {
    const complaint = typeof Data === 'string' ? datas[Data] : scalar(Data, 'a Blob')
    if (complaint !== undefined) {
      return typeof Data === 'string'
        ? `'${Data}' can not be converted to a Blob: ${complaint}`
        : complaint
    }
    const other = scalar(ExplicitHashKey, 'an String') ?? scalar(PartitionKey, 'an String')
    if (other !== undefined) return other
  }
  return undefined
}

function complaintOf(run: () => WireError | undefined): string | undefined {
  try {
    return run()?.message
  } catch (error) {
    assert(error instanceof WireError)
    assert.equal(error.type, 'SerializationException')
    return error.message
  }
}

test('what is wrong first is answered first, whether seen at the types or when written', () => {
  fc.assert(
    fc.property(fc.array(anyRecord, { maxLength: 6 }), (records) => {
      const body = JSON.parse(JSON.stringify({ StreamName: 'orders', Records: records }))
      let input: PutRecordsInput | undefined
      const found = complaintOf(() => {
        input = codec.readTypes(body, 'json')
        return codec.payloadFault(input)
      })
      assert.equal(found, firstComplaint(records))
      if (found === undefined) return
      // Writing finds what asking finds, though perhaps of another record.
      for (const { Data } of input?.Records ?? []) {
        if (Data === undefined || Data === null) continue
        const fault = payloadFault(Data)?.message
        assert.equal(
          complaintOf(() => void toBytes(Data)),
          fault,
        )
      }
    }),
    { numRuns: 3000 },
  )
})

test('only base64 can be wrong, and what could not be read holds no payloads', () => {
  assert.equal(payloadFault(new BytesPayload(Buffer.from('!'))), undefined)
  for (const value of [undefined, {}, { Records: 'A!AA' }, { Records: [null, [], 1] }]) {
    assert.equal(codec.payloadFault(value as unknown as PutRecordsInput), undefined)
  }
})
