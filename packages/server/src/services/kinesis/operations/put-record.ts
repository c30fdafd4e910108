// PutRecord.
import { kinesis } from '@millrace/wire/services/kinesis'
import { operation } from '../../../platform/operation.ts'
import type { KinesisParts } from '../parts.ts'
import { putRecord as put } from '../put.ts'

export const putRecord = operation(
  kinesis.PutRecord,
  ({ input, context }, { streams, engine }: KinesisParts) =>
    put(engine, streams.forData(input, context), input, context.nowMs),
)
