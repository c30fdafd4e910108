import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import {
  chainOf,
  DIRECTORY_ENTRY_BYTES,
  FRAME_COMMIT,
  FRAME_HEADER_BYTES,
  finishFrame,
  firstChain,
  frameBytes,
  isBlockWhole,
  isDirectoryWhole,
  readDirectoryEntry,
  readFrameHeader,
  resemblesFrame,
  writeDirectoryEntry,
} from './frame.ts'

const bodies = fc.array(fc.uint8Array({ minLength: 32, maxLength: 700 }), { maxLength: 12 })
const place = {
  kind: FRAME_COMMIT,
  generation: 0x1234_5678_9abc_def0n,
  sequence: 7,
  position: 1024,
  previousChain: 99,
}

/** A frame of raw byte strings, as the group commit would build it, at `at` of a dirty buffer. */
function build(blocks: readonly Uint8Array[], at: number): { frame: Buffer; bytes: number } {
  const bodyBytes = blocks.reduce((sum, block) => sum + block.length, 0)
  const frame = Buffer.alloc(at + frameBytes(bodyBytes, blocks.length) + 64, 0xee)
  const directory = Buffer.alloc(DIRECTORY_ENTRY_BYTES * blocks.length, 0xdd)
  let to = FRAME_HEADER_BYTES
  blocks.forEach((block, i) => {
    frame.set(block, at + to)
    writeDirectoryEntry(
      directory,
      i,
      i + 1,
      i * 3,
      i * 1e12,
      i + 0.5,
      4,
      to,
      block.length,
      crc32(block),
    )
    to += block.length
  })
  const bytes = finishFrame(frame, at, bodyBytes, directory, blocks.length, place)
  return { frame, bytes }
}

test('a frame reads back as it was written, wherever it lies in its buffer', () => {
  fc.assert(
    fc.property(bodies, fc.nat(3), (blocks, sectors) => {
      const at = sectors * 512
      const { frame, bytes } = build(blocks, at)
      const header = readFrameHeader(frame, at)
      assert.ok(header)
      assert.equal(bytes % 512, 0)
      assert.equal(header.frameBytes, bytes)
      assert.equal(header.blockCount, blocks.length)
      assert.equal(header.chain, chainOf(frame, at))
      assert.deepEqual(
        { ...place },
        {
          kind: header.kind,
          generation: header.generation,
          sequence: header.sequence,
          position: header.position,
          previousChain: header.previousChain,
        },
      )
      assert.ok(isDirectoryWhole(header, frame, at + header.directoryAt))
      blocks.forEach((block, i) => {
        const entry = readDirectoryEntry(frame, at + header.directoryAt + i * DIRECTORY_ENTRY_BYTES)
        assert.deepEqual(
          frame.subarray(at + entry.at, at + entry.at + entry.bytes),
          Buffer.from(block),
        )
        assert.equal(entry.crc, crc32(block))
        assert.equal(entry.firstOffset, i * 1e12)
        assert.equal(entry.timeMs, i + 0.5)
      })
      const end = header.directoryAt + header.directoryBytes
      assert.ok(frame.subarray(at + end, at + bytes).every((byte) => byte === 0))
      assert.equal(frame[at + bytes], 0xee)
    }),
  )
})

test('a flipped bit in header or directory is noticed', () => {
  fc.assert(
    fc.property(bodies, fc.nat(), fc.nat(7), (blocks, where, bit) => {
      const { frame } = build(blocks, 0)
      const whole = readFrameHeader(frame, 0)
      assert.ok(whole)
      const places = FRAME_HEADER_BYTES + whole.directoryBytes
      const chosen = where % places
      const at =
        chosen < FRAME_HEADER_BYTES ? chosen : whole.directoryAt + chosen - FRAME_HEADER_BYTES
      frame[at] = frame[at]! ^ (1 << bit)
      const header = readFrameHeader(frame, 0)
      assert.ok(header === undefined || !isDirectoryWhole(header, frame, header.directoryAt))
    }),
  )
})

test('a block is whole only as itself', () => {
  const block = Buffer.alloc(32 + 4 + 3)
  block.writeUInt32LE(3, 0)
  block.writeUInt32LE(1, 4)
  block.writeDoubleLE(7, 8)
  block.writeUInt32LE(1, 24)
  block.writeUInt32LE(3, 28)
  block.writeUInt32LE(3, 32)
  block.write('abc', 36)
  const crc = crc32(block)
  assert.ok(isBlockWhole(block, 0, 39, crc, 3, 1, 7, 1))
  assert.ok(!isBlockWhole(block, 0, 39, crc, 4, 1, 7, 1))
  assert.ok(!isBlockWhole(block, 0, 39, crc, 3, 2, 7, 1))
  assert.ok(!isBlockWhole(block, 0, 39, crc, 3, 1, 8, 1))
  assert.ok(!isBlockWhole(block, 0, 39, crc, 3, 1, 7, 2))
  block[38] = 0
  assert.ok(!isBlockWhole(block, 0, 39, crc, 3, 1, 7, 1))
})

test('each use of a file begins a chain of its own', () => {
  assert.notEqual(firstChain(1n, 1), firstChain(2n, 1))
  assert.notEqual(firstChain(1n, 1), firstChain(1n, 2))
})

test('a damaged header is still recognised as one, left-over bytes are not', () => {
  const { frame } = build([Buffer.alloc(40)], 0)
  const { generation, sequence, position } = place
  assert.ok(resemblesFrame(frame, 0, generation, sequence, position))
  frame[0] = frame[0]! ^ 1
  assert.ok(resemblesFrame(frame, 0, generation, sequence, position))
  const older = build([Buffer.alloc(40)], 0).frame
  assert.ok(!resemblesFrame(older, 0, generation + 1n, sequence + 1, position))
  assert.ok(!resemblesFrame(Buffer.alloc(512), 0, generation, sequence, position))
})
