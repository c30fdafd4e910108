// Appends: offsets, times, per-block results, blocks whole or not at all, big and many entries.
import assert from 'node:assert/strict'
import { type Block, blockOf, type Log } from '../engine.ts'
import {
  appended,
  block,
  failed,
  readAll,
  readTexts,
  START_MS,
  type Stand,
  type StandTest,
} from './stand.ts'

export function appendTests(test: StandTest): void {
  test('offsets of a log rise from 0, one per entry', async (stand) => {
    const log = await stand.log()
    assert.equal((await stand.append(log, 'a')).firstOffset, 0)
    assert.equal((await stand.append(log, 'b', 'c', 'd')).firstOffset, 1)
    assert.equal((await stand.append(log, 'e')).firstOffset, 4)
    assert.equal(log.next, 5)
    assert.equal(log.first, 0)
    const entries = await readAll(log)
    assert.deepEqual(
      entries.map(({ offset, bytes }) => `${offset}${bytes}`),
      ['0a', '1b', '2c', '3d', '4e'],
    )
  })

  test('entries of a block share the time of their append', async (stand) => {
    const log = await stand.log()
    assert.equal((await stand.append(log, 'a', 'b')).timeMs, START_MS)
    await stand.clock.advance(1500)
    assert.equal((await stand.append(log, 'c')).timeMs, START_MS + 1500)
    assert.equal(log.lastTimeMs, START_MS + 1500)
    assert.deepEqual(
      (await readAll(log)).map((entry) => entry.timeMs - START_MS),
      [0, 0, 1500],
    )
  })

  test('while the clock stands still times are equal and offsets rise', async (stand) => {
    const log = await stand.log()
    for (let i = 0; i < 5; i++) {
      assert.deepEqual(await stand.append(log, 'x'), {
        kind: 'appended',
        firstOffset: i,
        timeMs: START_MS,
      })
    }
  })

  test('when the clock jumps far ahead times jump with it', async (stand) => {
    const log = await stand.log()
    await stand.append(log, 'x')
    const yearMs = 365 * 24 * 3600 * 1000
    await stand.clock.advance(yearMs)
    assert.equal((await stand.append(log, 'y')).timeMs, START_MS + yearMs)
  })

  test('appending nothing gives no results', async ({ engine }) => {
    assert.deepEqual(await engine.append([]), [])
  })

  test('blocks of several logs and groups are answered in the order given', async (stand) => {
    const one = await stand.log(1, 0, 1)
    const other = stand.engine.openGroup(1).log(1)
    const two = await stand.log(2)
    await stand.append(other, 'x')
    const results = await stand.engine.append([block(two, 'a'), block(other, 'b'), block(one, 'c')])
    assert.deepEqual(
      results.map((result) => appended(result).firstOffset),
      [0, 1, 0],
    )
    assert.deepEqual(await readTexts(two), ['a'])
    assert.deepEqual(await readTexts(other), ['x', 'b'])
    assert.deepEqual(await readTexts(one), ['c'])
  })

  test('several blocks of one log in one call lie one after the other', async (stand) => {
    const log = await stand.log()
    const results = await stand.engine.append([
      block(log, 'a', 'b'),
      block(log, 'c'),
      block(log, 'd'),
    ])
    assert.deepEqual(
      results.map((result) => appended(result).firstOffset),
      [0, 2, 3],
    )
    assert.deepEqual(await readTexts(log), ['a', 'b', 'c', 'd'])
  })

  test('a block that is refused does not hinder the others of its call', async (stand) => {
    const open = await stand.log(1)
    const gated = await stand.log(2)
    const gone = await stand.log(3)
    await gated.gate()
    await stand.engine.deleteGroup(3)
    const results = await stand.engine.append([
      block(gated, 'a'),
      block(open, 'b'),
      block(gone, 'c'),
      block(open, 'd'),
    ])
    assert.equal(failed(results[0]), 'gated')
    assert.equal(appended(results[1]).firstOffset, 0)
    assert.equal(failed(results[2]), 'group-missing')
    assert.equal(appended(results[3]).firstOffset, 1)
    assert.deepEqual(await readTexts(open), ['b', 'd'])
    assert.equal(gated.next, 0)
  })

  test('a write that throws leaves nothing of its call behind', async (stand) => {
    const log = await stand.log(1)
    const other = await stand.log(2)
    await stand.append(log, 'first')
    const fault = new Error('the body ended early')
    const before = stand.engine.append([block(log, 'before')])
    const broken = stand.engine.append([
      block(log, 'lost'),
      block(other, 'lost'),
      throwing(log, fault),
      block(log, 'lost'),
    ])
    const behind = stand.engine.append([block(log, 'behind'), block(other, 'only')])
    await assert.rejects(broken, (error) => error === fault)
    assert.equal(appended((await before)[0]).firstOffset, 1)
    assert.equal(appended((await behind)[0]).firstOffset, 2)
    assert.deepEqual(await readTexts(log), ['first', 'before', 'behind'])
    assert.deepEqual(await readTexts(other), ['only'])
  })

  test('lengths and bytes of a block may change once the call has returned', async (stand) => {
    const log = await stand.log()
    const entry = Buffer.from('as it was')
    const lengths = Uint32Array.of(entry.length)
    const append = stand.engine.append([
      {
        log,
        lengths,
        count: 1,
        byteLength: entry.length,
        write: (target, at) => void entry.copy(target, at),
      },
    ])
    entry.fill('?')
    lengths[0] = 1
    appended((await append)[0])
    assert.deepEqual(await readTexts(log), ['as it was'])
  })

  test('only the first count lengths belong to the block', async (stand) => {
    const log = await stand.log()
    const [result] = await stand.engine.append([
      {
        log,
        lengths: Uint32Array.of(1, 2, 99, 99),
        count: 2,
        byteLength: 3,
        write: (target, at) => void target.write('abc', at),
      },
    ])
    appended(result)
    assert.deepEqual(await readTexts(log), ['a', 'bc'])
  })

  test('entries are opaque: empty ones and every byte come back as they went in', async (stand) => {
    const log = await stand.log()
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    await stand.append(log, '', bytes, '')
    await stand.append(log, '')
    const entries = await readAll(log)
    assert.deepEqual(
      entries.map((entry) => entry.bytes),
      [Buffer.alloc(0), bytes, Buffer.alloc(0), Buffer.alloc(0)],
    )
  })

  test('an entry of 10 MiB is kept whole between small ones', async (stand) => {
    const log = await stand.log()
    const big = patterned(10 * 1024 * 1024, 1)
    await stand.append(log, 'before')
    await stand.append(log, big)
    await stand.append(log, 'after')
    const [before, middle, after] = await readAll(log)
    assert.equal(`${before?.bytes}`, 'before')
    assert.ok(middle?.bytes.equals(big))
    assert.equal(`${after?.bytes}`, 'after')
  })

  test('a request of 500 entries over many logs is stored entry by entry', async (stand) => {
    const logIds = Array.from({ length: 20 }, (_, i) => i)
    const group = await stand.engine.createGroup(1, logIds)
    const blocks = logIds.map((id) =>
      blockOf(
        group.log(id),
        Array.from({ length: 25 }, (_, i) => patterned(1000 + i, id * 25 + i)),
      ),
    )
    const results = await stand.engine.append(blocks)
    assert.ok(results.every((result) => appended(result).firstOffset === 0))
    for (const id of logIds) {
      const entries = await readAll(group.log(id))
      assert.equal(entries.length, 25)
      for (const { offset, bytes } of entries) {
        assert.ok(bytes.equals(patterned(1000 + offset, id * 25 + offset)))
      }
    }
  })

  test('concurrent appends keep the order of their calls in every log', async (stand) => {
    const group = await stand.engine.createGroup(1, [0, 1, 2])
    const logs = [group.log(0), group.log(1), group.log(2)]
    const pending: Promise<unknown>[] = []
    const sent: string[][] = [[], [], []]
    for (let i = 0; i < 600; i++) {
      const blocks: Block[] = []
      for (const [index, log] of logs.entries()) {
        if ((i + index) % 3 === 0) continue
        const text = `${index}/${i}`
        sent[index]?.push(text)
        blocks.push(block(log, text))
      }
      pending.push(stand.engine.append(blocks))
      if (i % 50 === 49) await pending[i - 25]
    }
    await Promise.all(pending)
    for (const [index, log] of logs.entries()) {
      const entries = await readAll(log)
      assert.deepEqual(
        entries.map((entry) => `${entry.bytes}`),
        sent[index],
      )
      assert.deepEqual(
        entries.map((entry) => entry.offset),
        sent[index]?.map((_, offset) => offset),
      )
    }
  })

  test('what is acknowledged is visible: ends, times and entries', async (stand) => {
    const log = await stand.log()
    for (let i = 0; i < 20; i++) {
      await stand.clock.advance(10)
      const { firstOffset, timeMs } = await stand.append(log, `${i}`)
      assert.equal(log.next, firstOffset + 1)
      assert.equal(log.lastTimeMs, timeMs)
      assert.deepEqual(await readTexts(log, firstOffset), [`${i}`])
    }
  })

  test('an urgent append is an append', async (stand) => {
    const log = await stand.log()
    appended((await stand.engine.append([block(log, 'x')], { isUrgent: true }))[0])
    assert.deepEqual(await readTexts(log), ['x'])
  })

  test('metrics count commits and bytes, and nothing is unacknowledged at rest', async (stand) => {
    const log = await stand.log()
    const before = stand.engine.metrics()
    await appendMany(stand, log, 40)
    // An engine may be writing records of its own.
    for (let turns = 0; turns < 100 && stand.engine.metrics().bytesUnacknowledged > 0; turns++) {
      await new Promise(setImmediate)
    }
    const after = stand.engine.metrics()
    assert.ok(after.commits > before.commits)
    assert.ok(after.bytesCommitted >= before.bytesCommitted + 40 * 1000)
    assert.equal(after.bytesUnacknowledged, 0)
    assert.ok(after.commitMs.length <= 1024)
    assert.equal(stand.engine.isPressed, false)
  })

  test('following wakes on each acknowledged append until it is ended', async (stand) => {
    const log = await stand.log(1, 0, 1)
    const other = stand.engine.openGroup(1).log(1)
    const seen: number[] = []
    const end = log.follow(() => seen.push(log.next))
    await stand.append(other, 'x')
    assert.deepEqual(seen, [])
    await stand.append(log, 'a')
    assert.deepEqual(seen, [1])
    await stand.append(log, 'b', 'c')
    assert.deepEqual(seen, [1, 3])
    end()
    await stand.append(log, 'd')
    assert.deepEqual(seen, [1, 3])
  })

  test('several may follow a log; each ends for itself, also while woken', async (stand) => {
    const log = await stand.log()
    const woken = { once: 0, always: 0, twice: 0 }
    const endOnce = log.follow(() => {
      woken.once++
      endOnce()
    })
    log.follow(() => woken.always++)
    const wake = (): unknown => woken.twice++
    const endFirst = log.follow(wake)
    log.follow(wake)
    await stand.append(log, 'a')
    endFirst()
    endFirst()
    await stand.append(log, 'b')
    assert.deepEqual(woken, { once: 1, always: 2, twice: 3 })
  })

  test('a refused append wakes nobody', async (stand) => {
    const log = await stand.log()
    await log.gate()
    log.follow(() => assert.fail('woken without an append'))
    assert.equal(failed((await stand.engine.append([block(log, 'x')]))[0]), 'gated')
  })

  test('a gate drains what is in flight, gives the end and refuses the rest', async (stand) => {
    const log = await stand.log()
    await stand.append(log, 'a')
    const inFlight = Array.from({ length: 10 }, () => stand.engine.append([block(log, 'b', 'c')]))
    const gate = log.gate()
    const late = stand.engine.append([block(log, 'late')])
    assert.equal(await gate, 21)
    assert.equal(log.next, 21)
    for (const [index, [result]] of (await Promise.all(inFlight)).entries()) {
      assert.equal(appended(result).firstOffset, 1 + index * 2)
    }
    assert.equal(failed((await late)[0]), 'gated')
    assert.equal(failed((await stand.engine.append([block(log, 'x')]))[0]), 'gated')
    assert.equal(log.next, 21)
    assert.equal((await readTexts(log)).length, 21)
  })

  test('a released log goes on where it was gated', async (stand) => {
    const log = await stand.log(1)
    const other = await stand.log(2)
    await stand.append(log, 'a')
    assert.equal(await log.gate(), 1)
    assert.equal(await log.gate(), 1)
    await stand.append(other, 'not gated')
    log.release()
    assert.equal((await stand.append(log, 'b')).firstOffset, 1)
    assert.equal(await log.gate(), 2)
    log.release()
    assert.deepEqual(await readTexts(log), ['a', 'b'])
  })
}

async function appendMany(stand: Stand, log: Log, count: number): Promise<void> {
  const appends = Array.from({ length: count }, (_, i) => stand.append(log, patterned(1000, i)))
  await Promise.all(appends)
}

function throwing(log: Log, fault: Error): Block {
  return {
    log,
    lengths: [4],
    count: 1,
    byteLength: 4,
    write() {
      throw fault
    },
  }
}

/** Bytes that differ by place and by seed. */
export function patterned(length: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >>> 8) + seed * 17) & 0xff
  return bytes
}
