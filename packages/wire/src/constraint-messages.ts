// The words of a ValidationException: walks typed input that failed its checks and lists what is wrong,
// ten at most, in the service's order and phrasing (seen by tests that kinesalite ran against it).
import { patternTest } from './constraints.ts'
import { enumOrder, memberOrder } from './member-order.ts'
import type { Payload } from './payload.ts'
import type { ListShape, MapShape, Shape, StructureShape } from './shape.ts'

const LISTED_MAX = 10

/**
 * Patterns aren't tried on texts longer than this; none that long is legal, and its length is listed.
 * Some patterns would take minutes on megabytes.
 */
const PATTERN_CHARACTERS_MAX = 16 * 1024

export interface ConstraintFailures {
  /** `com.amazonaws.kinesis.v20131202`, which structures in messages are printed with. */
  readonly javaPackage: string
  readonly found: string[]
}

/** The whole message, or undefined when nothing is wrong. */
export function constraintMessage(
  shape: StructureShape,
  input: unknown,
  javaPackage: string,
): string | undefined {
  const failures: ConstraintFailures = { javaPackage, found: [] }
  walkStructure(shape, input as Record<string, unknown>, '', failures)
  const { found } = failures
  if (found.length === 0) return undefined
  const errors = found.length === 1 ? 'error' : 'errors'
  return `${found.length} validation ${errors} detected: ${found.join('; ')}`
}

function walkStructure(
  shape: StructureShape,
  structure: Record<string, unknown>,
  path: string,
  failures: ConstraintFailures,
): void {
  const members = new Map(shape.members.map((member) => [lowerFirst(member.name), member]))
  for (const name of memberOrder(shape.name, [...members.keys()])) {
    const member = members.get(name)
    if (member === undefined) continue
    const value = structure[member.name]
    if (value !== undefined) walk(member.shape, value, `${path}${name}`, failures)
    else if (member.isRequired) note(null, undefined, `${path}${name}`, NOT_NULL, failures)
  }
}

function walk(shape: Shape, value: unknown, path: string, failures: ConstraintFailures): void {
  if (failures.found.length >= LISTED_MAX) return
  for (const text of brokenConstraints(shape, value)) note(shape, value, path, text, failures)
  if (shape.kind === 'structure') {
    walkStructure(shape, value as Record<string, unknown>, `${path}.`, failures)
  }
  if (shape.kind === 'list') walkList(shape, value as readonly unknown[], path, failures)
  if (shape.kind === 'map') walkMap(shape, value as Record<string, unknown>, path, failures)
}

/** Scalar items are complained of together, at the list's own path; others one by one. */
function walkList(
  shape: ListShape,
  list: readonly unknown[],
  path: string,
  failures: ConstraintFailures,
): void {
  if (isScalar(shape.item) && list.some((item) => isPresent(item) && isBroken(shape.item, item))) {
    const text = `Member must satisfy constraint: [${itemConstraints(shape.item).join(', ')}]`
    note(shape, list, path, text, failures)
  }
  for (const [index, item] of list.entries()) {
    walkItem(shape.item, item, `${path}.${index + 1}.member`, failures)
    if (failures.found.length >= LISTED_MAX) return
  }
}

function walkMap(
  shape: MapShape,
  map: Record<string, unknown>,
  path: string,
  failures: ConstraintFailures,
): void {
  if (Object.keys(map).some((key) => isBroken(shape.key, key))) {
    const text = `Map keys must satisfy constraint: [${itemConstraints(shape.key).join(', ')}]`
    note(shape, map, path, text, failures)
  }
  const values = Object.values(map)
  if (
    isScalar(shape.value) &&
    values.some((item) => isPresent(item) && isBroken(shape.value, item))
  ) {
    const text = `Map value must satisfy constraint: [${itemConstraints(shape.value).join(', ')}]`
    note(shape, map, path, text, failures)
  }
  for (const [key, item] of Object.entries(map)) {
    walkItem(shape.value, item, `${path}.${key}.member`, failures)
    if (failures.found.length >= LISTED_MAX) return
  }
}

function walkItem(shape: Shape, item: unknown, path: string, failures: ConstraintFailures): void {
  if (!isPresent(item)) note(null, undefined, path, NOT_NULL, failures)
  else if (!isScalar(shape)) walk(shape, item, path, failures)
}

const NOT_NULL = 'Member must not be null'

function note(
  shape: Shape | null,
  value: unknown,
  path: string,
  text: string,
  failures: ConstraintFailures,
): void {
  if (failures.found.length >= LISTED_MAX) return
  const shown = shape === null ? 'null' : `'${print(shape, value, failures.javaPackage)}'`
  failures.found.push(`Value ${shown} at '${path}' failed to satisfy constraint: ${text}`)
}

/** A member's own constraints that a value breaks, in the service's order: pattern, minimum, maximum. */
function brokenConstraints(shape: Shape, value: unknown): string[] {
  const broken: string[] = []
  if (shape.kind === 'string') {
    const text = value as string
    if (shape.values !== undefined) {
      return shape.values.includes(text) ? [] : [enumText(shape.name, shape.values)]
    }
    const isShort = text.length <= PATTERN_CHARACTERS_MAX
    if (shape.pattern !== undefined && isShort && !patternTest(shape.pattern)(text)) {
      broken.push(patternText(shape.pattern))
    }
  }
  if ('min' in shape) {
    const number = value as number
    if (shape.min !== undefined && number < shape.min) broken.push(valueText('greater', shape.min))
    if (shape.max !== undefined && number > shape.max) broken.push(valueText('less', shape.max))
  }
  if ('lengthMin' in shape) {
    const length = lengthOf(shape, value)
    const { lengthMin, lengthMax } = shape
    if (lengthMin !== undefined && length < lengthMin) broken.push(lengthText('greater', lengthMin))
    if (lengthMax !== undefined && length > lengthMax) broken.push(lengthText('less', lengthMax))
  }
  return broken
}

/** All constraints of a scalar, as lists and maps name them together: maximum, minimum, then the rest. */
function itemConstraints(shape: Shape): string[] {
  const texts: string[] = []
  if ('min' in shape) {
    if (shape.max !== undefined) texts.push(valueText('less', shape.max))
    if (shape.min !== undefined) texts.push(valueText('greater', shape.min))
  }
  if ('lengthMin' in shape) {
    if (shape.lengthMax !== undefined) texts.push(lengthText('less', shape.lengthMax))
    if (shape.lengthMin !== undefined) texts.push(lengthText('greater', shape.lengthMin))
  }
  if (shape.kind === 'string') {
    if (shape.pattern !== undefined) texts.push(patternText(shape.pattern))
    if (shape.values !== undefined) texts.push(enumText(shape.name, shape.values))
  }
  return texts
}

function isBroken(shape: Shape, value: unknown): boolean {
  return brokenConstraints(shape, value).length > 0
}

function isScalar(shape: Shape): boolean {
  return shape.kind !== 'structure' && shape.kind !== 'list' && shape.kind !== 'map'
}

function isPresent(value: unknown): boolean {
  return value !== null && value !== undefined
}

function lengthOf(shape: Shape, value: unknown): number {
  switch (shape.kind) {
    case 'blob':
      return (value as Payload).byteLength
    case 'map':
      return Object.keys(value as object).length
    default:
      return (value as string | readonly unknown[]).length
  }
}

function patternText(pattern: string): string {
  return `Member must satisfy regular expression pattern: ${shownPattern(pattern)}`
}

function enumText(shape: string, values: readonly string[]): string {
  return `Member must satisfy enum value set: [${enumOrder(shape, values).join(', ')}]`
}

function lengthText(side: 'greater' | 'less', length: number): string {
  return `Member must have length ${side} than or equal to ${length}`
}

function valueText(side: 'greater' | 'less', value: number): string {
  return `Member must have value ${side} than or equal to ${value}`
}

/** Messages show patterns without anchors, and without the group that anchors need. */
export function shownPattern(pattern: string): string {
  const bare = pattern.replace(/^\^/, '').replace(/(?<!\\)\$$/, '')
  return isAnchored(pattern) && isOneGroup(bare) ? bare.slice(1, -1) : bare
}

function isAnchored(pattern: string): boolean {
  return pattern.startsWith('^') && pattern.endsWith('$')
}

/** Whether the bracket that opens the text is closed by the one that ends it. */
function isOneGroup(text: string): boolean {
  if (!text.startsWith('(') || !text.endsWith(')')) return false
  let depth = 0
  for (let index = 0; index < text.length; index++) {
    const character = text[index]
    if (character === '\\') index += 1
    else if (character === '(') depth += 1
    else if (character === ')' && --depth === 0) return index === text.length - 1
  }
  return false
}

/** A value as Java prints it. */
function print(shape: Shape, value: unknown, javaPackage: string): string {
  if (!isPresent(value)) return 'null'
  switch (shape.kind) {
    case 'blob': {
      const { byteLength } = value as Payload
      return `java.nio.HeapByteBuffer[pos=0 lim=${byteLength} cap=${byteLength}]`
    }
    case 'list': {
      const items = value as readonly unknown[]
      return `[${items.map((item) => print(shape.item, item, javaPackage)).join(', ')}]`
    }
    case 'map': {
      const entries = Object.entries(value as Record<string, unknown>)
      const shown = entries.map(([key, item]) => `${key}=${print(shape.value, item, javaPackage)}`)
      return `{${shown.join(', ')}}`
    }
    case 'structure':
      return `${javaPackage}.${shape.name}@${identity(shape, value, javaPackage)}`
    default:
      return String(value)
  }
}

/** Stands where Java prints an object's hash, which nobody can foretell: eight hex digits of the content. */
function identity(shape: StructureShape, value: unknown, javaPackage: string): string {
  const structure = value as Record<string, unknown>
  const content = shape.members
    .map((member) => print(member.shape, structure[member.name], javaPackage))
    .join()
  let hash = 0x811c9dc5
  for (let index = 0; index < content.length; index++) {
    hash = Math.imul(hash ^ content.charCodeAt(index), 0x01000193)
  }
  return (hash >>> 0).toString(16).padStart(8, '0')
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}
