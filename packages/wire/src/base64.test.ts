// Base64 read as strictly as the real service reads it, judged by a slow and obvious twin.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { base64Payload } from './base64.ts'
import { WireError } from './errors.ts'
import { toBytes } from './payload.ts'

/** What is said of a text, or the bytes it stands for. */
function read(text: string): string | Buffer {
  try {
    const payload = base64Payload(text)
    const bytes = toBytes(payload)
    assert.equal(payload.byteLength, bytes.length)
    return bytes
  } catch (error) {
    assert(error instanceof WireError)
    assert.equal(error.type, 'SerializationException')
    return error.message
  }
}

/** Legal means: decoding and encoding again gives the same text. */
function isLegal(text: string): boolean {
  return Buffer.from(text, 'base64').toString('base64') === text
}

test('any bytes come back from their base64', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.deepEqual(read(Buffer.from(bytes).toString('base64')), Buffer.from(bytes))
    }),
  )
})

test('a text is taken exactly when it is the base64 of something', () => {
  const characters = fc.constantFrom(...'ABQgwXYZaz09+/=-_ \n\té€😀')
  fc.assert(
    fc.property(fc.string({ unit: characters, maxLength: 12 }), (text) => {
      assert.equal(typeof read(text) !== 'string', isLegal(text))
    }),
    { numRuns: 5000 },
  )
})

test('one wrong character anywhere is noticed, in texts longer than the scratch too', () => {
  const text = Buffer.alloc(200_001, 7).toString('base64')
  assert.equal(toBytes(base64Payload(text)).length, 200_001)
  for (const at of [0, 1, 65_535, 65_536, 131_072, text.length - 5]) {
    for (const wrong of ['-', '_', '=', ' ', 'é', '\u0000']) {
      const spoilt = text.slice(0, at) + wrong + text.slice(at + 1)
      const complaint = read(spoilt)
      assert(typeof complaint === 'string')
      assert(complaint.endsWith(`Invalid Base64 character: '${wrong}'`), complaint.slice(-80))
    }
  }
})

const complaints: Readonly<Record<string, string>> = {
  '23456': 'Base64 encoded length is expected a multiple of 4 bytes but found: 5',
  '=+/=': "Invalid Base64 character: '='",
  'AA=A': "Invalid Base64 character: '='",
  'AA-A': "Invalid Base64 character: '-'",
  'AA A': "Invalid Base64 character: ' '",
  '+/+=': 'Invalid last non-pad Base64 character dectected',
  'AB==': 'Invalid last non-pad Base64 character dectected',
  'AC==': 'Invalid last non-pad Base64 character dectected',
  'AE==': 'Invalid last non-pad Base64 character dectected',
  'AI==': 'Invalid last non-pad Base64 character dectected',
  'AAB=': 'Invalid last non-pad Base64 character dectected',
  'AAC=': 'Invalid last non-pad Base64 character dectected',
  'A===': 'Invalid last non-pad Base64 character dectected',
  '====': 'Invalid last non-pad Base64 character dectected',
}

for (const [text, complaint] of Object.entries(complaints)) {
  test(`'${text}' is no base64: ${complaint}`, () => {
    assert.equal(read(text), `'${text}' can not be converted to a Blob: ${complaint}`)
  })
}
