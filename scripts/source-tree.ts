// The repository's TypeScript files as the checks see them: path, text, what they import.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '..')

export interface SourceFile {
  /** From the root, with `/`. */
  readonly path: string
  readonly text: string
}

/** Every source file of packages, scripts and sim, tests included. */
export function sourceFiles(): SourceFile[] {
  const patterns = ['packages/*/src/**/*.{ts,tsx}', 'scripts/**/*.ts', 'sim/**/*.ts']
  return globSync(patterns, { cwd: root, exclude: ['**/node_modules/**'] })
    .map((path) => path.replaceAll('\\', '/'))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

/** What a file imports or re-exports, statically or not; types too. */
export function importsOf(text: string): string[] {
  const code = withoutComments(text)
  const statements = code.matchAll(/^(?:import|export|\})[^'\n]*\bfrom '([^'\n]+)'/gm)
  const others = code.matchAll(/^import '([^'\n]+)'|\bimport\(\s*'([^'\n]+)'/gm)
  return [...statements, ...others].map((match) => (match[1] ?? match[2]) as string)
}

/** The text without comments; a `//` inside a string may take the rest of its line with it. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
}

/** Tests, fuzzers, benchmarks, and what only they import: exempt from what keeps the product simulable. */
export function isForTests(path: string): boolean {
  return /\.(test|fuzz|bench)\.ts$|(^|\/)(testing|conformance)(\/|\.ts$)/.test(path)
}
