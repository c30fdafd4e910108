// Data that isn't base64 is found out late, when it would be written; a client must not notice. Whatever
// else is the matter with a request, the first such data is what it is told, nothing of the request is
// stored, and the rates are as if it had never come.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceClock } from '@millrace/base/clock'
import { seededRandom } from '@millrace/base/random'
import { SimulatedDisk } from '@millrace/storage/simulated-disk'
import fc from 'fast-check'
import { type App, createApp } from '../../app.ts'
import { settingsWith } from '../../config.ts'
import { makeFolds } from '../../folds.ts'
import { foldInline } from '../../platform/snapshot-fold.ts'

const STREAM = 'orders'
const SHARDS = 2
const RECORDS_PER_SECOND = 1000
const HALF = 1n << 127n

async function openApp(engine: 'memory' | 'local'): Promise<App> {
  const app = await createApp(settingsWith({ data: '/data', engine }), {
    disk: new SimulatedDisk({ random: seededRandom(1) }),
    clock: new ServiceClock({ wall: () => 1_000_000 }),
    random: seededRandom(2),
    snapshotFold: foldInline(makeFolds),
  })
  await send(app, 'CreateStream', { StreamName: STREAM, ShardCount: SHARDS })
  return app
}

async function send(
  app: App,
  operation: string,
  body: object,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const reply = await app.inject({ operation, body })
  return { status: reply.status, body: reply.text === '' ? {} : reply.json() }
}

function records(count: number, shard: number): object[] {
  const ExplicitHashKey = String(HALF * BigInt(shard))
  return Array.from({ length: count }, () => ({ Data: 'AAAA', PartitionKey: 'k', ExplicitHashKey }))
}

/** How many records a shard takes until it is throttled. */
async function room(app: App, shard: number): Promise<number> {
  let taken = 0
  for (;;) {
    const Records = records(500, shard)
    const { body } = await send(app, 'PutRecords', { StreamName: STREAM, Records })
    const failed = Number(body.FailedRecordCount)
    taken += 500 - failed
    if (failed > 0) return taken
  }
}

async function stored(app: App): Promise<number> {
  let count = 0
  for (let shard = 0; shard < SHARDS; shard++) {
    await app.advance(2000)
    const ShardId = `shardId-00000000000${shard}`
    const position = { StreamName: STREAM, ShardId, ShardIteratorType: 'TRIM_HORIZON' }
    let next = (await send(app, 'GetShardIterator', position)).body.ShardIterator
    for (;;) {
      await app.advance(2000)
      const { body } = await send(app, 'GetRecords', { ShardIterator: next })
      count += (body.Records as unknown[]).length
      next = body.NextShardIterator
      if (body.MillisBehindLatest === 0) break
    }
  }
  return count
}

/** Data whose faults show at different moments, and what is said of it. */
const BAD: readonly (readonly [string, string])[] = [
  ['A!AA', "'A!AA' can not be converted to a Blob: Invalid Base64 character: '!'"],
  ['AA\nA', "'AA\nA' can not be converted to a Blob: Invalid Base64 character: '\n'"],
  ['AAA=AAAA', "'AAA=AAAA' can not be converted to a Blob: Invalid Base64 character: '='"],
  ['A_AA', "'A_AA' can not be converted to a Blob: Invalid Base64 character: '_'"],
  [
    'AAAAA',
    "'AAAAA' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: 5",
  ],
]

/** What else may be wrong, on the way from the types to the answer. */
const TROUBLES = [
  'nothing',
  'a later type',
  'a constraint',
  'a required member',
  'the hash key',
  'the stream',
  'a dry run',
  'another account',
] as const

interface Case {
  readonly count: number
  readonly bad: readonly (readonly [number, readonly [string, string]])[]
  readonly trouble: (typeof TROUBLES)[number]
  /** Records that each shard has taken in this second already. */
  readonly used: number
  readonly isSingle: boolean
}

const anyCase: fc.Arbitrary<Case> = fc
  .record({
    count: fc.integer({ min: 1, max: 100 }),
    bad: fc.array(fc.tuple(fc.nat(), fc.constantFrom(...BAD)), { minLength: 1, maxLength: 2 }),
    trouble: fc.oneof(fc.constant('nothing' as const), fc.constantFrom(...TROUBLES)),
    used: fc.constantFrom(0, 990, 990, 1000),
    isSingle: fc.nat({ max: 3 }).map((n) => n === 0),
  })
  .map((each) => ({
    ...each,
    bad: each.bad
      .map(([at, fault]) => [each.isSingle ? 0 : at % each.count, fault] as const)
      .sort(([a], [b]) => a - b),
  }))

function requestOf({ count, bad, trouble, isSingle }: Case): [string, object, string] {
  const sent = Array.from({ length: isSingle ? 1 : count }, (_, i) => ({
    Data: 'AAAA',
    PartitionKey: 'k',
    ExplicitHashKey: i % 2 === 0 ? '0' : String(HALF),
  })) as Record<string, unknown>[]
  let message = ''
  for (const [at, [Data, complaint]] of bad.toReversed()) {
    sent[at] = { ...sent[at], Data }
    message = complaint
  }
  const last = sent.length - 1
  if (trouble === 'a later type') sent[last] = { ...sent[last], PartitionKey: 1 }
  if (trouble === 'a constraint') sent[0] = { ...sent[0], PartitionKey: '' }
  if (trouble === 'a required member') delete sent[0]?.PartitionKey
  if (trouble === 'the hash key') sent[0] = { ...sent[0], ExplicitHashKey: String(HALF * 2n) }
  const request = {
    StreamName: trouble === 'the stream' ? 'others' : STREAM,
    ...(trouble === 'another account'
      ? { StreamARN: `arn:aws:kinesis:us-east-1:210987654321:stream/${STREAM}` }
      : {}),
    ...(trouble === 'a dry run' ? { DryRun: true } : {}),
  }
  return isSingle
    ? ['PutRecord', { ...request, ...sent[0] }, message]
    : ['PutRecords', { ...request, Records: sent }, message]
}

for (const engine of ['memory', 'local'] as const) {
  test(`${engine}: data that is not base64 is what a request is told, and it costs nothing`, async () => {
    const app = await openApp(engine)
    let acknowledged = 0
    await fc.assert(
      fc.asyncProperty(anyCase, async (each) => {
        await app.advance(1000)
        for (let shard = 0; shard < SHARDS; shard++) {
          for (let left = each.used; left > 0; left -= 500) {
            const Records = records(Math.min(left, 500), shard)
            const { body } = await send(app, 'PutRecords', { StreamName: STREAM, Records })
            assert.equal(body.FailedRecordCount, 0)
          }
        }
        const [operation, body, message] = requestOf(each)
        assert.deepEqual(await send(app, operation, body), {
          status: 400,
          body: { __type: 'SerializationException', Message: message },
        })
        for (let shard = 0; shard < SHARDS; shard++) {
          assert.equal(await room(app, shard), RECORDS_PER_SECOND - each.used)
        }
        acknowledged += SHARDS * RECORDS_PER_SECOND
      }),
      { numRuns: 60 },
    )
    assert.equal(await stored(app), acknowledged)
    await app.close()
  })
}
