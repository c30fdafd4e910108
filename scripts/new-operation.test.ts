// The script on a copy of the packages: what it writes must be right in every respect but one, that
// nobody has said yet what the operation does.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { root } from './source-tree.ts'

const copy = mkdtempSync(join(tmpdir(), 'millrace-new-operation-'))
after(() => rmSync(copy, { recursive: true }))

const MODEL = 'packages/wire/models/kinesis.json'
/** One that is put into the copy's model, and that nobody has built. */
const NAME = 'FoldStream'
const SLICE = 'packages/server/src/services/kinesis'
const OPERATION = `${SLICE}/operations/fold-stream.ts`
const TEST = `${SLICE}/operations/fold-stream.test.ts`

function copyPackages(): void {
  const filter = (path: string): boolean => !path.includes('node_modules')
  for (const folder of ['packages', 'scripts']) {
    cpSync(join(root, folder), join(copy, folder), { recursive: true, filter })
  }
  mkdirSync(join(copy, 'node_modules/@millrace'), { recursive: true })
  for (const name of ['base', 'server', 'storage', 'wire']) {
    symlinkSync(
      join(copy, 'packages', name),
      join(copy, 'node_modules/@millrace', name),
      'junction',
    )
  }
  edit(MODEL, (text) => {
    const model = JSON.parse(text)
    model.operations[NAME] = { ...model.operations.DeleteStream }
    return JSON.stringify(model)
  })
  edit('packages/wire/src/services/kinesis.ts', (text) =>
    text.replace(
      /^ *DeleteStream: .*$/m,
      (line) => `${line}\n${line.replaceAll('DeleteStream', NAME)}`,
    ),
  )
}

function edit(path: string, change: (text: string) => string): void {
  const file = join(copy, path)
  const text = readFileSync(file, 'utf8')
  const changed = change(text)
  assert.notEqual(changed, text, `${path} has changed`)
  writeFileSync(file, changed)
}

function node(...args: string[]): { status: number | null; text: string } {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: copy,
    encoding: 'utf8',
    env,
  })
  return { status, text: stdout + stderr }
}

function begin(...args: string[]): { status: number | null; text: string } {
  return node('scripts/new-operation.ts', ...args)
}

test('an operation is begun with a test that fails until it is listed, and then until it is written', () => {
  copyPackages()
  const begun = begin('kinesis', NAME)
  assert.equal(begun.status, 0, begun.text)

  const unlisted = node('--test', TEST)
  assert.equal(unlisted.status, 1)
  assert.match(unlisted.text, /FoldStream is not built/)

  const [, line = '', variable = ''] = /^ {2}(import .*)\n {2}and (\w+) in/m.exec(begun.text) ?? []
  edit(`${SLICE}/service.ts`, (text) =>
    text
      .replace(/^import \{ getRecords/m, (found) => `${line}\n${found}`)
      .replace(/^ {2}getRecords,/m, (found) => `  ${variable},\n${found}`),
  )
  const listed = node('--test', TEST)
  assert.equal(listed.status, 1)
  assert.match(listed.text, /FoldStream is begun, but not written/)

  edit(OPERATION, (text) => text.replace(/throw new Error\(.*\)/, "return 'its answer' as never"))
  const written = node('--test', TEST)
  assert.equal(written.status, 0, written.text)
})

test('nothing is written over, and what cannot be begun is said', () => {
  const before = readFileSync(join(copy, OPERATION), 'utf8')
  for (const [args, message] of [
    [['kinesis', NAME], /fold-stream\.ts is there already/],
    [['kinesis', 'Fold'], /kinesis has no operation Fold; it has FoldStream/],
    [['origami', NAME], /no model of origami/],
    [['kinesis'], /say which API and which operation/],
  ] as const) {
    const refused = begin(...args)
    assert.equal(refused.status, 1)
    assert.match(refused.text, message)
  }
  assert.equal(readFileSync(join(copy, OPERATION), 'utf8'), before)
})
