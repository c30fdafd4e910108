// Setting and removing tags of a stream, for the operations that name it by stream and those that name
// it as a resource.
import type { KinesisParts } from './parts.ts'
import type { Stream } from './stream.ts'
import { streamNotActive } from './stream-errors.ts'
import type { StreamFacts } from './stream-facts.ts'
import { checkNewTags, checkTagCount, checkTagKeys } from './tags.ts'

/** Adds tags; those of the same keys are replaced. */
export async function addTags(
  stream: Stream,
  added: Readonly<Record<string, string>>,
  parts: KinesisParts,
): Promise<void> {
  checkNewTags(added, stream.name, stream.account)
  await change(stream, parts, (facts) => {
    const tags = { ...facts.tags, ...added }
    checkTagCount(tags, stream.name, stream.account)
    return tags
  })
}

/** Removes tags by key; keys that aren't there are ignored (documented). */
export async function removeTags(
  stream: Stream,
  keys: readonly string[],
  parts: KinesisParts,
): Promise<void> {
  checkTagKeys(keys, stream.name, stream.account)
  const gone = new Set(keys)
  await change(stream, parts, (facts) =>
    Object.fromEntries(Object.entries(facts.tags).filter(([key]) => !gone.has(key))),
  )
}

async function change(
  stream: Stream,
  { clock, streams }: KinesisParts,
  next: (facts: StreamFacts) => Record<string, string>,
): Promise<void> {
  await streams.change(stream, (facts) => {
    // Documented: no tags can be changed before the stream is ACTIVE.
    const status = stream.status(clock.now())
    if (status === 'CREATING' || status === 'DELETING') {
      throw streamNotActive(stream.name, stream.account, status)
    }
    return { kind: 'kinesis.tags-changed', tags: next(facts) }
  })
}
