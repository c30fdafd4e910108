// Statuses follow from facts and the time; nothing has to happen for a stream to become ACTIVE.
import type { StreamFacts } from './stream-facts.ts'

export type StreamStatus = 'CREATING' | 'ACTIVE' | 'UPDATING' | 'DELETING'

export function streamStatus(facts: StreamFacts, nowMs: number): StreamStatus {
  if (facts.deletingUntilMs !== undefined) return 'DELETING'
  if (nowMs < facts.creatingUntilMs) return 'CREATING'
  return nowMs < facts.updatingUntilMs ? 'UPDATING' : 'ACTIVE'
}

/** Whether its deletion is over, so that nobody may see it any more. */
export function isGone(facts: StreamFacts, nowMs: number): boolean {
  return facts.deletingUntilMs !== undefined && nowMs >= facts.deletingUntilMs
}

/** AWS tells creation times in whole seconds; ms since 1970. */
export function creationTimestampMs(facts: StreamFacts): number {
  return Math.floor(facts.createdMs / 1000) * 1000
}
