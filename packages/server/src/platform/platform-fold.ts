// What the platform itself keeps in the catalog: how far service time has been moved ahead of wall
// time. The offset only grows, so that service time never runs backwards, whatever is replayed.
import { assert } from '@millrace/base/assert'
import type { Command, Fold } from './fold.ts'

export interface ClockAdvanced extends Command {
  readonly kind: 'platform.clock-advanced'
  readonly version: 1
  /** The whole offset from now on, ms. */
  readonly offsetMs: number
}

export function clockAdvanced(offsetMs: number): ClockAdvanced {
  return { kind: 'platform.clock-advanced', version: 1, offsetMs }
}

export class PlatformFold implements Fold {
  readonly name = 'platform'
  readonly versions = { 'platform.clock-advanced': 1 }
  #clockOffsetMs = 0

  /** Service time minus wall time, ms. */
  get clockOffsetMs(): number {
    return this.#clockOffsetMs
  }

  /** Loses to an earlier command that moved the clock as far or farther. */
  apply(command: Command): boolean {
    const { offsetMs } = command as ClockAdvanced
    assert(Number.isSafeInteger(offsetMs), 'a clock offset is a whole number of milliseconds')
    if (offsetMs <= this.#clockOffsetMs) return false
    this.#clockOffsetMs = offsetMs
    return true
  }

  snapshot(): unknown {
    return { clockOffsetMs: this.#clockOffsetMs }
  }

  restore(snapshot: unknown): void {
    this.#clockOffsetMs = (snapshot as { clockOffsetMs: number }).clockOffsetMs
  }
}
