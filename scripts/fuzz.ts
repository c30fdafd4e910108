// Runs every fuzzer: `npm run fuzz -- --seed N --seconds S [words]`. Without a seed it takes one and prints
// it, so that what it finds can be found again; words choose fuzzers by their paths. A fuzzer is a file
// `x.fuzz.ts` that exports `fuzz(seed, seconds)` and throws what it finds.
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { root } from './source-tree.ts'

const SECONDS_EACH = 5

interface FuzzModule {
  fuzz(seed: number, seconds: number): Promise<void>
}

const { values, positionals } = parseArgs({
  options: { seed: { type: 'string' }, seconds: { type: 'string' } },
  allowPositionals: true,
})
const seed = whole('seed', values.seed ?? String(Date.now() % 2 ** 31))
const seconds = whole('seconds', values.seconds ?? String(SECONDS_EACH))

const paths = globSync(['packages/*/src/**/*.fuzz.ts', 'sim/**/*.fuzz.ts'], {
  cwd: root,
  exclude: ['**/node_modules/**'],
})
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => positionals.length === 0 || positionals.some((word) => path.includes(word)))
  .sort()
if (paths.length === 0) throw new Error('there is no fuzzer whose path holds these words')

console.log(`seed ${seed}, ${seconds} s each`)
for (const path of paths) {
  const { fuzz } = (await import(pathToFileURL(join(root, path)).href)) as FuzzModule
  try {
    await fuzz(seed, seconds)
    console.log(`${path}: nothing found`)
  } catch (error) {
    console.error(`${path}: again with npm run fuzz -- --seed ${seed} --seconds ${seconds} ${path}`)
    console.error(error)
    process.exitCode = 1
  }
}

function whole(name: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new Error(`--${name} takes a whole number, not ${text}`)
  return Number(text)
}
