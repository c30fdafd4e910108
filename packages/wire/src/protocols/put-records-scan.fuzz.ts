// Throws bodies at the quick reader of PutRecords: plain ones in many forms, and the same with bytes and
// tokens changed, doubled, moved and lost. Whatever comes, it says undefined or what JSON.parse says, and
// of plain bodies it never says undefined.
import assert from 'node:assert/strict'
import { type Random, seededRandom } from '@millrace/base/random'
import { Base64Payload } from '../payload.ts'
import { scanPutRecords } from './put-records-scan.ts'

const BODIES_A_ROUND = 500

export async function fuzz(seed: number, seconds: number): Promise<void> {
  const random = seededRandom(seed)
  const until = performance.now() + seconds * 1000
  while (performance.now() < until) fuzzBodies(random, BODIES_A_ROUND)
}

/** Plain bodies, each with a few broken ones made of it. Returns how many broken ones were read. */
export function fuzzBodies(random: Random, count: number): number {
  let readCount = 0
  for (let i = 0; i < count; i++) {
    const body = plainBody(random)
    assert(isReadAsJson(body), `not read: ${body.toString('latin1')}`)
    for (let change = random.integer(3) + 1, changed = body; change > 0; change--) {
      changed = broken(random, changed)
      if (isReadAsJson(changed)) readCount++
    }
  }
  return readCount
}

/** Whether a body is read. Throws if it is read as something else than JSON.parse makes of it. */
export function isReadAsJson(body: Buffer): boolean {
  const before = Buffer.from(body)
  const scanned = scanPutRecords(body)
  assert(before.equals(body), 'a body stays as it came')
  if (scanned === undefined) return false
  const Records = (scanned.Records as { Data: unknown }[]).map(({ Data: data, ...rest }) => {
    assert(data instanceof Base64Payload)
    const bytes = Buffer.alloc(data.byteLength)
    data.writeTo(bytes, 0)
    assert.equal(bytes.toString('base64'), data.text)
    return { Data: data.text, ...rest }
  })
  const text = body.toString()
  let expected: unknown
  try {
    expected = JSON.parse(text)
  } catch (error) {
    throw new Error(`read, but it isn't JSON: ${body.toString('latin1')}`, { cause: error })
  }
  assert.deepEqual({ ...scanned, Records }, expected, `read wrongly: ${text}`)
  return true
}

const BLANKS = ['', '', '', ' ', '\n    ', '\t', '\r\n']
const KEY_CHARACTERS = "abcXYZ0189 -_.:/,{}[]~!'()"

function plainBody(random: Random): Buffer {
  // Either one form throughout, as clients write it, or white space everywhere.
  const isMixed = random.integer(4) === 0
  const afterColon = pick(random, BLANKS)
  const afterComma = pick(random, BLANKS)
  const blank = (usual: string): string => (isMixed ? pick(random, BLANKS) : usual)
  const list = (open: string, items: readonly string[], close: string): string =>
    `${blank('')}${open}${blank('')}` +
    items.join(`${blank('')},${blank(afterComma)}`) +
    `${blank('')}${close}${blank('')}`
  const member = (name: string, value: string): string =>
    `"${name}"${blank('')}:${blank(afterColon)}${value}`
  const record = (dataBytes: number): string => {
    const data = Buffer.alloc(dataBytes)
    random.fill(data)
    const members = [
      member('Data', `"${data.toString('base64')}"`),
      member('PartitionKey', `"${text(random, random.integer(20))}"`),
    ]
    if (random.integer(3) === 0) {
      members.push(member('ExplicitHashKey', `"${random.integer(1e9)}"`))
    }
    return list('{', shuffled(random, members), '}')
  }
  const records = [record(310 + random.integer(20))]
  for (let more = random.integer(4); more > 0; more--) records.push(record(random.integer(8)))
  const members = [member('Records', list('[', records, ']'))]
  if (random.integer(8) > 0) members.push(member('StreamName', `"${text(random, 8)}"`))
  if (random.integer(4) === 0) members.push(member('StreamARN', `"arn:${text(random, 30)}"`))
  return Buffer.from(list('{', shuffled(random, members), '}'))
}

const TOKENS = [
  ...[
    '"',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '\\',
    '\\u0041',
    '\\"',
    ' ',
    '\n',
    '\0',
    '\x1f',
    '\x7f',
    '=',
  ],
  ...[
    'é',
    'ключ',
    '\ufeff',
    '\u2028',
    'null',
    'true',
    '-1e9',
    '0',
    '""',
    '{}',
    '[]',
    '-',
    '_',
    'A',
  ],
  ...['"Data"', '"Data":""', '"PartitionKey":"k"', '"ExplicitHashKey":"1"', '"StreamName":"s"'],
  ...['"StreamARN":null', '"Records":[]', '"__proto__":{}', '"DryRun":true', ',"Data":"AAAA"'],
]

function broken(random: Random, body: Buffer): Buffer {
  const at = place(random, body)
  const to = Math.min(body.length, at + random.integer(random.integer(4) === 0 ? 400 : 12))
  const [before, after] = [body.subarray(0, at), body.subarray(at)]
  switch (random.integer(7)) {
    case 0: {
      const changed = Buffer.from(body)
      if (at < body.length) changed[at] = random.integer(256)
      return changed
    }
    case 1:
      return Buffer.concat([before, Buffer.from([random.integer(256)]), after])
    case 2:
      return Buffer.concat([before, Buffer.from(pick(random, TOKENS)), after])
    case 3:
      return Buffer.concat([before, body.subarray(to)])
    case 4:
      return Buffer.concat([before, body.subarray(at, to), after])
    case 5: {
      const other = place(random, body)
      return Buffer.concat([before, body.subarray(other, other + to - at), after])
    }
    default:
      return random.integer(4) === 0
        ? before
        : Buffer.concat([body, Buffer.from(pick(random, TOKENS))])
  }
}

/** Mostly beside a character that means something, so that the long data isn't all that is hit. */
function place(random: Random, body: Buffer): number {
  const at = random.integer(body.length + 1)
  if (random.integer(4) === 0) return at
  const near = body
    .toString('latin1')
    .slice(at)
    .search(/["{}[\],:]/)
  return Math.min(body.length, near < 0 ? at : at + near + random.integer(2))
}

function text(random: Random, length: number): string {
  return Array.from({ length }, () => pick(random, [...KEY_CHARACTERS])).join('')
}

function pick(random: Random, from: readonly string[]): string {
  return from[random.integer(from.length)] as string
}

function shuffled(random: Random, items: readonly string[]): string[] {
  return items
    .map((item) => ({ item, rank: random.float() }))
    .sort((one, other) => one.rank - other.rank)
    .map(({ item }) => item)
}
