import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BytesPayload } from '@millrace/wire/payload'
import fc from 'fast-check'
import {
  partitionKeyBytes,
  RECORD_HEADER_BYTES,
  readRecord,
  storedKeyBytes,
  writeRecord,
} from './record.ts'

test('the documented example is what is written', () => {
  const target = Buffer.alloc(7)
  const end = writeRecord(target, 0, 'k', 1, new BytesPayload(Buffer.from('abc')))
  assert.equal(end, 7)
  assert.equal(target.toString('hex'), '0101006b616263')
})

test('any key and data are read back, at any place, and nothing beside them is touched', () => {
  fc.assert(
    fc.property(
      fc.option(fc.string({ unit: 'grapheme', maxLength: 256 }), { nil: undefined }),
      fc.uint8Array({ maxLength: 300 }),
      fc.nat({ max: 20 }),
      (key, data, at) => {
        const keyBytes = key === undefined ? 0 : partitionKeyBytes(key)
        const bytes = RECORD_HEADER_BYTES + keyBytes + data.length
        const target = Buffer.alloc(at + bytes + 3, 0xee)
        const end = writeRecord(target, at, key, keyBytes, new BytesPayload(data))
        assert.equal(end, at + bytes)
        const record = readRecord(target, at, end)
        assert.equal(record.partitionKey, key)
        assert.deepEqual(new Uint8Array(record.data), data)
        assert.ok(target.subarray(0, at).every((byte) => byte === 0xee))
        assert.ok(target.subarray(end).every((byte) => byte === 0xee))
      },
    ),
  )
})

test('a record without a partition key differs from one with an empty key', () => {
  const target = Buffer.alloc(3)
  writeRecord(target, 0, undefined, 0, new BytesPayload(Buffer.alloc(0)))
  assert.equal(storedKeyBytes(target, 0), -1)
  writeRecord(target, 0, '', 0, new BytesPayload(Buffer.alloc(0)))
  assert.equal(storedKeyBytes(target, 0), 0)
})

test('the longest key of three-byte characters fits its length field', () => {
  const key = '語'.repeat(256)
  const target = Buffer.alloc(RECORD_HEADER_BYTES + 768)
  writeRecord(target, 0, key, partitionKeyBytes(key), new BytesPayload(Buffer.alloc(0)))
  assert.equal(readRecord(target, 0, target.length).partitionKey, key)
})

test('a layout of another version is refused', () => {
  assert.throws(() => readRecord(Buffer.from([2, 0, 0]), 0, 3), /layout that is known/)
  assert.throws(() => readRecord(Buffer.from([1, 9, 0]), 0, 3), /holds its partition key/)
})
