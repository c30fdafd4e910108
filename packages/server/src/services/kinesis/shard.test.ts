import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceClock } from '@millrace/base/clock'
import { blockOf } from '@millrace/storage/engine'
import { MemoryEngine } from '@millrace/storage/memory-engine'
import { parseSequenceNumber } from '@millrace/wire/sequence-number'
import fc from 'fast-check'
import { Shard } from './shard.ts'
import type { ShardFacts } from './stream-facts.ts'

const START_MS = 1_777_000_000_000

interface Bench {
  readonly shard: Shard
  readonly facts: ShardFacts
  readonly clock: ServiceClock
  put(count: number, bytes?: number): Promise<void>
}

/** A shard that begins at an offset of a log that held another one's records before. */
async function bench(
  options: { readonly baseOffset?: number; readonly limits?: 'aws' | 'none' } = {},
): Promise<Bench> {
  const clock = new ServiceClock({ wall: () => START_MS })
  const engine = new MemoryEngine({ clock })
  const log = (await engine.createGroup(1, [5])).log(5)
  const entry = (bytes: number) => Buffer.concat([Buffer.from([1, 0, 0]), Buffer.alloc(bytes)])
  const put = async (count: number, bytes = 0): Promise<void> => {
    await engine.append([
      blockOf(
        log,
        Array.from({ length: count }, () => entry(bytes)),
      ),
    ])
  }
  const baseOffset = options.baseOffset ?? 0
  if (baseOffset > 0) await put(baseOffset)
  const facts: ShardFacts = {
    number: 5,
    startingHashKey: '0',
    endingHashKey: '1',
    createdSeconds: START_MS / 1000 - 2,
    baseOffset,
  }
  const owner = { name: 's', account: '123456789012', horizonMs: () => 0 }
  const limits = options.limits ?? 'none'
  return { shard: new Shard(owner, facts, log, { limits }, clock), facts, clock, put }
}

test('the first record of a shard has counter 1, wherever its log stands', async () => {
  for (const baseOffset of [0, 40]) {
    const { shard, put } = await bench({ baseOffset })
    assert.equal(shard.tip, baseOffset)
    await put(1)
    const page = await shard.read(0, 10, START_MS)
    assert.equal(page.count, 1, 'nothing of the earlier shard is read')
    assert.equal(page.batches[0]?.firstOffset, baseOffset)
    const number = shard.readAt(baseOffset, START_MS).toString()
    assert.equal(parseSequenceNumber(number)?.counter, 1n)
    assert.equal(parseSequenceNumber(number)?.shardNumber, 5)
  }
})

test('the offset behind a number is that of the definition, whatever the number', async () => {
  const { shard, clock, put } = await bench({ baseOffset: 3 })
  const stored: { offset: number; value: bigint }[] = []
  for (let i = 0; i < 12; i++) {
    const offset = shard.tip
    await put(1)
    stored.push({ offset, value: BigInt(shard.readAt(offset, clock.now()).toString()) })
    if (i % 3 === 0) await clock.advance(1700)
  }
  const anyNumber = fc
    .tuple(
      fc.nat({ max: 11 }),
      fc.bigInt({ min: -(1n << 81n), max: 1n << 81n }),
      fc.nat({ max: 3 }),
    )
    .map(([index, noise, kind]) => {
      const { value } = stored[index] ?? { value: 0n }
      return value + [0n, noise, 1n << 36n, -(1n << 36n)][kind]!
    })
  await fc.assert(
    fc.asyncProperty(anyNumber, fc.boolean(), async (value, isAfter) => {
      const number = parseSequenceNumber(value.toString())
      fc.pre(number?.version === 2 && (number.counter ?? 0n) <= 13n)
      const expected = stored.find((each) => (isAfter ? each.value > value : each.value >= value))
      const offset = await shard.offsetFrom(number, isAfter)
      if (expected === undefined) assert.ok(offset >= shard.tip)
      else assert.equal(Math.max(offset, 3), expected.offset)
    }),
    { numRuns: 300 },
  )
})

test('a closed shard ends at its recorded offset, whatever lies behind it', async () => {
  const { shard, facts, put } = await bench()
  await put(4)
  facts.closed = { atMs: START_MS, endOffset: 3 }
  const page = await shard.read(0, 10, START_MS)
  assert.equal(page.count, 3)
  assert.equal(page.next, 3)
  assert.ok(page.isAtEnd)
  assert.equal(shard.tip, 3)
  assert.equal(await shard.offsetAt(START_MS + 1), 3)
  const end = await shard.read(3, 10, START_MS)
  assert.deepEqual([end.count, end.isAtEnd, end.isAtTip], [0, true, true])
})

test('a page ends where the next record would pass its bytes, and says where it goes on', async () => {
  const { shard, put } = await bench()
  const mib = 1024 * 1024
  await put(1, 4 * mib)
  await put(2, 4 * mib)
  const page = await shard.read(0, 10_000, START_MS)
  assert.deepEqual([page.count, page.bytes, page.next, page.isAtTip], [2, 8 * mib, 2, false])
})

test('write rates admit while above zero, go into debt and recover with time', async () => {
  const { shard } = await bench({ limits: 'aws' })
  assert.ok(shard.admitRecord(3 * 1024 * 1024, START_MS))
  assert.ok(!shard.admitRecord(0, START_MS + 2000))
  assert.ok(shard.admitRecord(0, START_MS + 2001))
})

test('what is given back may be taken again', async () => {
  const { shard } = await bench({ limits: 'aws' })
  for (let i = 0; i < 1000; i++) assert.ok(shard.admitRecord(1000, START_MS))
  assert.ok(!shard.admitRecord(0, START_MS))
  shard.giveBack(1, 1000)
  assert.ok(shard.admitRecord(1000, START_MS))
  assert.ok(!shard.admitRecord(0, START_MS))
})

test('rates of reads, positions and writes are apart', async () => {
  const { shard } = await bench({ limits: 'aws' })
  for (let i = 0; i < 5; i++) assert.ok(shard.admitRead(START_MS))
  assert.ok(!shard.admitRead(START_MS))
  for (let i = 0; i < 5; i++) assert.ok(shard.admitIterator(START_MS))
  assert.ok(!shard.admitIterator(START_MS))
  assert.ok(shard.admitRecord(1, START_MS))
})
