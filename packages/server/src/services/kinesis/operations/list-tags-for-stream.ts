// ListTagsForStream: sorted by key, at most 50 a page.
import { kinesis } from '@millrace/wire/services/kinesis'
import { operation } from '../../../platform/operation.ts'
import { BOUNDS } from '../limits.ts'
import type { KinesisParts } from '../parts.ts'
import { sortedTags } from '../tags.ts'

export const listTagsForStream = operation(
  kinesis.ListTagsForStream,
  ({ input, context }, { streams }: KinesisParts) => {
    const stream = streams.forControl(input, context)
    const tags = sortedTags(stream.facts.tags, input.ExclusiveStartTagKey)
    const limit = input.Limit ?? BOUNDS.listTagsMax
    return { Tags: tags.slice(0, limit), HasMoreTags: tags.length > limit }
  },
)
