// The tables: one per scenario with everything, and one over all scenarios with the medians. As aligned
// text for a terminal, or as Markdown for docs/performance.md.
import { figure, percent, ratio } from './figures.ts'
import type { Entry, Results, ScenarioResult } from './results.ts'
import { medianOf, medianRatio } from './statistics.ts'

export type Form = 'text' | 'markdown'

type Table = { header: string[]; rows: string[][] }

/** In order of preference: what a scenario's ratios to the floor are taken to. */
const floors = ['naive', 'bare-http2', 'bare-http']

export function report(results: Results, form: Form): string {
  const parts = [heading(results, form)]
  const ran = results.scenarios.filter(({ entries }) => entries.length > 0)
  if (ran.length > 1) parts.push(title('All scenarios', form), layOut(overview(results, ran), form))
  for (const scenario of ran) {
    const better = scenario.better === 'higher' ? 'higher is better' : 'lower is better'
    parts.push(title(`${scenario.title}: ${scenario.unit}, ${better}`, form))
    parts.push(layOut(scenarioTable(results, scenario), form))
    parts.push(...remarks(scenario, form))
  }
  return parts.join('\n')
}

function heading(results: Results, form: Form): string {
  const { cpu, cores, memoryGb, kernel, node } = results.machine
  const lines = [
    `${results.startedAt.slice(0, 10)}, ${cores} cores (${cpu}), ${memoryGb} GB, ${kernel}, Node ${node}.`,
    form === 'markdown' ? `Command: \`${results.command}\`.` : `Command: ${results.command}`,
    'Medians of rounds run in turns; ratios are medians of same-round ratios. MB = 10^6 bytes of record data.',
  ]
  for (const { name, missing } of results.contestants) {
    if (missing !== undefined) lines.push(`Left out: ${name} (${missing}).`)
  }
  return lines.join('\n')
}

function overview(results: Results, scenarios: readonly ScenarioResult[]): Table {
  const taking = results.contestants.filter(({ name }) =>
    scenarios.some(({ entries }) => entries.some(({ contestant }) => contestant === name)),
  )
  // Scenarios down, contestants across: there are more of the former.
  return {
    header: ['scenario', 'unit', ...taking.map(({ name }) => name)],
    rows: scenarios.map((scenario) => [
      scenario.scenario,
      scenario.unit,
      ...taking.map(({ name }) => {
        const entry = scenario.entries.find(({ contestant }) => contestant === name)
        if (entry === undefined) return ''
        const value = medianOf(entry.rounds, (round) => round.value)
        return value === undefined ? 'failed' : figure(value)
      }),
    ]),
  }
}

function scenarioTable(results: Results, scenario: ScenarioResult): Table {
  const roundsOf = (name: string) =>
    scenario.entries.find(({ contestant }) => contestant === name)?.rounds ?? []
  const hasValue = (name: string) => roundsOf(name).some((round) => round !== null)
  const floor = floors.find(hasValue)
  const isP50 = scenario.unit === 'p50 ms'
  const base = results.scenarios.find(({ scenario: name }) => name === scenario.base)
  const details = detailNames(scenario.entries)
  return {
    header: [
      ...['', 'durable', scenario.unit, 'per cpu-s', 'p50 ms', 'p99 ms'],
      ...[
        '÷ millrace',
        floor === undefined ? '÷ floor' : `÷ ${floor}`,
        `÷ own ${scenario.base ?? ''}`,
      ],
      'generator',
      ...details,
    ],
    rows: scenario.entries.map(({ contestant, rounds }) => {
      const about = results.contestants.find(({ name }) => name === contestant)
      const value = medianOf(rounds, (round) => round.value)
      return [
        about?.title ?? contestant,
        about?.durability ?? '',
        value === undefined ? 'failed' : figure(value),
        figure(medianOf(rounds, (round) => round.perCpuSecond)),
        isP50 ? '' : figure(medianOf(rounds, (round) => round.p50Ms)),
        figure(medianOf(rounds, (round) => round.p99Ms)),
        ratio(medianRatio(rounds, roundsOf('millrace'))),
        ratio(floor === undefined ? undefined : medianRatio(rounds, roundsOf(floor))),
        ratio(
          medianRatio(
            rounds,
            base?.entries.find((entry) => entry.contestant === contestant)?.rounds ?? [],
          ),
        ),
        percent(medianOf(rounds, (round) => round.generatorBusy)),
        ...details.map((name) => figure(medianOf(rounds, (round) => round.details?.[name]))),
      ]
    }),
  }
}

function detailNames(entries: readonly Entry[]): string[] {
  const names = new Set<string>()
  for (const { rounds } of entries) {
    for (const round of rounds)
      for (const name of Object.keys(round?.details ?? {})) names.add(name)
  }
  return [...names]
}

function remarks(scenario: ScenarioResult, form: Form): string[] {
  const bullet = form === 'markdown' ? '- ' : '  '
  return scenario.entries.flatMap(({ contestant, rounds, failure }) => {
    const refused = rounds.reduce((sum, round) => sum + (round?.refusedCount ?? 0), 0)
    const note = rounds.find((round) => round?.note !== undefined)?.note
    const failed = rounds.filter((round) => round === null).length
    const lines: string[] = []
    if (refused > 0) {
      lines.push(`${bullet}${contestant}: ${refused} requests refused: ${note ?? ''}`)
    } else if (note !== undefined) {
      lines.push(`${bullet}${contestant}: ${note}`)
    }
    if (failed > 0) {
      lines.push(`${bullet}${contestant}: ${failed} of ${rounds.length} rounds failed: ${failure}`)
    }
    return lines
  })
}

function title(text: string, form: Form): string {
  return form === 'markdown' ? `\n### ${text}\n` : `\n${text}`
}

function layOut({ header, rows }: Table, form: Form): string {
  // A column that says nothing in any row is left out.
  const kept = header
    .map((_, column) => column)
    .filter((column) => rows.some((row) => !['', '–'].includes(row[column] ?? '')))
  const lines = [header, ...rows].map((line) => kept.map((column) => line[column] ?? ''))
  if (form === 'markdown') {
    const rule = kept.map((column) => (column === 0 ? '---' : '--:'))
    const [first = [], ...others] = lines
    return [first, rule, ...others].map((line) => `| ${line.join(' | ')} |`).join('\n')
  }
  const widths = kept.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!),
        )
        .join('  '),
    )
    .join('\n')
}
