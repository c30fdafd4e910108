import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Command } from '../../platform/fold.ts'
import { evenShards } from './new-stream.ts'
import type { StreamFacts } from './stream-facts.ts'
import { StreamFold } from './stream-fold.ts'

function created(groupId: number, name: string): Command {
  const stream: StreamFacts = {
    account: '1',
    region: 'r',
    name,
    groupId,
    version: 1,
    createdMs: 1000,
    mode: 'PROVISIONED',
    creatingUntilMs: 0,
    updatingUntilMs: 0,
    retentionHours: 24,
    expiredBeforeMs: 0,
    maxRecordKiB: 1024,
    tags: {},
    shards: evenShards(2, 1),
  }
  return { kind: 'kinesis.stream-created', version: 1, stream }
}

/** Commands as concurrent deciders might send them: right and wrong versions, names and groups. */
const command: fc.Arbitrary<Command> = fc.oneof(
  fc
    .tuple(fc.integer({ min: 2, max: 6 }), fc.constantFrom('a', 'b', 'c'))
    .map(([groupId, name]) => created(groupId, name)),
  fc
    .tuple(
      fc.integer({ min: 2, max: 6 }),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom(
        { kind: 'kinesis.tags-changed', tags: { a: '1' } },
        { kind: 'kinesis.stream-deleting', deletingUntilMs: 5 },
        {
          kind: 'kinesis.retention-changed',
          retentionHours: 48,
          expiredBeforeMs: 7,
          updatingUntilMs: 9,
        },
        { kind: 'kinesis.shards-expired', numbers: [0] },
        { kind: 'kinesis.stream-deleted', lastSecond: 3, forgetBeforeSecond: 2 },
        { kind: 'kinesis.stream-deleted', lastSecond: 1, forgetBeforeSecond: 2 },
      ),
    )
    .map(([groupId, onVersion, change]) => ({ ...change, version: 1, groupId, onVersion })),
)

test('a snapshot at any point and the commands behind it give the same state', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 30 }), fc.nat(30), (commands, cut) => {
      const whole = new StreamFold()
      for (const each of commands) whole.apply(each)
      const early = new StreamFold()
      for (const each of commands.slice(0, cut)) early.apply(each)
      const late = new StreamFold()
      late.restore(JSON.parse(JSON.stringify(early.snapshot())))
      for (const each of commands.slice(cut)) late.apply(each)
      assert.deepEqual(late.snapshot(), whole.snapshot())
    }),
  )
})

test('a command that loses changes nothing, one that wins raises the version or ends the stream', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
      const fold = new StreamFold()
      for (const each of commands) {
        const before = fold.snapshot()
        const groupId = (each.groupId ?? (each.stream as StreamFacts).groupId) as number
        const version = fold.byGroup(groupId)?.version
        if (!fold.apply(each)) assert.deepEqual(fold.snapshot(), before)
        else if (each.kind === 'kinesis.stream-created') assert.equal(version, undefined)
        else if (each.kind === 'kinesis.stream-deleted') {
          assert.equal(fold.byGroup(groupId), undefined)
        } else assert.equal(fold.byGroup(groupId)?.version, (version ?? 0) + 1)
      }
    }),
  )
})

test('of two commands decided on the same version the first wins', () => {
  const fold = new StreamFold()
  assert.equal(fold.apply(created(2, 'a')), true)
  assert.equal(fold.apply(created(3, 'a')), false)
  assert.equal(fold.apply(created(2, 'b')), false)
  const change = { kind: 'kinesis.tags-changed', version: 1, groupId: 2, onVersion: 1 }
  assert.equal(fold.apply({ ...change, tags: { a: '1' } }), true)
  assert.equal(fold.apply({ ...change, tags: { a: '2' } }), false)
  assert.deepEqual(fold.find('1', 'r', 'a')?.tags, { a: '1' })
})

test('the last second of a deleted name is remembered until it is told to be forgotten', () => {
  const fold = new StreamFold()
  const end = (groupId: number, lastSecond: number, forgetBeforeSecond: number): Command => ({
    kind: 'kinesis.stream-deleted',
    version: 1,
    groupId,
    onVersion: 1,
    lastSecond,
    forgetBeforeSecond,
  })
  fold.apply(created(2, 'a'))
  fold.apply(end(2, 100, 0))
  fold.apply(created(3, 'b'))
  fold.apply(end(3, 200, 100))
  assert.equal(fold.lastSecond('1', 'r', 'a'), 100)
  fold.apply(created(4, 'c'))
  fold.apply(end(4, 300, 101))
  assert.equal(fold.lastSecond('1', 'r', 'a'), undefined)
  assert.equal(fold.lastSecond('1', 'r', 'b'), 200)
  assert.equal(fold.groupIdMax, 4)
})

test('facts objects stay the same through changes, so that streams in use see them', () => {
  const fold = new StreamFold()
  fold.apply(created(2, 'a'))
  const facts = fold.byGroup(2)
  const shard = facts?.shards[1]
  fold.apply({
    kind: 'kinesis.shards-expired',
    version: 1,
    groupId: 2,
    onVersion: 1,
    numbers: [0],
  })
  assert.equal(fold.byGroup(2), facts)
  assert.deepEqual(
    facts?.shards.map((each) => each.number),
    [1],
  )
  assert.equal(facts?.shards[0], shard)
})
