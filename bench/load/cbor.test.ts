import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type CborInput, decodeCbor, encodeCbor } from './cbor.ts'

const { value: anyValue } = fc.letrec<{ value: CborInput }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string(),
    fc.maxSafeInteger(),
    fc.array(tie('value'), { maxLength: 30 }),
    fc.dictionary(fc.string({ maxLength: 30 }), tie('value'), { noNullPrototype: true }),
  ),
}))

test('what is encoded is decoded again', () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      assert.deepEqual(decodeCbor(encodeCbor(value)), value)
    }),
  )
})

test('byte strings of every length class survive', () => {
  for (const length of [0, 23, 24, 255, 256, 65_535, 65_536]) {
    const bytes = Buffer.alloc(length, 7)
    assert.deepEqual(decodeCbor(encodeCbor(bytes)), bytes)
  }
})

test('indefinite maps, arrays and strings are read, as the Java SDK writes them', () => {
  // {_ "a": [_ 1, true], "b": (_ "x", "yz")} with a float and a tagged time behind it
  const bytes = Buffer.from('bf61619f01f5ff61627f61786279 7aff6163c11864ff'.replace(' ', ''), 'hex')
  assert.deepEqual(decodeCbor(bytes), { a: [1, true], b: 'xyz', c: 100 })
})

test('truncated input throws', () => {
  const bytes = encodeCbor({ key: 'a longer value than nothing' })
  for (let end = 0; end < bytes.length; end++) {
    assert.throws(() => decodeCbor(bytes.subarray(0, end)))
  }
})
