// What a scenario is: a name, what it needs of a contestant, and one measurement of it.
import type { Ability } from '../contestants/contestant.ts'
import type { Run } from './run.ts'

export type Measurement = {
  /** In the scenario's unit. */
  readonly value: number
  /** Of the same work, per second of the server's processor time. */
  readonly perCpuSecond?: number
  readonly p50Ms?: number
  readonly p99Ms?: number
  /** Share of one core that the generator used: near 1, it may itself be the bound. */
  readonly generatorBusy?: number
  readonly refusedCount?: number
  /** Further figures, named with their unit last. */
  readonly details?: Readonly<Record<string, number>>
  readonly note?: string
}

export type Scenario = {
  /** As `--only` names it. */
  readonly name: string
  readonly title: string
  readonly unit: string
  readonly better: 'higher' | 'lower'
  readonly needs: readonly Ability[]
  /** The scenario whose own value this one's is compared with; both run in the same turns. */
  readonly base?: string
  /** Runs only with `--all` or when named. */
  readonly isHeavy?: true
  measure(run: Run): Promise<Measurement>
}
