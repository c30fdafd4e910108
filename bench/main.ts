// `npm run bench`: every chosen scenario, every contestant that can take part, in turns; one table per
// scenario on stdout, all figures in bench/.work. `--help` lists the flags.
import { contestants as allContestants } from './contestants/all.ts'
import type { Contestant } from './contestants/contestant.ts'
import { installPeers } from './install.ts'
import { helpText, type Options, parseOptions } from './options.ts'
import { figure } from './report/figures.ts'
import {
  emptyResults,
  emptyScenario,
  loadResults,
  type Results,
  saveResults,
} from './report/results.ts'
import { report } from './report/tables.ts'
import { scenarios as allScenarios } from './scenarios/all.ts'
import { Run } from './scenarios/run.ts'
import type { Measurement, Scenario } from './scenarios/scenario.ts'

/** A signal ends the process here, so that the servers it started end with it. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => process.exit(130))
}

process.exitCode = await main()

async function main(): Promise<number> {
  let options: Options
  try {
    options = parseOptions(process.argv.slice(2))
  } catch (error) {
    console.error(`${(error as Error).message}\nnpm run bench -- --help lists the flags.`)
    return 2
  }
  if (options.help) return say(helpText())
  if (options.list) return say(listing())
  if (options.install) return installPeers() ? 0 : 1
  const form = options.markdown ? 'markdown' : 'text'
  if (options.from !== undefined) return say(report(loadResults(options.from), form))

  const scenarios = chosen(allScenarios, options.only, 'scenario').filter(
    ({ isHeavy }) => options.all || options.only.length > 0 || isHeavy !== true,
  )
  const contestants = chosen(allContestants, options.contestants, 'contestant')
  const results = emptyResults(contestants)
  for (const { name, missing } of results.contestants) {
    if (missing !== undefined) console.error(`${name} is left out: ${missing}`)
  }
  const present = contestants.filter((contestant) => contestant.missing() === undefined)
  let failureCount = 0
  for (const family of families(scenarios)) {
    failureCount += await runFamily(family, present, options, results)
    saveResults(results)
  }
  console.log(report(results, form))
  console.error(`\nAll figures: ${saveResults(results)}`)
  return failureCount === 0 ? 0 : 1
}

/** Scenarios that are compared with each other, kept together so that they run in the same turns. */
function families(scenarios: readonly Scenario[]): Scenario[][] {
  return Object.values(Object.groupBy(scenarios, ({ name, base }) => base ?? name)).flatMap(
    (family) => (family === undefined ? [] : [family]),
  )
}

/** The number of rounds that failed. */
async function runFamily(
  family: readonly Scenario[],
  present: readonly Contestant[],
  options: Options,
  results: Results,
): Promise<number> {
  const parts = family.map((scenario) => {
    const able = present.filter(({ abilities }) =>
      scenario.needs.every((ability) => abilities.includes(ability)),
    )
    const names = able.map(({ name }) => name)
    const result = emptyScenario(scenario, names)
    results.scenarios.push(result)
    if (able.length === 0) console.error(`${scenario.name}: nobody here can take part`)
    return { scenario, able, result }
  })
  let failureCount = 0
  for (let round = 1; round <= options.rounds; round++) {
    for (const { scenario, able, result } of parts) {
      for (const [index, contestant] of able.entries()) {
        const label = `${scenario.name} ${round}/${options.rounds} ${contestant.name}`
        const entry = result.entries[index]!
        try {
          const measurement = await measure(scenario, contestant, options)
          entry.rounds.push(measurement)
          console.error(`${label}: ${figure(measurement.value)} ${scenario.unit}`)
        } catch (error) {
          failureCount++
          entry.rounds.push(null)
          entry.failure ??= (error as Error).message
          console.error(`${label}: FAILED: ${(error as Error).message}`)
        }
      }
    }
  }
  return failureCount
}

async function measure(
  scenario: Scenario,
  contestant: Contestant,
  options: Options,
): Promise<Measurement> {
  const run = new Run(contestant, options)
  try {
    return await scenario.measure(run)
  } finally {
    await run.end()
  }
}

function chosen<T extends { name: string }>(
  all: readonly T[],
  patterns: readonly string[],
  what: string,
): readonly T[] {
  const matches = (name: string, pattern: string): boolean =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
  for (const pattern of patterns) {
    if (!all.some(({ name }) => matches(name, pattern))) {
      console.error(`no ${what} is called ${pattern}; --list names them`)
      process.exit(2)
    }
  }
  if (patterns.length === 0) return all
  return all.filter(({ name }) => patterns.some((pattern) => matches(name, pattern)))
}

function listing(): string {
  const scenarios = allScenarios.map(
    ({ name, title, isHeavy }) => `  ${name.padEnd(24)}${title}${isHeavy ? ' (heavy)' : ''}`,
  )
  const contestants = allContestants.map((contestant) => {
    const missing = contestant.missing()
    return `  ${contestant.name.padEnd(24)}${contestant.title}${missing ? ` (${missing})` : ''}`
  })
  return ['Scenarios', ...scenarios, '', 'Contestants', ...contestants].join('\n')
}

function say(text: string): number {
  console.log(text)
  return 0
}
