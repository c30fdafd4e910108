// AddTagsToStream.
import { kinesis } from '@millrace/wire/services/kinesis'
import { operation } from '../../../platform/operation.ts'
import { addTags } from '../change-tags.ts'
import type { KinesisParts } from '../parts.ts'

export const addTagsToStream = operation(
  kinesis.AddTagsToStream,
  ({ input, context }, parts: KinesisParts) =>
    addTags(parts.streams.forControl(input, context), input.Tags, parts),
)
