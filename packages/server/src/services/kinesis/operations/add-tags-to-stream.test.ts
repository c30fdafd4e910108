import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kinesis, type Tag } from '@millrace/wire/services/kinesis'
import fc from 'fast-check'
import { ACCOUNT, type TestKinesis, testKinesis, wireError } from '../testing.ts'

const INVALID =
  'Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, ' +
  '_ . / = + - % @.'
const ARN = `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/a`
const illegal = (verb: string): string =>
  `Failed to ${verb} stream a under account ${ACCOUNT} because some tags contained illegal ` +
  "characters. The allowed characters are Unicode letters, white-spaces, '_',',','/','=','+','-','@'."

async function withStream(): Promise<TestKinesis> {
  const kit = await testKinesis()
  await kit.call(kinesis.CreateStream, { StreamName: 'a', ShardCount: 1 })
  return kit
}

async function tags(kit: TestKinesis): Promise<readonly Tag[]> {
  return (await kit.call(kinesis.ListTagsForStream, { StreamName: 'a' })).Tags
}

test('tags are added, replaced and removed, and listed by key', async () => {
  const kit = await withStream()
  await kit.call(kinesis.AddTagsToStream, { StreamName: 'a', Tags: { b: '1', a: '', C: 'ä' } })
  await kit.call(kinesis.AddTagsToStream, { StreamName: 'a', Tags: { b: '2' } })
  assert.deepEqual(await tags(kit), [
    { Key: 'C', Value: 'ä' },
    { Key: 'a', Value: '' },
    { Key: 'b', Value: '2' },
  ])
  await kit.call(kinesis.RemoveTagsFromStream, { StreamName: 'a', TagKeys: ['b', 'missing'] })
  assert.deepEqual(
    (await tags(kit)).map((tag) => tag.Key),
    ['C', 'a'],
  )
})

test('the resource operations work on the same tags', async () => {
  const kit = await withStream()
  await kit.call(kinesis.TagResource, { ResourceARN: ARN, Tags: { a: '1', 'b:c': '2' } })
  assert.deepEqual(await kit.call(kinesis.ListTagsForResource, { ResourceARN: ARN }), {
    Tags: await tags(kit),
  })
  await kit.call(kinesis.UntagResource, { ResourceARN: ARN, TagKeys: ['a'] })
  assert.deepEqual(await tags(kit), [{ Key: 'b:c', Value: '2' }])
})

test('resources that do not exist are not found', async () => {
  const kit = await withStream()
  const consumer = `${ARN}/consumer/c:1`
  await assert.rejects(
    kit.call(kinesis.ListTagsForResource, { ResourceARN: consumer }),
    wireError('ResourceNotFoundException', `Resource ${consumer} not found.`),
  )
  await assert.rejects(
    kit.call(kinesis.TagResource, { ResourceARN: `${ARN}b`, Tags: { a: '1' } }),
    wireError('ResourceNotFoundException', `Stream ab under account ${ACCOUNT} not found.`),
  )
})

test('characters that AWS refuses are refused with its texts, in keys and values', async () => {
  const kit = await withStream()
  for (const bad of ['abc;def', 'abc\tdef', 'abc\ndef', 'abc,def']) {
    for (const Tags of [{ [bad]: '1' }, { a: bad }]) {
      await assert.rejects(
        kit.call(kinesis.AddTagsToStream, { StreamName: 'a', Tags }),
        wireError('InvalidArgumentException', INVALID),
      )
    }
    await assert.rejects(
      kit.call(kinesis.RemoveTagsFromStream, { StreamName: 'a', TagKeys: [bad] }),
      wireError('InvalidArgumentException', INVALID),
    )
  }
  for (const Tags of [{ 'abc%def': '1' }, { a: 'abc%def' }]) {
    await assert.rejects(
      kit.call(kinesis.AddTagsToStream, { StreamName: 'a', Tags }),
      wireError('InvalidArgumentException', illegal('add tags to')),
    )
  }
  await assert.rejects(
    kit.call(kinesis.RemoveTagsFromStream, { StreamName: 'a', TagKeys: ['abc%def'] }),
    wireError('InvalidArgumentException', illegal('remove tags from')),
  )
  assert.deepEqual(await tags(kit), [])
})

test('keys that begin with aws: are not for users, in whatever letters', async () => {
  const kit = await withStream()
  for (const key of ['aws:', 'aws:cloudformation:stack-name', 'AWS:x']) {
    const reserved = wireError(
      'InvalidArgumentException',
      `Failed to add tags to stream a under account ${ACCOUNT} because the tag key ${key} begins ` +
        'with aws:, which is reserved for system use.',
    )
    const Tags = { b: '1', [key]: '2' }
    await assert.rejects(kit.call(kinesis.AddTagsToStream, { StreamName: 'a', Tags }), reserved)
    await assert.rejects(kit.call(kinesis.TagResource, { ResourceARN: ARN, Tags }), reserved)
  }
  await assert.rejects(
    kit.call(kinesis.CreateStream, { StreamName: 'b', ShardCount: 1, Tags: { 'aws:x': '1' } }),
    { type: 'InvalidArgumentException' },
  )
  assert.equal((await kit.call(kinesis.ListStreams, {})).StreamNames.length, 1)
  await kit.call(kinesis.AddTagsToStream, { StreamName: 'a', Tags: { aws: 'aws:x', xaws: '' } })
  assert.deepEqual(
    (await tags(kit)).map(({ Key }) => Key),
    ['aws', 'xaws'],
  )
})

test('a stream has at most 50 tags', async () => {
  const kit = await withStream()
  const Tags = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, 'v']))
  await kit.call(kinesis.AddTagsToStream, { StreamName: 'a', Tags })
  await kit.call(kinesis.AddTagsToStream, { StreamName: 'a', Tags: { k7: 'other' } })
  const tooMany = wireError(
    'InvalidArgumentException',
    `Failed to add tags to stream a under account ${ACCOUNT} because a given stream cannot have ` +
      'more than 50 tags associated with it.',
  )
  await assert.rejects(
    kit.call(kinesis.AddTagsToStream, { StreamName: 'a', Tags: { k50: 'v' } }),
    tooMany,
  )
  await assert.rejects(
    kit.call(kinesis.TagResource, { ResourceARN: ARN, Tags: { k50: 'v' } }),
    tooMany,
  )
  assert.equal((await tags(kit)).length, 50)
})

test('tags added at the same time are all there', async () => {
  const kit = await withStream()
  const add = (key: string): Promise<void> =>
    kit.call(kinesis.AddTagsToStream, { StreamName: 'a', Tags: { [key]: 'v' } })
  await Promise.all(Array.from({ length: 50 }, (_, i) => add(`k${i}`)))
  assert.equal((await tags(kit)).length, 50)
})

test('a tag may be called anything that the characters allow', async () => {
  const kit = await withStream()
  const Tags = JSON.parse('{"__proto__":"1","constructor":"2"}') as Record<string, string>
  await kit.call(kinesis.AddTagsToStream, { StreamName: 'a', Tags })
  assert.deepEqual(await tags(await kit.restarted()), [
    { Key: '__proto__', Value: '1' },
    { Key: 'constructor', Value: '2' },
  ])
})

test('while a stream is CREATING or DELETING its tags stay', async () => {
  const kit = await testKinesis({ transitionMs: 500 })
  await kit.call(kinesis.CreateStream, { StreamName: 'a', ShardCount: 1, Tags: { a: '1' } })
  const inUse = (status: string): Promise<void> =>
    assert.rejects(
      kit.call(kinesis.AddTagsToStream, { StreamName: 'a', Tags: { b: '2' } }),
      wireError(
        'ResourceInUseException',
        `Stream a under account ${ACCOUNT} not ACTIVE, instead in state ${status}`,
      ),
    )
  await inUse('CREATING')
  assert.deepEqual(await tags(kit), [{ Key: 'a', Value: '1' }])
  await kit.advance(500)
  await kit.call(kinesis.DeleteStream, { StreamName: 'a' })
  await inUse('DELETING')
})

test('pages of tags make up the list', async () => {
  const kit = await withStream()
  const keys = [
    ...new Set(fc.sample(fc.stringMatching(/^[a-zA-Zäλ0-9_.:/=+\-@ ]{1,8}$/), 50)),
  ].sort()
  const Tags = Object.fromEntries(keys.map((key) => [key, `v${key}`]))
  await kit.call(kinesis.AddTagsToStream, { StreamName: 'a', Tags })
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 50 }), async (Limit) => {
      const seen: string[] = []
      for (let hasMore = true; hasMore; ) {
        const last = seen.at(-1)
        const page = await kit.call(kinesis.ListTagsForStream, {
          StreamName: 'a',
          Limit,
          ...(last === undefined ? {} : { ExclusiveStartTagKey: last }),
        })
        assert.ok(page.Tags.length > 0 && page.Tags.length <= Limit)
        seen.push(...page.Tags.map((tag) => tag.Key))
        hasMore = page.HasMoreTags
      }
      assert.deepEqual(seen, keys)
    }),
    { numRuns: 30 },
  )
})
