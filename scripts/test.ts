// Runs the quick tests: `npm test` all of them, `node scripts/test.ts segment wire/` those whose path holds
// one of the words. Each file has a process of its own; failures are printed in full, the rest is counted.
import { globSync } from 'node:fs'
import { join, relative } from 'node:path'
import { type EventData, run } from 'node:test'
import { inspect } from 'node:util'
import { root } from './source-tree.ts'

const PATTERNS = ['packages/*/src/**/*.test.ts', 'sim/**/*.test.ts', 'scripts/*.test.ts']
/** One file's tests are quick; a file that takes this long hangs. */
const FILE_TIMEOUT_MS = 120_000

const words = process.argv.slice(2)
const files = globSync(PATTERNS, { cwd: root, exclude: ['**/node_modules/**'] })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
  .sort()

if (files.length === 0) {
  console.error(`no test file's path holds ${words.join(' or ')}`)
  process.exitCode = 1
} else {
  runTests(files.map((path) => join(root, path)))
}

function runTests(paths: readonly string[]): void {
  console.log(`running ${paths.length} test file${paths.length === 1 ? '' : 's'}`)
  const hung = new AbortController()
  const stream = run({ files: paths, concurrency: true, signal: hung.signal })
  const since = new Map<string, number>()
  // A file's own process has the file's path for a name. Its timers can't end a test that never yields,
  // so it is watched from here, and all is stopped when one hangs.
  stream.on('test:dequeue', ({ name, file }) => {
    if (name === file) since.set(name, performance.now())
  })
  stream.on('test:complete', ({ name }) => since.delete(name))
  const watch = setInterval(() => {
    for (const [file, startedAtMs] of since) {
      if (performance.now() - startedAtMs < FILE_TIMEOUT_MS) continue
      console.error(`\n✖ ${relative(root, file)} hangs: stopped after ${FILE_TIMEOUT_MS / 1000} s`)
      process.exitCode = 1
      clearInterval(watch)
      hung.abort()
    }
  }, 1000)
  stream.on('test:fail', (failure) => {
    process.exitCode = 1
    printFailure(failure)
  })
  // What a test's process says beside its results: a crash before the first test, most of all.
  stream.on('test:stderr', ({ message }) => {
    process.stderr.write(message)
  })
  stream.on('test:summary', (summary) => {
    // Each file has a summary of its own; the one without a file is for all.
    if (summary.file !== undefined) return
    clearInterval(watch)
    const { counts, duration_ms: durationMs } = summary
    const failed = counts.tests - counts.passed - counts.skipped - counts.todo
    console.log(`test files: ${paths.length}, in ${(durationMs / 1000).toFixed(1)} s`)
    console.log(`tests: ${counts.passed} passed, ${failed} failed, ${counts.skipped} skipped`)
    if (!summary.success) process.exitCode = 1
  })
}

function printFailure({ name, file, line, details }: EventData.TestFail): void {
  const { error, type } = details
  // A suite, or a file, fails because of what is in it, which has been printed.
  const isOnlyBearer = type === 'suite' || name === file || /subtests? failed/.test(error.message)
  if (isOnlyBearer && !/exit|signal|timed out/.test(error.message)) return
  const place = file === undefined ? '' : `${relative(root, file)}:${line ?? 0}`
  console.error(`\n✖ ${name}\n  ${place}\n${inspect(error.cause ?? error).replace(/^/gm, '  ')}`)
}
