import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kinesis } from '@millrace/wire/services/kinesis'
import fc from 'fast-check'
import { ACCOUNT, START_MS, testKinesis, wireError } from '../testing.ts'

test('ListStreams names streams in order, with summaries', async () => {
  const { call } = await testKinesis()
  await call(kinesis.CreateStream, { StreamName: 'b', ShardCount: 1 })
  await call(kinesis.CreateStream, { StreamName: 'a' })
  await call(kinesis.CreateStream, { StreamName: 'c' }, { region: 'eu-west-1' })
  const StreamCreationTimestamp = Math.floor(START_MS / 1000) * 1000
  assert.deepEqual(await call(kinesis.ListStreams, {}), {
    StreamNames: ['a', 'b'],
    HasMoreStreams: false,
    StreamSummaries: [
      {
        StreamName: 'a',
        StreamARN: `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/a`,
        StreamStatus: 'ACTIVE',
        StreamModeDetails: { StreamMode: 'ON_DEMAND' },
        StreamCreationTimestamp,
      },
      {
        StreamName: 'b',
        StreamARN: `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/b`,
        StreamStatus: 'ACTIVE',
        StreamModeDetails: { StreamMode: 'PROVISIONED' },
        StreamCreationTimestamp,
      },
    ],
  })
})

test('streams being made or deleted are listed, deleted ones are not', async () => {
  const { advance, call } = await testKinesis({ transitionMs: 500 })
  await call(kinesis.CreateStream, { StreamName: 'a' })
  await call(kinesis.CreateStream, { StreamName: 'b' })
  await call(kinesis.DeleteStream, { StreamName: 'b' })
  const before = await call(kinesis.ListStreams, {})
  assert.deepEqual(
    before.StreamSummaries?.map((stream) => [stream.StreamName, stream.StreamStatus]),
    [
      ['a', 'CREATING'],
      ['b', 'DELETING'],
    ],
  )
  await advance(500)
  assert.deepEqual((await call(kinesis.ListStreams, {})).StreamNames, ['a'])
})

test('pages by name and pages by token both make up the list', async () => {
  const { call } = await testKinesis()
  const names = fc.sample(fc.stringMatching(/^[a-zA-Z0-9_.-]{1,20}$/), { numRuns: 130, seed: 1 })
  const expected = [...new Set(names)].sort()
  assert.ok(expected.length > 100)
  for (const StreamName of expected) {
    await call(kinesis.CreateStream, { StreamName, ShardCount: 1 })
  }
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 300 }), fc.boolean(), async (Limit, byToken) => {
      const seen: string[] = []
      let page = await call(kinesis.ListStreams, { Limit })
      for (;;) {
        assert.ok(page.StreamNames.length <= Math.min(Limit, 100))
        assert.equal(page.NextToken !== undefined, page.HasMoreStreams)
        seen.push(...page.StreamNames)
        if (!page.HasMoreStreams) break
        const position = byToken
          ? { NextToken: page.NextToken ?? '' }
          : { ExclusiveStartStreamName: seen.at(-1) ?? '' }
        page = await call(kinesis.ListStreams, { Limit, ...position })
      }
      assert.deepEqual(seen, expected)
    }),
    { numRuns: 20 },
  )
  assert.equal((await call(kinesis.ListStreams, {})).StreamNames.length, 100)
})

test('a token is good for five minutes and only when it was given out here', async () => {
  const { advance, call } = await testKinesis()
  await call(kinesis.CreateStream, { StreamName: 'a' })
  await call(kinesis.CreateStream, { StreamName: 'b' })
  const { NextToken = '' } = await call(kinesis.ListStreams, { Limit: 1 })
  await advance(300_000)
  assert.deepEqual((await call(kinesis.ListStreams, { NextToken })).StreamNames, ['b'])
  await advance(1)
  await assert.rejects(
    call(kinesis.ListStreams, { NextToken }),
    wireError('ExpiredNextTokenException', 'NextToken has expired.'),
  )
  await assert.rejects(
    call(kinesis.ListStreams, { NextToken: 'AAAA' }),
    wireError('InvalidArgumentException', 'Invalid NextToken.'),
  )
})
