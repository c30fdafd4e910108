// DeleteStream: in any status. There is nothing yet that could hold a stream back: consumers, queues
// and channels can't be made.
import { kinesis } from '@millrace/wire/services/kinesis'
import { operation } from '../../../platform/operation.ts'
import type { KinesisParts } from '../parts.ts'

export const deleteStream = operation(
  kinesis.DeleteStream,
  ({ input, context }, { streams }: KinesisParts) =>
    streams.delete(streams.forControl(input, context)),
)
