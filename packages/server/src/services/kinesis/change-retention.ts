// How a retention period is changed, in either direction. What has expired under the old period stays
// gone: an increase revives nothing; a decrease hides at once. The same value is accepted by both
// operations (observed).
import { BOUNDS } from './limits.ts'
import type { KinesisParts } from './parts.ts'
import type { Stream } from './stream.ts'
import { invalidArgument, streamNotActive } from './stream-errors.ts'
import type { StreamFacts } from './stream-facts.ts'

export async function changeRetention(
  stream: Stream,
  hours: number,
  direction: 'increase' | 'decrease',
  { clock, settings, streams }: KinesisParts,
): Promise<void> {
  checkBounds(hours)
  await streams.change(stream, (facts) => {
    const nowMs = clock.now()
    const status = stream.status(nowMs)
    if (status !== 'ACTIVE') throw streamNotActive(stream.name, stream.account, status)
    checkDirection(facts, hours, direction)
    if (facts.retentionHours === hours) return undefined
    return {
      kind: 'kinesis.retention-changed',
      retentionHours: hours,
      expiredBeforeMs: stream.horizonMs(nowMs),
      updatingUntilMs: settings.transitionMs === 0 ? 0 : nowMs + settings.transitionMs,
    }
  })
}

function checkBounds(hours: number): void {
  const { retentionHoursMax, retentionHoursMin } = BOUNDS
  if (hours < retentionHoursMin) {
    throw invalidArgument(
      `Minimum allowed retention period is ${retentionHoursMin} hours. ` +
        `Requested retention period (${hours} hours) is too short.`,
    )
  }
  if (hours > retentionHoursMax) {
    throw invalidArgument(
      `Maximum allowed retention period is ${retentionHoursMax} hours. ` +
        `Requested retention period (${hours} hours) is too long.`,
    )
  }
}

function checkDirection(
  facts: StreamFacts,
  hours: number,
  direction: 'increase' | 'decrease',
): void {
  const existing = facts.retentionHours
  const isWrong = direction === 'increase' ? hours < existing : hours > existing
  if (!isWrong) return
  const [than, other] = direction === 'increase' ? ['shorter', 'Decrease'] : ['longer', 'Increase']
  throw invalidArgument(
    `Requested retention period (${hours} hours) for stream ${facts.name} can not be ${than} than ` +
      `existing retention period (${existing} hours). Use ${other}RetentionPeriod API.`,
  )
}
