// IncreaseStreamRetentionPeriod.
import { kinesis } from '@millrace/wire/services/kinesis'
import { operation } from '../../../platform/operation.ts'
import { changeRetention } from '../change-retention.ts'
import type { KinesisParts } from '../parts.ts'

export const increaseStreamRetentionPeriod = operation(
  kinesis.IncreaseStreamRetentionPeriod,
  ({ input, context }, parts: KinesisParts) => {
    const stream = parts.streams.forControl(input, context)
    return changeRetention(stream, input.RetentionPeriodHours, 'increase', parts)
  },
)
