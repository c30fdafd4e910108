// CreateStream: the answer is empty; the stream is CREATING for as long as transitions take.
import { kinesis } from '@millrace/wire/services/kinesis'
import { operation } from '../../../platform/operation.ts'
import { readNewStream } from '../new-stream.ts'
import type { KinesisParts } from '../parts.ts'

export const createStream = operation(
  kinesis.CreateStream,
  ({ input, context }, { streams }: KinesisParts) =>
    streams.create(readNewStream(input, context.account), context),
)
