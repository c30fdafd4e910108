// Everything that a run measured, as it is written to and read from bench/.work/results-*.json.
import { readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Contestant } from '../contestants/contestant.ts'
import { workDir } from '../paths.ts'
import type { Measurement, Scenario } from '../scenarios/scenario.ts'

export type Entry = {
  readonly contestant: string
  readonly rounds: (Measurement | null)[]
  /** Why the first of the failed rounds failed. */
  failure?: string
}

export type ScenarioResult = {
  readonly scenario: string
  readonly title: string
  readonly unit: string
  readonly base?: string
  readonly better: 'higher' | 'lower'
  readonly entries: readonly Entry[]
}

export type Results = {
  readonly startedAt: string
  readonly command: string
  readonly machine: Readonly<Record<string, string | number>>
  readonly contestants: readonly {
    readonly name: string
    readonly title: string
    readonly kind: Contestant['kind']
    readonly durability: string
    /** Why it did not take part. */
    readonly missing?: string
  }[]
  readonly scenarios: ScenarioResult[]
}

export function emptyResults(contestants: readonly Contestant[]): Results {
  return {
    startedAt: new Date().toISOString(),
    command: ['npm run bench --', ...process.argv.slice(2)].join(' '),
    machine: {
      cpu: os.cpus()[0]?.model ?? 'unknown',
      cores: os.availableParallelism(),
      memoryGb: Math.round(os.totalmem() / 1e9),
      kernel: `${os.type()} ${os.release()}`,
      node: process.version,
    },
    contestants: contestants.map((contestant) => {
      const { name, title, kind, durability } = contestant
      const missing = contestant.missing()
      return { name, title, kind, durability, ...(missing !== undefined && { missing }) }
    }),
    scenarios: [],
  }
}

export function emptyScenario(scenario: Scenario, names: readonly string[]): ScenarioResult {
  const { name, title, unit, better, base } = scenario
  const entries = names.map((contestant) => ({ contestant, rounds: [] }))
  return { scenario: name, title, unit, better, ...(base !== undefined && { base }), entries }
}

/** Named by the start of the run, so saving again replaces what was saved before. */
export function saveResults(results: Results): string {
  const stamp = results.startedAt.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
  const file = path.join(workDir, `results-${stamp}.json`)
  writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`)
  return file
}

export function loadResults(file: string): Results {
  return JSON.parse(readFileSync(file, 'utf8')) as Results
}
