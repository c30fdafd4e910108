// Begins an API operation: `npm run new-operation -- kinesis SplitShard` writes its file and its test,
// packages/server/src/services/kinesis/operations/split-shard.ts and split-shard.test.ts, and says which
// lines service.ts needs. The test fails until it says what the operation is for and the operation does
// it; listed before that, the operation answers InternalFailure, never a 200 for nothing. Codec,
// validation, access, metrics and docs follow from the contract.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServiceModel } from '../packages/wire/src/contract.ts'
import { root } from './source-tree.ts'

const [api, name] = process.argv.slice(2)
if (api === undefined || name === undefined) refuse('say which API and which operation')

const modelPath = join(root, 'packages/wire/models', `${api}.json`)
if (!existsSync(modelPath)) refuse(`there is no model of ${api} in packages/wire/models`)
const model = JSON.parse(readFileSync(modelPath, 'utf8')) as ServiceModel
const contract = model.operations[name]
if (contract === undefined) {
  const near = Object.keys(model.operations).filter((each) => each.startsWith(name.slice(0, 4)))
  refuse(`${api} has no operation ${name}${near.length > 0 ? `; it has ${near.join(', ')}` : ''}`)
}

const slice = join(root, 'packages/server/src/services', api)
const path = join(slice, 'operations', `${kebabCase(name)}.ts`)
const testPath = path.replace(/ts$/, 'test.ts')
for (const each of [path, testPath]) {
  if (existsSync(each)) refuse(`${fromRoot(each)} is there already`)
}
if (!existsSync(slice)) refuse(`there is no slice ${fromRoot(slice)}`)

const parts = exported(join(slice, 'parts.ts'), /export interface (\w+Parts)\b/)
const stand = exported(join(slice, 'testing.ts'), /export async function (test\w+)\b/)
const table = api.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
const variable = name.charAt(0).toLowerCase() + name.slice(1)
writeFileSync(path, skeleton())
writeFileSync(testPath, failingTest())
console.log(`${fromRoot(path)} and its test are begun. In service.ts:
  import { ${variable} } from './operations/${kebabCase(name)}.ts'
  and ${variable} in the list of operations. Then: npm test -- ${kebabCase(name)}`)

function skeleton(): string {
  const errors = (contract?.errors ?? []).join(', ')
  return `// ${name}: what it means, in a sentence.
// Takes ${contract?.in ?? 'nothing'}, answers ${contract?.out ?? 'nothing'}.
// May throw: ${errors === '' ? 'nothing of its own' : errors}.
import { ${table} } from '@millrace/wire/services/${api}'
import { operation } from '../../../platform/operation.ts'
import type { ${parts} } from '../parts.ts'

export const ${variable} = operation(${table}.${name}, (_call, _parts: ${parts}) => {
  throw new Error('${name} is begun, but not written')
})
`
}

function failingTest(): string {
  return `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ${table} } from '@millrace/wire/services/${api}'
import { ${stand} } from '../testing.ts'

test('${name}: what a client sees of it, in a sentence', async () => {
  const { call } = await ${stand}()
  // What goes in, and what comes out.
  assert.deepEqual(await call(${table}.${name}, {} as never), 'its answer')
})
`
}

/** A mistake of who asked: a sentence and how to ask, no stack. */
function refuse(message: string): never {
  console.error(`new-operation: ${message}. Usage: npm run new-operation -- kinesis SplitShard`)
  process.exit(1)
}

/** What a file of the slice calls the thing that every slice has. */
function exported(file: string, name: RegExp): string {
  const found = existsSync(file) ? name.exec(readFileSync(file, 'utf8'))?.[1] : undefined
  if (found === undefined) refuse(`${fromRoot(file)} has no ${name.source}`)
  return found
}

function fromRoot(file: string): string {
  return file.slice(root.length + 1)
}

function kebabCase(text: string): string {
  return text.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase()
}
