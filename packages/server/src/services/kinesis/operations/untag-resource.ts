// UntagResource.
import { kinesis } from '@millrace/wire/services/kinesis'
import { operation } from '../../../platform/operation.ts'
import { removeTags } from '../change-tags.ts'
import type { KinesisParts } from '../parts.ts'
import { taggedStream } from '../tagged-resource.ts'

export const untagResource = operation(
  kinesis.UntagResource,
  ({ input, context }, parts: KinesisParts) =>
    removeTags(taggedStream(input.ResourceARN, parts.streams, context), input.TagKeys, parts),
)
