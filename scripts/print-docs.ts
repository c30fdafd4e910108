// Prints the pages of docs/ that follow from the code: docs/coverage.md (every operation of the mission,
// built or not) and docs/limits.md (every limit and its number). `npm run print-docs` writes them;
// with --check (a test) it only says whether they are still true.
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import * as limits from '../packages/server/src/services/kinesis/limits.ts'
import { KINESIS_OPERATIONS } from '../packages/server/src/services/kinesis/service.ts'

interface MissionService {
  readonly service: string
  readonly title: string
  readonly operations: readonly string[]
}

const root = path.join(import.meta.dirname, '..')
const mission: MissionService[] = JSON.parse(
  readFileSync(path.join(import.meta.dirname, 'mission.json'), 'utf8'),
)
const built = new Map<string, ReadonlySet<string>>([['kinesis', new Set(KINESIS_OPERATIONS)]])

const pages = { 'docs/coverage.md': coverage(), 'docs/limits.md': limitTables() }
const isCheck = process.argv.includes('--check')
for (const [name, text] of Object.entries(pages)) {
  const file = path.join(root, name)
  if (!isCheck) writeFileSync(file, text)
  else if (readIfThere(file) !== text) {
    process.stderr.write(`${name} is no longer true; run: npm run print-docs\n`)
    process.exitCode = 1
  }
}

function coverage(): string {
  const count = (each: MissionService): number =>
    each.operations.filter((name) => built.get(each.service)?.has(name)).length
  const total = mission.reduce((sum, each) => sum + each.operations.length, 0)
  const works = mission.reduce((sum, each) => sum + count(each), 0)
  const lines = [
    '# Coverage',
    '',
    'Every operation of every API that Millrace sets out to answer. An operation with a mark works, is',
    'tested and is durable. Any other operation of an API that is served answers 400',
    '`UnknownOperationException` with `<Operation> is not built yet; see docs/coverage.md`; an API of which',
    'nothing is built is not recognised at all.',
    '',
    `Built: ${works} of ${total}.`,
    '',
    '| API | built | of |',
    '|---|--:|--:|',
    ...mission.map((each) => `| ${each.title} | ${count(each)} | ${each.operations.length} |`),
  ]
  for (const each of mission) {
    lines.push('', `## ${each.title}`, '')
    if (count(each) === 0) {
      lines.push(`Nothing yet of: ${each.operations.join(', ')}.`)
      continue
    }
    lines.push('| operation | works |', '|---|---|')
    for (const name of each.operations) {
      lines.push(`| ${name} | ${built.get(each.service)?.has(name) ? '●' : 'not yet'} |`)
    }
  }
  return `${lines.join('\n')}\n`
}

function limitTables(): string {
  const rows = (table: object): string[] =>
    Object.entries(table).map(([name, value]) => `| ${words(name)} | ${number(value)} |`)
  return `${[
    '# Limits',
    '',
    'Numbers are those of AWS. `--limits none` lifts rates and quotas; it never lifts the bounds of a',
    'single request. A bucket holds one second’s worth, starts full and admits while it holds a whole unit:',
    'a call, a record, a byte. Bytes may go into debt, so that one large record is admitted and then paid for.',
    '',
    '## Bounds of requests, records and answers (always)',
    '',
    '| what | bound |',
    '|---|--:|',
    ...rows(limits.BOUNDS),
    '',
    '## Rates of a shard (lifted by `--limits none`)',
    '',
    '| what | rate |',
    '|---|--:|',
    ...rows(limits.SHARD_RATES),
    '',
    '## Quotas of an account in a region (lifted by `--limits none`)',
    '',
    '| what | quota |',
    '|---|--:|',
    ...rows(limits.QUOTAS),
    `| shards of provisioned streams in us-east-1, us-west-2, eu-west-1 | ${number(limits.shardQuota('us-east-1'))} |`,
    `| shards of provisioned streams elsewhere | ${number(limits.shardQuota('elsewhere'))} |`,
    '',
    '## Calls per second of control operations (lifted by `--limits none`)',
    '',
    '| operation | calls per second | shared by |',
    '|---|--:|---|',
    ...Object.entries(limits.CALL_RATES).map(
      ([name, { perSecond, per }]) => `| ${name} | ${perSecond} | ${per} |`,
    ),
  ].join('\n')}\n`
}

/** `recordKiBMax` → `record KiB max`. */
function words(name: string): string {
  return name.replaceAll(
    /(KiB|Ms)?([A-Z]|$)/g,
    (_, unit: string | undefined, letter: string) =>
      `${unit ? ` ${unit === 'Ms' ? 'ms' : unit}` : ''}${letter ? ` ${letter.toLowerCase()}` : ''}`,
  )
}

function number(value: unknown): string {
  return typeof value === 'number' ? value.toLocaleString('en-US') : String(value)
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
