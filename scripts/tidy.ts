// Keeps three pictures true, as part of `npm run check`: generated files equal what their generator prints,
// imports follow the table, and time, chance and disk enter where they are listed and nowhere else, so
// that the simulation runs the very code that people run. Also: files that nobody could cross in one go
// are listed. Prints a sentence for each breach; says nothing when all is well.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateAll } from './generate-contract.ts'
import { importProblems } from './import-table.ts'
import { isForTests, root, type SourceFile, sourceFiles, withoutComments } from './source-tree.ts'

/** The packages that the simulation runs. */
const SIMULATED = /^packages\/(base|wire|storage|server)\/src\//

const ENTRANCES: readonly { name: string; pattern: RegExp; instead: string }[] = [
  {
    name: 'time',
    pattern: /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bprocess\.hrtime\b/,
    instead: 'take a Clock',
  },
  {
    name: 'timers',
    pattern: /(?<![.\w])set(Timeout|Interval)\(|'node:timers(\/promises)?'/,
    instead: 'take a Clock and sleep on it',
  },
  {
    name: 'chance',
    pattern: /\bMath\.random\b|\brandomBytes\b|\brandomUUID\b|\brandomInt\b/,
    instead: 'take a Random',
  },
  { name: 'disk', pattern: /'node:fs(\/promises)?'/, instead: 'take a Disk' },
]

/** Where they do enter, and why. */
const ENTERS: Readonly<Record<string, string>> = {
  'packages/base/src/clock.ts': 'is the clock',
  'packages/base/src/random.ts': 'is chance',
  'packages/storage/src/node-disk.ts': 'is the disk',
  'packages/server/src/http/socket-time.ts': "sockets' deadlines run on real time",
  'packages/server/src/http/tls-identity.ts': 'keeps the local certificate beside the data',
}

const LINES_MAX = 500
/** Tests are lists, which are easier to cross. */
const TEST_LINES_MAX = 700

/** Files that may be longer, and why. */
const LONG: readonly { path: RegExp; why: string }[] = [
  { path: /^packages\/wire\/src\/services\//, why: 'generated' },
]

/** Everything that is out of order, a sentence each. */
export function problems(): string[] {
  const files = sourceFiles()
  return [
    ...staleFiles(),
    ...files.flatMap((file) => importProblems(file, dependenciesOf)),
    ...files.flatMap(entranceProblems),
    ...Object.keys(ENTERS)
      .filter((path) => !files.some((file) => file.path === path))
      .map((path) => `scripts/tidy.ts: lists ${path}, which isn't there`),
    ...files.flatMap(lengthProblems),
  ]
}

function staleFiles(): string[] {
  return generateAll().flatMap(({ path, text }) => {
    const isCurrent = existsSync(path) && readFileSync(path, 'utf8') === text
    return isCurrent ? [] : [`${path.slice(root.length + 1)}: run npm run generate`]
  })
}

export function entranceProblems(file: SourceFile): string[] {
  if (!SIMULATED.test(file.path) || isForTests(file.path) || file.path in ENTERS) return []
  const code = withoutComments(file.text)
  return ENTRANCES.flatMap(({ name, pattern, instead }) => {
    const found = pattern.exec(code)?.[0]
    if (found === undefined) return []
    const how = `${instead}, or list the file in scripts/tidy.ts with a reason`
    return [`${file.path}: ${name} enters by ${found.replace(/\($/, '')}; ${how}`]
  })
}

export function lengthProblems(file: SourceFile): string[] {
  const lines = file.text.split('\n').length - 1
  const most = isForTests(file.path) ? TEST_LINES_MAX : LINES_MAX
  if (lines <= most || LONG.some(({ path }) => path.test(file.path))) return []
  return [`${file.path}: ${lines} lines; past ${most}, look for the second noun`]
}

const dependencies = new Map<string, readonly string[]>()

function dependenciesOf(packageName: string): readonly string[] {
  let found = dependencies.get(packageName)
  if (found === undefined) {
    const path = join(root, 'packages', packageName, 'package.json')
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as Record<string, object | undefined>
    found = ['dependencies', 'optionalDependencies', 'peerDependencies'].flatMap((kind) =>
      Object.keys(manifest[kind] ?? {}),
    )
    dependencies.set(packageName, found)
  }
  return found
}

if (import.meta.main) {
  const found = problems()
  for (const problem of found) console.error(problem)
  process.exitCode = found.length === 0 ? 0 : 1
}
