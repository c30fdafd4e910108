// Begins the file of an API operation: `npm run new-operation -- kinesis PutRecord` writes
// packages/server/src/services/kinesis/operations/put-record.ts and says which lines service.ts needs.
// Nothing else is to be done: codec, validation, access, metrics and docs follow from the contract.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServiceModel } from '../packages/wire/src/contract.ts'
import { root } from './source-tree.ts'

const [api, name] = process.argv.slice(2)
if (api === undefined || name === undefined) throw new Error('say which API and which operation')

const modelPath = join(root, 'packages/wire/models', `${api}.json`)
if (!existsSync(modelPath)) throw new Error(`there is no model of ${api} in packages/wire/models`)
const model = JSON.parse(readFileSync(modelPath, 'utf8')) as ServiceModel
const contract = model.operations[name]
if (contract === undefined) {
  throw new Error(`${api} has ${Object.keys(model.operations).join(', ')}; no ${name}`)
}

const slice = join(root, 'packages/server/src/services', api)
const path = join(slice, 'operations', `${kebabCase(name)}.ts`)
if (existsSync(path)) throw new Error(`${path.slice(root.length + 1)} is there already`)
if (!existsSync(slice)) throw new Error(`there is no slice ${slice.slice(root.length + 1)}`)

const parts = partsOf(slice)
const table = api.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
const variable = name.charAt(0).toLowerCase() + name.slice(1)
writeFileSync(path, skeleton())
console.log(`${path.slice(root.length + 1)} is begun. In service.ts:
  import { ${variable} } from './operations/${kebabCase(name)}.ts'
  and ${variable} in the list of operations.`)

/** It doesn't compile until it answers: the handler's result is the contract's output. */
function skeleton(): string {
  const errors = (contract?.errors ?? []).join(', ')
  return `// ${name}: what it means, in a sentence.
// Takes ${contract?.in ?? 'nothing'}, answers ${contract?.out ?? 'nothing'}.
// May throw: ${errors === '' ? 'nothing of its own' : errors}.
import { ${table} } from '@millrace/wire/services/${api}'
import { operation } from '../../../platform/operation.ts'
import type { ${parts} } from '../parts.ts'

export const ${variable} = operation(
  ${table}.${name},
  ({ input, context }, parts: ${parts}) => {},
)
`
}

function partsOf(folder: string): string {
  const file = join(folder, 'parts.ts')
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  return /export interface (\w+Parts)\b/.exec(text)?.[1] ?? 'Parts'
}

function kebabCase(text: string): string {
  return text.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase()
}
