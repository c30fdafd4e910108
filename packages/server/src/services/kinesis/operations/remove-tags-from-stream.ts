// RemoveTagsFromStream.
import { kinesis } from '@millrace/wire/services/kinesis'
import { operation } from '../../../platform/operation.ts'
import { removeTags } from '../change-tags.ts'
import type { KinesisParts } from '../parts.ts'

export const removeTagsFromStream = operation(
  kinesis.RemoveTagsFromStream,
  ({ input, context }, parts: KinesisParts) =>
    removeTags(parts.streams.forControl(input, context), input.TagKeys, parts),
)
