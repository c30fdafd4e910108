// Who may import whom, as one table. An import runs from a higher floor to a lower one, never along a
// floor and never up; no one imports the server. Inside the server the slices know nothing of HTTP, and
// use each other's nouns only in the order in which they are listed here.
import { posix } from 'node:path'
import { importsOf, isForTests, type SourceFile } from './source-tree.ts'

/** What each package may import of ours. A new package gets its line here. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  base: [],
  sql: [],
  wire: ['base'],
  storage: ['base'],
  client: ['base', 'wire'],
  connectors: ['base', 'wire'],
  producer: ['base', 'wire', 'client'],
  consumer: ['base', 'wire', 'client'],
  server: ['base', 'wire', 'storage', 'sql', 'connectors'],
  agent: ['base', 'wire', 'producer', 'client'],
  cli: ['base', 'wire', 'consumer', 'client'],
  console: ['wire'],
}

/** Which other slices a slice may use, by their nouns. Those that aren't named stand alone. */
const SLICES: Readonly<Record<string, readonly string[]>> = {
  lambda: ['kinesis'],
  firehose: ['kinesis', 'lambda'],
  analytics: ['kinesis', 'lambda', 'firehose'],
}

/** Rooms of the server that a room must not know of. */
const CLOSED_ROOMS: Readonly<Record<string, readonly string[]>> = {
  services: ['http', 'access'],
  platform: ['services'],
  access: ['services'],
  http: ['services'],
}

/** Test libraries of the root, which every test may import. */
const TEST_LIBRARIES = ['fast-check']

/** A sentence for each import that the tables above don't allow. */
export function importProblems(
  file: SourceFile,
  dependenciesOf: (packageName: string) => readonly string[],
): string[] {
  const [, packageName, inside] = /^packages\/([^/]+)\/src\/(.*)$/.exec(file.path) ?? []
  if (packageName === undefined || inside === undefined) return []
  const allowed = PACKAGES[packageName]
  if (allowed === undefined) {
    return [`${file.path}: package ${packageName} has no line in scripts/import-table.ts`]
  }
  return importsOf(file.text).flatMap((specifier) => {
    const problem = specifier.startsWith('.')
      ? relativeProblem(packageName, inside, specifier)
      : outsideProblem(packageName, allowed, specifier, file, dependenciesOf)
    return problem === undefined ? [] : [`${file.path}: imports '${specifier}'; ${problem}`]
  })
}

function outsideProblem(
  packageName: string,
  allowed: readonly string[],
  specifier: string,
  file: SourceFile,
  dependenciesOf: (packageName: string) => readonly string[],
): string | undefined {
  if (specifier.startsWith('node:')) return undefined
  const ours = /^@millrace\/([^/]+)/.exec(specifier)?.[1]
  if (ours !== undefined) {
    if (ours === packageName) return 'inside a package imports are relative'
    if (allowed.includes(ours)) return undefined
    return `${packageName} may import ${allowed.length === 0 ? 'nothing of ours' : allowed.join(', ')}`
  }
  const library = /^(@[^/]+\/[^/]+|[^/]+)/.exec(specifier)?.[1] ?? specifier
  if (dependenciesOf(packageName).includes(library)) return undefined
  if (isForTests(file.path) && TEST_LIBRARIES.includes(library)) return undefined
  return `packages/${packageName}/package.json doesn't name ${library}`
}

function relativeProblem(
  packageName: string,
  inside: string,
  specifier: string,
): string | undefined {
  const target = posix.join(posix.dirname(inside), specifier)
  if (target.startsWith('../')) {
    const isData = target === '../package.json' || target.startsWith('../models/')
    return isData ? undefined : 'relative imports stay inside src'
  }
  if (packageName !== 'server') return undefined
  if (isForTests(inside)) return undefined
  const from = inside.split('/')
  const to = target.split('/')
  if (to.length === 1 && /^(app|main)\.ts$/.test(target) && from.length > 1) {
    return `${target} puts the server together and is imported by programs only`
  }
  if (CLOSED_ROOMS[from[0] ?? '']?.includes(to[0] ?? '')) {
    return `${from[0]}/ knows nothing of ${to[0]}/`
  }
  if (from[0] !== 'services' || to[0] !== 'services' || from[1] === to[1]) return undefined
  if (!SLICES[from[1] ?? '']?.includes(to[1] ?? '')) return `${from[1]} doesn't use ${to[1]}`
  return to[2] === 'operations'
    ? 'of another slice only its nouns, never its operations'
    : undefined
}
