// From rounds to one figure: medians, and ratios taken round by round, because only contestants that ran
// beside each other on a noisy machine can be compared.
import type { Measurement } from '../scenarios/scenario.ts'

/** The middle value, or the mean of the two middle ones; NaN when there is none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const upper = sorted[sorted.length >> 1] ?? Number.NaN
  if (sorted.length % 2 === 1) return upper
  return ((sorted[(sorted.length >> 1) - 1] ?? Number.NaN) + upper) / 2
}

/** A contestant's rounds of a scenario, by round; a round that failed is missing. */
export type Rounds = readonly (Measurement | null)[]

export function medianOf(
  rounds: Rounds,
  pick: (measurement: Measurement) => number | undefined,
): number | undefined {
  const values = rounds.flatMap((round) => (round === null ? [] : (pick(round) ?? [])))
  return values.length === 0 ? undefined : median(values)
}

/** The median over the rounds of own value ÷ base's value in the same round. */
export function medianRatio(own: Rounds, base: Rounds): number | undefined {
  const ratios = own.flatMap((measurement, index) => {
    const other = base[index]
    if (measurement === null || other === null || other === undefined) return []
    return other.value > 0 ? [measurement.value / other.value] : []
  })
  return ratios.length === 0 ? undefined : median(ratios)
}
