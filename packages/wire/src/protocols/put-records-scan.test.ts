// The quick reader of PutRecords, held against JSON.parse: what it reads, and what it leaves alone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@millrace/base/random'
import { codecOf, parseBody } from '../codec.ts'
import { WireError } from '../errors.ts'
import { kinesis } from '../services/kinesis.ts'
import { plain } from '../testing/values.ts'
import { fuzzBodies, isReadAsJson } from './put-records-scan.fuzz.ts'

const DATA = Buffer.alloc(330, 'some data').toString('base64')
const TARGET = 'Kinesis_20131202.PutRecords'

/** A compact body of one record, with one part written differently. */
function body(part: 'data' | 'key' | 'record' | 'stream' | 'end', written: string): Buffer {
  const data = part === 'data' ? written : `"${DATA}"`
  const key = part === 'key' ? written : '"key"'
  const more = part === 'record' ? `,${written}` : ''
  const stream = part === 'stream' ? written : '"orders"'
  const record = `{"Data":${data},"PartitionKey":${key}${more}}`
  return Buffer.from(
    `{"Records":[${record}],"StreamName":${stream}}${part === 'end' ? written : ''}`,
  )
}

test('bodies of large records are read as clients write them', () => {
  const records = [
    { Data: DATA, PartitionKey: 'a' },
    { PartitionKey: 'b', Data: '', ExplicitHashKey: '340282366920938463463374607431768211455' },
  ]
  const inputs = [
    { Records: records, StreamName: 'orders' },
    { StreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/orders', Records: records },
    { Records: records },
  ]
  for (const input of inputs) {
    const compact = JSON.stringify(input)
    assert(isReadAsJson(Buffer.from(compact)))
    // As botocore writes it; none of the texts holds either character.
    const stream = compact.replaceAll('":', '": ').replaceAll(',"', ', "').replaceAll('},{', '}, {')
    assert(isReadAsJson(Buffer.from(stream)))
    assert(isReadAsJson(Buffer.from(JSON.stringify(input, undefined, 4))))
  }
})

test('small records are left to JSON.parse', () => {
  const small = { Data: Buffer.alloc(200).toString('base64'), PartitionKey: 'k' }
  for (const count of [0, 1, 500]) {
    assert(!isReadAsJson(Buffer.from(JSON.stringify({ Records: new Array(count).fill(small) }))))
  }
})

test('whatever is not plain is left to JSON.parse', () => {
  const texts = [
    '"\\n"',
    '"\\u0041"',
    '"\n"',
    '"\x1f"',
    '"\x7f"',
    '"é"',
    '"ключ"',
    '1',
    'null',
    '[]',
  ]
  const bodies = [
    ...texts.flatMap((text) => [body('key', text), body('stream', text)]),
    ...texts.map((text) => body('record', `"ExplicitHashKey":${text}`)),
    ...['\\/', '\\u0041', '\n', '\0', 'é', '-', '_', '=', ' ', 'A', 'AA='].map((inserted) =>
      body('data', `"${DATA.slice(0, 200)}${inserted}${DATA.slice(200)}"`),
    ),
    ...['"Data":"AAAA"', '"PartitionKey":"k"', '"More":1', '"__proto__":{}', '"data":""', ''].map(
      (member) => body('record', member),
    ),
    ...['x', ',', '}', '\0', '{}', '\u00a0', '\ufeff'].map((end) => body('end', end)),
    ...['"orders","StreamName":"orders"', '"orders","Records":[]', '"orders","DryRun":true'].map(
      (stream) => body('stream', stream),
    ),
    body('record', '"ExplicitHashKey":"1","ExplicitHashKey":"2"'),
    body('stream', `"orders","Records":[{"Data":"${DATA}","PartitionKey":"k"}]`),
    Buffer.from(`{"Records":[{"Data":"${DATA}"}],"StreamName":"orders"}`),
    Buffer.concat([Buffer.from('\ufeff'), body('end', '')]),
    // A byte that isn't UTF-8, which reading as text would replace.
    Buffer.from(body('key', '"\xff"').toString(), 'latin1'),
  ]
  for (const each of bodies) assert(!isReadAsJson(each), each.toString('latin1'))
  assert(isReadAsJson(body('end', ' \r\n\t')))
})

test('a body cut off anywhere is not read', () => {
  const whole = body('record', '"ExplicitHashKey":"1"')
  for (let length = 0; length < whole.length; length++) {
    assert(!isReadAsJson(whole.subarray(0, length)), `${length} of ${whole.length} bytes`)
  }
})

test('any byte in any place is read as JSON.parse reads it, or not at all', () => {
  const record = `{"PartitionKey": "a", "Data": "AAAA"}`
  const head = `{ "Records": [{"Data": "`
  const whole = Buffer.from(`${head}${DATA}", "PartitionKey":"k"}, ${record}]}`)
  let readCount = 0
  for (let at = 0; at < whole.length; at++) {
    // All places within the long data are alike.
    if (at > head.length + 4 && at < head.length + DATA.length - 4) continue
    for (let byte = 0; byte < 256; byte++) {
      const changed = Buffer.from(whole)
      changed[at] = byte
      if (isReadAsJson(changed)) readCount++
    }
  }
  assert(readCount > 1000)
})

test('broken bodies are read as JSON.parse reads them, or not at all', () => {
  assert(fuzzBodies(seededRandom(20131202), 500) > 50)
})

test('the operation reads the same input, or the same error, with and without the shortcut', () => {
  const codec = codecOf(kinesis.PutRecords)
  const read = (bytes: Buffer, target?: string): unknown => {
    const value = parseBody('json', bytes, target)
    if (value === undefined) return undefined
    try {
      const input = codec.readTypes(value, 'json')
      codec.checkConstraints(input)
      return plain(input)
    } catch (error) {
      assert(error instanceof WireError)
      return [error.type, error.message]
    }
  }
  const bodies = [
    body('end', ''),
    body('end', 'x'),
    body('data', `"${DATA}-"`),
    body('data', `"${DATA}\\n"`),
    body('data', `"${DATA}\n"`),
    body('key', '""'),
    body('key', `"${'k'.repeat(257)}"`),
    body('key', '1'),
    body('record', '"ExplicitHashKey":"x"'),
    body('stream', '"not a name"'),
  ]
  for (const each of bodies) assert.deepEqual(read(each, TARGET), read(each))
  assert.notDeepEqual(read(body('end', ''), TARGET), undefined)
})
