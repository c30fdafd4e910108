// ListTagsForResource: all tags, sorted by key.
import { kinesis } from '@millrace/wire/services/kinesis'
import { operation } from '../../../platform/operation.ts'
import type { KinesisParts } from '../parts.ts'
import { taggedStream } from '../tagged-resource.ts'
import { sortedTags } from '../tags.ts'

export const listTagsForResource = operation(
  kinesis.ListTagsForResource,
  ({ input, context }, { streams }: KinesisParts) => ({
    Tags: sortedTags(taggedStream(input.ResourceARN, streams, context).facts.tags),
  }),
)
