import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  BLOCK_PREFIX_BYTES,
  type BlockPlace,
  identityOf,
  readBlockPrefix,
  readFoot,
  readHead,
  SEGMENT_HEAD_BYTES,
  type SegmentFacts,
  segmentName,
  segmentSequenceOf,
  writeBlockPrefix,
  writeFoot,
  writeHead,
} from './segment.ts'
import {
  BLOCKS_PER_PAGE,
  IndexBuilder,
  isPageWhole,
  LOGS_PER_PAGE,
  layoutOf,
  pagePlace,
  SegmentIndex,
} from './segment-index.ts'

const FACTS: SegmentFacts = {
  groupId: 3,
  sequence: 7,
  generation: 0x1122_3344_5566_7788n,
  blockCount: 1,
  logCount: 1,
  blocksEnd: 128,
  newestMs: 1_767_225_600_000,
}

test('a head is these very bytes', () => {
  const head = Buffer.alloc(SEGMENT_HEAD_BYTES)
  writeHead(head, 0, FACTS)
  assert.equal(
    head.toString('hex').replace(/.{16}/g, '$& ').trim(),
    '4d4c534701000000 0300000001000000 0000000000001c40 8877665544332211 ' +
      '0000000000006040 0100000000000000 000080aa6db77942 00000000' +
      head.toString('hex', 60),
  )
  assert.deepEqual(readHead(head, 0), FACTS)
  assert.equal(readFoot(head, 0), undefined)
})

test('the worked example of the format has the sizes it says', () => {
  const layout = layoutOf(FACTS)
  assert.equal(layout.footAt, 236)
  assert.equal(layout.fileBytes, 300)
})

test('a head or foot with any bit changed is none', () => {
  for (const [write, read] of [
    [writeHead, readHead],
    [writeFoot, readFoot],
  ] as const) {
    const bytes = Buffer.alloc(SEGMENT_HEAD_BYTES)
    write(bytes, 0, FACTS)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      assert.equal(read(bytes, 0), undefined)
      bytes[bit >> 3]! ^= 1 << (bit & 7)
    }
    assert.deepEqual(read(bytes, 0), FACTS)
  }
})

test('a prefix belongs to its segment alone', () => {
  const prefix = Buffer.alloc(BLOCK_PREFIX_BYTES)
  writeBlockPrefix(prefix, 0, identityOf(FACTS), 43, 99)
  assert.deepEqual(readBlockPrefix(prefix, 0, identityOf(FACTS)), { bytes: 43, crc: 99 })
  const other = identityOf({ ...FACTS, generation: 1n })
  assert.equal(readBlockPrefix(prefix, 0, other), undefined)
})

test('a segment’s name is its journal sequence', () => {
  assert.equal(segmentName(42), '00000000000000000042.segment')
  assert.equal(segmentSequenceOf(segmentName(42)), 42)
  for (const name of ['42.segment', `${'0'.repeat(20)}.segment`, `${segmentName(1)}.new`, 'x']) {
    assert.equal(segmentSequenceOf(name), undefined)
  }
})

interface SampleLog {
  readonly id: number
  readonly blocks: readonly BlockPlace[]
}

/** Logs by rising id, each of blocks with rising offsets and times, some with gaps. */
const logs: fc.Arbitrary<SampleLog[]> = fc
  .array(
    fc.record({
      step: fc.integer({ min: 1, max: 50_000_000 }),
      blocks: fc.array(
        fc.record({
          count: fc.integer({ min: 1, max: 9 }),
          gap: fc.nat({ max: 2 }),
          ms: fc.nat(3),
        }),
        { minLength: 1, maxLength: 12 },
      ),
    }),
    { minLength: 1, maxLength: 60, size: 'max' },
  )
  .map((sample) => {
    let id = -1
    let position = 0
    return sample.map(({ step, blocks }) => {
      id += step
      let offset = 0
      let timeMs = 1000
      return {
        id,
        blocks: blocks.map(({ count, gap, ms }) => {
          const firstOffset = offset + gap
          offset = firstOffset + count
          timeMs += ms
          position += 8
          return { firstOffset, timeMs, count, position, bytes: count, crc: position }
        }),
      }
    })
  })

function build(sample: readonly SampleLog[]): { index: SegmentIndex; facts: SegmentFacts } {
  const all = sample.flatMap(({ id, blocks }) => blocks.map((block) => ({ id, block })))
  const builder = new IndexBuilder(all.length)
  for (const { id, block } of all) builder.add(id, block)
  const { blockCount, logCount, newestMs } = builder
  const facts = { ...FACTS, blockCount, logCount, newestMs, blocksEnd: 64 + blockCount * 8 }
  const bytes = builder.finish(facts)
  const layout = layoutOf(facts)
  const index = new SegmentIndex(facts, (page) => {
    const place = pagePlace(facts, layout, page)
    const at = place.position - facts.blocksEnd
    const slice = bytes.subarray(at, at + place.bytes)
    assert.ok(isPageWhole(slice, identityOf(facts), page))
    assert.ok(!isPageWhole(slice, identityOf(facts), page + 1))
    return slice
  })
  assert.equal(bytes.length, layout.fileBytes - facts.blocksEnd)
  assert.deepEqual(readFoot(bytes, bytes.length - SEGMENT_HEAD_BYTES), facts)
  return { index, facts }
}

async function assertFinds(index: SegmentIndex, { id, blocks }: SampleLog): Promise<void> {
  const log = await index.log(id)
  assert.ok(log)
  const last = blocks.at(-1)!
  assert.equal(log.blockCount, blocks.length)
  assert.equal(log.firstOffset, blocks[0]?.firstOffset)
  assert.equal(log.endOffset, last.firstOffset + last.count)
  assert.equal(log.firstTimeMs, blocks[0]?.timeMs)
  assert.equal(log.lastTimeMs, last.timeMs)
  for (const [number, block] of blocks.entries()) {
    assert.deepEqual(await index.block(log.firstBlock + number), block)
    for (const offset of [
      block.firstOffset - 1,
      block.firstOffset,
      block.firstOffset + block.count,
    ]) {
      const expected = blocks.findIndex((one) => one.firstOffset + one.count > offset)
      const end = expected < 0 ? blocks.length : expected
      assert.equal(await index.blockAtOffset(log, offset), log.firstBlock + end)
    }
    for (const timeMs of [block.timeMs, block.timeMs + 1]) {
      const expected = blocks.findIndex((one) => one.timeMs >= timeMs)
      const end = expected < 0 ? blocks.length : expected
      assert.equal(await index.blockAtTime(log, timeMs), log.firstBlock + end)
    }
  }
}

test('an index finds every log and block that went into it, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(logs, fc.nat({ max: 0xffff_ffff }), async (sample, wanted) => {
      const { index, facts } = build(sample)
      for (const log of sample) await assertFinds(index, log)
      const ids = sample.map(({ id }) => id)
      for (const id of [wanted, ...ids.map((one) => one + 1)]) {
        if (ids.includes(id)) continue
        assert.equal(await index.log(id), undefined)
        const next = sample.find((log) => log.id > id)
        const first = next === undefined ? facts.blockCount : (await index.log(next.id))?.firstBlock
        assert.equal(await index.firstBlockFrom(id), first)
      }
    }),
    { numRuns: 40 },
  )
})

test('tables that end on, before and behind the end of a page are found whole', async () => {
  for (const count of [
    1,
    LOGS_PER_PAGE,
    LOGS_PER_PAGE + 1,
    BLOCKS_PER_PAGE,
    BLOCKS_PER_PAGE + 1,
    300,
  ]) {
    const sample = Array.from({ length: count }, (_, i) => ({
      id: i * 3,
      blocks: [{ firstOffset: i, timeMs: i, count: 1, position: i, bytes: i, crc: i }],
    }))
    const { index } = build(sample)
    for (const log of sample) await assertFinds(index, log)
    assert.equal(await index.log(1), undefined)
    assert.equal(await index.log(count * 3), undefined)
  }
})
