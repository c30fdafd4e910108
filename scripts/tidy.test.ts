// The checks that keep the tree in order, each shown a tree that isn't.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importProblems } from './import-table.ts'
import { entranceProblems, lengthProblems } from './tidy.ts'

const dependenciesOf = (name: string): readonly string[] => (name === 'wire' ? ['some-codec'] : [])

function imports(path: string, specifier: string): string[] {
  return importProblems({ path, text: `import { x } from '${specifier}'\n` }, dependenciesOf)
}

test('a package may import from lower floors only', () => {
  assert.deepEqual(imports('packages/server/src/app.ts', '@millrace/wire/codec'), [])
  assert.deepEqual(imports('packages/wire/src/codec.ts', '@millrace/storage/engine'), [
    "packages/wire/src/codec.ts: imports '@millrace/storage/engine'; wire may import base",
  ])
  assert.equal(imports('packages/storage/src/a.ts', '@millrace/wire/errors').length, 1)
  assert.equal(imports('packages/cli/src/a.ts', '@millrace/server/app').length, 1)
})

test('inside a package imports are relative and stay inside', () => {
  assert.equal(imports('packages/wire/src/a.ts', '@millrace/wire/b').length, 1)
  assert.equal(imports('packages/wire/src/a.ts', '../../base/src/clock.ts').length, 1)
  assert.deepEqual(imports('packages/server/src/version.ts', '../package.json'), [])
  assert.deepEqual(
    imports('packages/wire/src/services/kinesis.ts', '../../models/kinesis.json'),
    [],
  )
})

test('a library must be named in the package that imports it', () => {
  assert.deepEqual(imports('packages/wire/src/a.ts', 'some-codec'), [])
  assert.equal(imports('packages/base/src/a.ts', 'some-codec').length, 1)
  assert.deepEqual(imports('packages/base/src/a.test.ts', 'fast-check'), [])
  assert.equal(imports('packages/base/src/a.ts', 'fast-check').length, 1)
})

test('slices know nothing of HTTP and use only nouns of the slices before them', () => {
  const put = 'packages/server/src/services/kinesis/operations/put-record.ts'
  assert.equal(imports(put, '../../../http/message.ts').length, 1)
  assert.deepEqual(imports(put, '../streams.ts'), [])
  const source = 'packages/server/src/services/firehose/source.ts'
  assert.deepEqual(imports(source, '../kinesis/streams.ts'), [])
  assert.equal(imports(source, '../kinesis/operations/put-record.ts').length, 1)
  assert.equal(imports('packages/server/src/services/kinesis/a.ts', '../sqs/queues.ts').length, 1)
})

test('rooms below the slices do not know them, nor the program that puts all together', () => {
  const catalog = 'packages/server/src/platform/catalog.ts'
  assert.equal(imports(catalog, '../services/kinesis/streams.ts').length, 1)
  assert.equal(imports(catalog, '../app.ts').length, 1)
  assert.deepEqual(imports('packages/server/src/main.ts', './app.ts'), [])
})

test('imports in comments do not count, dynamic and type imports do', () => {
  const path = 'packages/base/src/a.ts'
  const commented = "// import { x } from '@millrace/wire/a'\n/* from '@millrace/wire/b' */\n"
  assert.deepEqual(importProblems({ path, text: commented }, dependenciesOf), [])
  const text = "import type { X } from '@millrace/wire/a'\nawait import('@millrace/wire/b')\n"
  assert.equal(importProblems({ path, text }, dependenciesOf).length, 2)
  const others =
    "import {\n  x,\n} from '@millrace/wire/c'\nimport '@millrace/wire/d'\nexport * from '@millrace/wire/e'\n"
  assert.equal(importProblems({ path, text: others }, dependenciesOf).length, 3)
  const message = "const text = `expired: it is later than from '@millrace/wire/f'`\n"
  assert.deepEqual(importProblems({ path, text: message }, dependenciesOf), [])
})

test('time, timers, chance and disk enter only where they are listed', () => {
  const enters = (text: string, path = 'packages/server/src/a.ts'): number =>
    entranceProblems({ path, text }).length
  assert.equal(enters('const now = Date.now()'), 1)
  assert.equal(enters('setTimeout(run, 5)'), 1)
  assert.equal(enters("import { sleep } from 'node:timers/promises'"), 1)
  assert.equal(enters('Math.random()'), 1)
  assert.equal(enters("import { open } from 'node:fs/promises'"), 1)
  assert.equal(enters('// Date.now is the clock'), 0)
  assert.equal(enters('session.setTimeout(5, close)'), 0)
  assert.equal(enters('new Date(atMs)'), 0)
  assert.equal(enters('Date.now()', 'packages/server/src/a.test.ts'), 0)
  assert.equal(enters('Date.now()', 'packages/cli/src/a.ts'), 0)
  assert.equal(enters('Date.now()', 'packages/base/src/clock.ts'), 0)
})

test('long files are listed, generated ones excepted', () => {
  const text = 'x\n'.repeat(501)
  assert.equal(lengthProblems({ path: 'packages/server/src/a.ts', text }).length, 1)
  assert.equal(lengthProblems({ path: 'packages/wire/src/services/a.ts', text }).length, 0)
  assert.equal(lengthProblems({ path: 'scripts/a.ts', text: 'x\n'.repeat(500) }).length, 0)
})
