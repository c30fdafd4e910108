// TagResource.
import { kinesis } from '@millrace/wire/services/kinesis'
import { operation } from '../../../platform/operation.ts'
import { addTags } from '../change-tags.ts'
import type { KinesisParts } from '../parts.ts'
import { taggedStream } from '../tagged-resource.ts'

export const tagResource = operation(
  kinesis.TagResource,
  ({ input, context }, parts: KinesisParts) =>
    addTags(taggedStream(input.ResourceARN, parts.streams, context), input.Tags, parts),
)
