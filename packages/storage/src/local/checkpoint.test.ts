import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts'

const LOGS = [
  { id: 0, next: 12, firstKept: 3, lastTimeMs: 1_000_001 },
  { id: 7, next: 2 ** 40, firstKept: 0, lastTimeMs: 5 },
]

const CHECKPOINT: Checkpoint = {
  sequence: 9,
  isReused: true,
  previous: { sequence: 8, usedBytes: 4096, chain: 0xdeadbeef },
  controlNext: 5,
  controlTimeMs: 77,
  sealedThrough: 6,
  usedGroupIds: [[1, 4]],
  groups: [
    {
      id: 2,
      trimMs: 42,
      segments: [
        { sequence: 3, bytes: 300, newestMs: 41 },
        { sequence: 5, bytes: 700, newestMs: 44 },
      ],
      logCount: 2,
      eachLog: (visit) => LOGS.forEach(visit),
    },
    { id: 4, trimMs: 0, segments: [], logCount: 0, eachLog: () => {} },
  ],
}

function plain(checkpoint: Checkpoint | undefined): unknown {
  assert.ok(checkpoint)
  const groups = [...checkpoint.groups].map(({ id, trimMs, segments, eachLog }) => {
    const logs: unknown[] = []
    eachLog((log) => logs.push(log))
    return { id, trimMs, segments, logs }
  })
  return { ...checkpoint, groups }
}

test('a checkpoint is read as it was written', () => {
  assert.deepEqual(plain(decodeCheckpoint(encodeCheckpoint(CHECKPOINT))), plain(CHECKPOINT))
})

test('a checkpoint that does not know of segments is read, and says so', () => {
  const bytes = encodeCheckpoint({
    ...CHECKPOINT,
    groups: [...CHECKPOINT.groups].map((group) => ({
      ...group,
      segments: [],
      eachLog: group.eachLog,
    })),
  })
  // Layout 1: without the 8 bytes at 56, and without the last 8 of each group.
  const rangesEnd = 64 + 8
  const secondGroup = rangesEnd + 24 + 2 * 28
  const old = Buffer.concat([
    bytes.subarray(0, 56),
    bytes.subarray(64, rangesEnd + 16),
    bytes.subarray(rangesEnd + 24, secondGroup + 16),
  ])
  old.writeUInt32LE(1, 0)
  const found = decodeCheckpoint(old)
  assert.equal(found?.sealedThrough, undefined)
  const groups = [...CHECKPOINT.groups].map((group) => ({ ...group, segments: [] }))
  assert.deepEqual(plain(found), plain({ ...CHECKPOINT, sealedThrough: undefined, groups }))
})

test('bytes of another layout, or cut short, are no checkpoint', () => {
  const bytes = encodeCheckpoint(CHECKPOINT)
  assert.equal(decodeCheckpoint(bytes.subarray(0, -1)), undefined)
  assert.equal(decodeCheckpoint(bytes.subarray(0, 20)), undefined)
  bytes.writeUInt32LE(3, 0)
  assert.equal(decodeCheckpoint(bytes), undefined)
})
