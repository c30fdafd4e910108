// CBOR byte by byte: what is read, what is refused, what is written.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BytesPayload } from '../payload.ts'
import { plain } from '../testing/values.ts'
import { parseCbor } from './cbor.ts'
import { CborSink, writeAny } from './cbor-writer.ts'

/** Parses `{"a": <item>}` with the item given in hex. */
function item(hex: string): unknown {
  const map = parseCbor(Buffer.from(`a16161${hex.replaceAll(' ', '')}`, 'hex'))
  assert(map !== undefined, `${hex} is unparsable`)
  return plain(map.a)
}

function isUnparsable(hex: string): boolean {
  return parseCbor(Buffer.from(hex.replaceAll(' ', ''), 'hex')) === undefined
}

// Mostly the examples of RFC 8949, appendix A.
const ITEMS: Readonly<Record<string, unknown>> = {
  '00': 0,
  '17': 23,
  '18 18': 24,
  '19 03e8': 1000,
  '1a 000f4240': 1000000,
  '1b 000000e8d4a51000': 1000000000000,
  '1b 001fffffffffffff': Number.MAX_SAFE_INTEGER,
  '1b ffffffffffffffff': 2 ** 64,
  '20': -1,
  '38 63': -100,
  '39 03e7': -1000,
  '3b 001ffffffffffffe': Number.MIN_SAFE_INTEGER,
  'f9 0000': 0,
  'f9 3c00': 1,
  'f9 3e00': 1.5,
  'f9 7bff': 65504,
  'f9 0001': 2 ** -24,
  'f9 c400': -4,
  'f9 7c00': Number.POSITIVE_INFINITY,
  'f9 fc00': Number.NEGATIVE_INFINITY,
  'fa 47c35000': 100000,
  'fb 3ff199999999999a': 1.1,
  f4: false,
  f5: true,
  f6: null,
  f7: null,
  '40': 'hex:',
  '44 01020304': 'hex:01020304',
  '58 01 ff': 'hex:ff',
  '5f 42 0102 43 030405 ff': 'hex:0102030405',
  '5f ff': 'hex:',
  '60': '',
  '64 49455446': 'IETF',
  '62 c3bc': 'ü',
  '64 f0908591': '\u{10151}',
  '7f 65 7374726561 64 6d696e67 ff': 'streaming',
  '80': [],
  '83 01 02 03': [1, 2, 3],
  '82 01 82 02 03': [1, [2, 3]],
  '9f ff': [],
  '9f 01 82 02 03 9f 04 05 ff ff': [1, [2, 3], [4, 5]],
  'bf 61 61 01 61 62 9f 02 03 ff ff': { a: 1, b: [2, 3] },
  'a1 7f 61 61 61 62 ff 01': { ab: 1 },
  'a2 61 61 01 61 61 02': { a: 2 },
}

for (const [hex, value] of Object.entries(ITEMS)) {
  test(`${hex} reads as ${JSON.stringify(value)}`, () => {
    assert.deepEqual(item(hex), value)
  })
}

test('no number is read as no number', () => {
  assert(Number.isNaN(item('f9 7e00')))
})

test('tag 1 is over milliseconds; over a float it means seconds', () => {
  assert.equal(item('c1 1b 0000018bcfe5687b'), 1700000000123)
  assert.equal(item('c1 20'), -1)
  assert.equal(item('c1 fb 41d954fc4007df3b'), 1700000000.123 * 1000)
})

test('other tags are looked through', () => {
  assert.equal(item('d8 20 63 612f62'), 'a/b')
  assert.deepEqual(item('d9 d9f7 81 c0 61 78'), ['x'])
})

const MALFORMED: Readonly<Record<string, string>> = {
  nothing: '',
  'a number': '00',
  'a list': '80',
  'a byte string': '40',
  'bytes after the map': 'a0 00',
  'a map cut short': 'a1 61 61',
  'an indefinite map without its end': 'bf 61 61 01',
  'a map with a key and no value before its end': 'bf 61 61 ff',
  'an end where a value should be': 'a1 61 61 ff',
  'a text cut short': 'a1 61 61 62 61',
  'a key that is a number': 'a1 01 01',
  'a key that is a byte string': 'a1 41 61 01',
  'a text in parts of bytes': 'a1 61 61 7f 41 61 ff',
  'a text in indefinite parts': 'a1 61 61 7f 7f 61 61 ff ff',
  'a reserved length': 'a1 61 61 1c',
  'an indefinite number': 'a1 61 61 1f',
  'an indefinite tag': 'a1 61 61 df 01',
  'a simple value nobody assigned': 'a1 61 61 e0',
  'a tag over nothing': 'a1 61 61 c1',
  'a list longer than the body': 'a1 61 61 9a ffffffff 01',
  'a map longer than the body': 'ba ffffffff',
  'a byte string longer than the body': 'a1 61 61 5b 00000001 00000000',
  'a text of 2^64 - 1 bytes': 'a1 61 61 7b ffffffffffffffff',
}

for (const [what, hex] of Object.entries(MALFORMED)) {
  test(`${what} is unparsable`, () => {
    assert(isUnparsable(hex))
  })
}

test('depth is bounded, however it is made', () => {
  const nested = (open: string, close: string, depth: number): string =>
    `a16161${open.repeat(depth)}00${close.repeat(depth)}`
  assert(!isUnparsable(nested('81', '', 60)))
  for (const [open, close] of [
    ['81', ''],
    ['9f', 'ff'],
    ['a16161', ''],
    ['bf6161', 'ff'],
    ['c1', ''],
  ] as const) {
    assert(isUnparsable(nested(open, close, 100_000)), open)
  }
})

test('keys that objects are born with are ordinary keys', () => {
  const map = parseCbor(Buffer.from('a1695f5f70726f746f5f5fa1616101', 'hex'))
  assert(map !== undefined)
  assert.deepEqual(Object.keys(map), ['__proto__'])
  assert.equal(map.a, undefined)
  assert.equal(Object.getPrototypeOf(map), Object.prototype)
})

test('keys are told apart by all their bytes', () => {
  const names = fc.uniqueArray(fc.string({ unit: 'binary', maxLength: 60 }), { maxLength: 40 })
  fc.assert(
    fc.property(names, (keys) => {
      const sink = new CborSink()
      writeAny(sink, Object.fromEntries(keys.map((key) => [key, 1])))
      const map = parseCbor(Buffer.from(sink.take()))
      assert(map !== undefined)
      assert.deepEqual(new Set(Object.keys(map)), new Set(keys.map((key) => key.toWellFormed())))
    }),
  )
})

test('whatever JSON can hold comes back', () => {
  const values = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true })
  fc.assert(
    fc.property(values, (value) => {
      const sink = new CborSink()
      writeAny(sink, value)
      const read = parseCbor(Buffer.from(sink.take()))
      assert.deepEqual(JSON.parse(JSON.stringify(read)), JSON.parse(JSON.stringify(value)))
    }),
  )
})

function written(write: (sink: CborSink) => void): string {
  const sink = new CborSink()
  write(sink)
  return Buffer.from(sink.take()).toString('hex')
}

test('integers are written as short as they go', () => {
  const integers = [0, 23, 24, 255, 256, 65535, 65536, 4294967295, 4294967296, -1, -25, -(2 ** 33)]
  assert.deepEqual(
    integers.map((value) => written((sink) => sink.integer(value))),
    [
      '00',
      '17',
      '1818',
      '18ff',
      '190100',
      '19ffff',
      '1a00010000',
      '1affffffff',
      '1b0000000100000000',
      '20',
      '3818',
      '3b00000001ffffffff',
    ],
  )
  assert.throws(() => written((sink) => sink.integer(0.5)))
})

test('texts of every length and alphabet are written as UTF-8', () => {
  for (const length of [0, 1, 23, 24, 127, 128, 129, 255, 256, 70_000]) {
    for (const unit of ['a', 'ü', '😀']) {
      const text = unit.repeat(length)
      const bytes = Buffer.from(
        written((sink) => sink.text(text)),
        'hex',
      )
      const map = parseCbor(Buffer.concat([Buffer.from('a16161', 'hex'), bytes]))
      assert.equal(map?.a, text)
    }
  }
})

test('a sink gives what was written since the last time, large or small', () => {
  const sink = new CborSink()
  const large = new BytesPayload(new Uint8Array(200_000).fill(7))
  sink.bytes(large)
  const first = sink.take()
  sink.text('a')
  const second = sink.take()
  sink.bytes(large)
  assert.equal(Buffer.from(second).toString('hex'), '6161')
  assert.deepEqual(Buffer.from(first), Buffer.from(sink.take()))
  sink.text('forgotten')
  sink.drop()
  assert.equal(sink.take().length, 0)
})
