// The flags of `npm run bench`, with their defaults and one line of help each.

import path from 'node:path'
import { parseArgs } from 'node:util'
import { workDir } from './paths.ts'

export type Options = {
  readonly only: readonly string[]
  readonly contestants: readonly string[]
  readonly rounds: number
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly shardCount: number
  readonly drainMegabytes: number
  readonly retainedGigabytes: number
  readonly memoryGigabytes: number
  readonly dataRoot: string
  readonly all: boolean
  readonly install: boolean
  readonly list: boolean
  readonly markdown: boolean
  readonly from: string | undefined
  readonly help: boolean
}

const table = {
  only: ['LIST', 'scenarios to run, by name; a * at the end takes all that begin so'],
  contestants: ['LIST', 'contestants to run, by name'],
  rounds: ['N', 'turns of each contestant in each scenario; medians are reported', '3'],
  seconds: ['S', 'length of one measurement', '3'],
  'warm-up': ['S', 'load before each measurement that is not counted', '2'],
  shards: ['N', 'shards of the stream in the put scenarios', '16'],
  'drain-mb': ['MB', 'data in the shard that get-records-drain reads', '50'],
  'retained-gb': ['GB', 'data that start and the larger replay scenarios retain', '10'],
  'memory-gb': ['GB', 'data that memory writes (at most 1 to what only keeps it in memory)', '10'],
  'data-root': ['DIR', 'where servers and the disk floor write', 'bench/.work/data'],
  from: ['FILE', 'print an earlier result again instead of measuring'],
} as const

const switches = {
  all: 'the heavy scenarios too',
  install: 'install the peers below bench/ and stop',
  list: 'name the scenarios and contestants and stop',
  markdown: 'print Markdown tables',
  help: 'this text',
} as const

/** Throws with a sentence on what it does not know. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...Object.fromEntries(Object.keys(table).map((name) => [name, { type: 'string' as const }])),
      ...Object.fromEntries(
        Object.keys(switches).map((name) => [name, { type: 'boolean' as const }]),
      ),
    },
  })
  const text = (name: keyof typeof table): string => String(values[name] ?? table[name][2] ?? '')
  const list = (name: keyof typeof table): string[] => text(name).split(',').filter(Boolean)
  const number = (name: keyof typeof table): number => {
    const value = Number(text(name))
    if (!Number.isFinite(value) || value < 0) throw new Error(`--${name} wants a number`)
    return value
  }
  return {
    only: list('only'),
    contestants: list('contestants'),
    rounds: Math.max(1, Math.round(number('rounds'))),
    seconds: Math.max(0.1, number('seconds')),
    warmUpSeconds: number('warm-up'),
    shardCount: Math.max(1, Math.round(number('shards'))),
    drainMegabytes: Math.max(1, number('drain-mb')),
    retainedGigabytes: number('retained-gb'),
    memoryGigabytes: number('memory-gb'),
    dataRoot:
      values['data-root'] === undefined
        ? path.join(workDir, 'data')
        : path.resolve(String(values['data-root'])),
    all: values.all === true,
    install: values.install === true,
    list: values.list === true,
    markdown: values.markdown === true,
    from: values.from === undefined ? undefined : String(values.from),
    help: values.help === true,
  }
}

export function helpText(): string {
  const lines = [
    'npm run bench -- [flags]',
    '',
    'Runs the same load on Millrace, its peers and the floors, in turns, and prints ratios.',
    'Progress goes to stderr, tables to stdout, everything measured to bench/.work/results-*.json.',
    '',
  ]
  for (const [name, [value, about, standard]] of Object.entries(table)) {
    const suffix = standard === undefined ? '' : ` [${standard}]`
    lines.push(`  ${`--${name} ${value}`.padEnd(22)}${about}${suffix}`)
  }
  for (const [name, about] of Object.entries(switches)) {
    lines.push(`  ${`--${name}`.padEnd(22)}${about}`)
  }
  return lines.join('\n')
}
