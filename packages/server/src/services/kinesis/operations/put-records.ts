// PutRecords.
import { kinesis } from '@millrace/wire/services/kinesis'
import { operation } from '../../../platform/operation.ts'
import type { KinesisParts } from '../parts.ts'
import { putRecords as put } from '../put.ts'

export const putRecords = operation(
  kinesis.PutRecords,
  ({ input, context }, { streams, engine }: KinesisParts) =>
    put(engine, streams.forData(input, context), input, context.nowMs),
)
