// Prints packages/wire/src/services/<api>.ts from packages/wire/models/<api>.json: a type for every
// structure and a table of operations. `npm run generate` writes them all; scripts/tidy.ts asks the
// same functions whether the files in the tree are what they would be.
//
// One type serves both directions: blobs are `Payload`, timestamps are milliseconds since 1970, and
// an event stream is an async iterable whose errors are thrown, so only its events have members.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MemberModel, ServiceModel, StructureModel } from '../packages/wire/src/contract.ts'

const root = join(import.meta.dirname, '..')
const modelsFolder = join(root, 'packages/wire/models')
const servicesFolder = join(root, 'packages/wire/src/services')

export interface GeneratedFile {
  /** Absolute. */
  readonly path: string
  readonly text: string
}

/** Every generated file, as it should be. */
export function generateAll(): GeneratedFile[] {
  return readdirSync(modelsFolder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => {
      const api = file.slice(0, -'.json'.length)
      const path = join(servicesFolder, `${api}.ts`)
      const model = JSON.parse(readFileSync(join(modelsFolder, file), 'utf8')) as ServiceModel
      return { path, text: format(path, generate(api, model)) }
    })
}

/** The unformatted source text for one API. */
export function generate(api: string, model: ServiceModel): string {
  const types: string[] = []
  for (const [name, shape] of Object.entries(model.shapes)) {
    if (typeof shape === 'string') continue
    if (shape.type === 'structure' && !shape.error) types.push(structure(model, name, shape))
    if (shape.type === 'string' && shape.enum !== undefined) {
      types.push(`export type ${name} = ${shape.enum.map(quote).join(' | ')}`)
    }
  }
  const operations = Object.entries(model.operations).map(([name, operation]) => {
    const input = operation.in ?? '{ [member: string]: never }'
    const output = operation.out ?? 'void'
    return `  ${name}: operationContract<${input}, ${output}>(service, ${quote(name)}),`
  })
  const body = types.join('\n\n')
  const usesPayload = /\bPayload\b/.test(body)
  return [
    `// Printed by scripts/generate-contract.ts from models/${api}.json (${model.metadata.source}). Do not edit.`,
    `import model from '../../models/${api}.json' with { type: 'json' }`,
    `import { operationContract, type ServiceContract, type ServiceModel } from '../contract.ts'`,
    ...(usesPayload ? [`import type { Payload } from '../payload.ts'`] : []),
    '',
    body,
    '',
    `const service: ServiceContract = { name: ${quote(api)}, model: model as unknown as ServiceModel }`,
    '',
    `export const ${camelCase(api)} = {`,
    '  service,',
    ...operations,
    '}',
    '',
  ].join('\n')
}

function structure(model: ServiceModel, name: string, shape: StructureModel): string {
  const members = Object.entries(shape.members).flatMap(([member, reference]) => {
    if (shape.eventstream && isError(model, shapeName(reference))) return []
    const mark = shape.required?.includes(member) ? '' : '?'
    return [`  ${key(member)}${mark}: ${typeOf(model, shapeName(reference))}`]
  })
  if (members.length === 0) return `export type ${name} = { [member: string]: never }`
  return `export interface ${name} {\n${members.join('\n')}\n}`
}

/** The type expression for a use of a shape: structures and enums by name, everything else spelled out. */
function typeOf(model: ServiceModel, name: string): string {
  const shape = model.shapes[name]
  if (shape === undefined) throw new Error(`no shape ${name}`)
  const type = typeof shape === 'string' ? shape : shape.type
  switch (type) {
    case 'string':
      return typeof shape === 'object' && 'enum' in shape ? name : 'string'
    case 'integer':
    case 'long':
    case 'double':
    case 'float':
    case 'timestamp':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'blob':
      return 'Payload'
    default:
  }
  if (typeof shape === 'string') throw new Error(`unknown type ${shape} of ${name}`)
  switch (shape.type) {
    case 'structure':
      return shape.eventstream ? `AsyncIterable<${name}>` : name
    case 'list': {
      const item = typeOf(model, shapeName(shape.of))
      return `readonly ${item.startsWith('readonly ') ? `(${item})` : item}[]`
    }
    case 'map':
      return `{ [key: string]: ${typeOf(model, shapeName(shape.value))} }`
    default:
      throw new Error(`unknown type ${shape.type} of ${name}`)
  }
}

function isError(model: ServiceModel, name: string): boolean {
  const shape = model.shapes[name]
  return typeof shape === 'object' && shape.type === 'structure' && shape.error === true
}

function shapeName(reference: string | MemberModel): string {
  return typeof reference === 'string' ? reference : reference.shape
}

function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quote(name)
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}

function camelCase(api: string): string {
  return api.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
}

/** Generated files are formatted like all others, so that one check covers the tree. */
function format(path: string, text: string): string {
  const biome = join(root, 'node_modules/.bin/biome')
  const run = spawnSync(biome, ['format', `--stdin-file-path=${path}`], {
    cwd: root,
    input: text,
    encoding: 'utf8',
  })
  if (run.status !== 0) throw new Error(`biome can't format ${path}: ${run.stderr}`)
  return run.stdout
}

if (import.meta.main) {
  for (const file of generateAll()) {
    writeFileSync(file.path, file.text)
    console.log(file.path.slice(root.length + 1))
  }
}
