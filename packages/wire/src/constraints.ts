// The constraints of the model as compiled yes/no checks over typed input. They allocate nothing and build
// no paths: when one says no, constraint-messages.ts walks again and finds the words.

import type { Payload } from './payload.ts'
import { shortCheck } from './put-records-entry.ts'
import type {
  BlobShape,
  ListShape,
  MapShape,
  NumberShape,
  Shape,
  StringShape,
  StructureShape,
} from './shape.ts'

/** Whether a value that is present satisfies its shape, all the way down. */
export type Check = (value: unknown) => boolean

/** Makes checks; shapes that refer to themselves share theirs. `undefined`: nothing to check. */
export class ConstraintChecks {
  readonly #checks = new Map<Shape, Check | undefined>()

  of(shape: Shape): Check | undefined {
    if (this.#checks.has(shape)) return this.#checks.get(shape)
    this.#checks.set(shape, (value) => (check === undefined ? true : check(value)))
    const check = this.#compile(shape)
    this.#checks.set(shape, check)
    return check
  }

  #compile(shape: Shape): Check | undefined {
    switch (shape.kind) {
      case 'string':
        return stringCheck(shape)
      case 'integer':
      case 'long':
      case 'double':
      case 'float':
        return numberCheck(shape)
      case 'blob':
        return blobCheck(shape)
      case 'boolean':
      case 'timestamp':
        return undefined
      case 'list':
        return listCheck(shape, this.of(shape.item))
      case 'map':
        return mapCheck(shape, this.of(shape.key), this.of(shape.value))
      case 'structure':
        return structureCheck(shape, (member) => this.of(member))
    }
  }
}

function structureCheck(
  shape: StructureShape,
  checkOf: (shape: Shape) => Check | undefined,
): Check | undefined {
  const checked = shape.members
    .map((member) => ({ ...member, check: checkOf(member.shape) }))
    .filter((member) => member.isRequired || member.check !== undefined)
  if (checked.length === 0) return undefined
  const names = checked.map((member) => member.name)
  const isRequired = checked.map((member) => member.isRequired)
  const checks = checked.map((member) => member.check)
  return shortCheck(shape, (value) => {
    const structure = value as Record<string, unknown>
    for (let index = 0; index < names.length; index++) {
      const found = structure[names[index] as string]
      if (found === undefined) {
        if (isRequired[index]) return false
      } else {
        const check = checks[index]
        if (check !== undefined && !check(found)) return false
      }
    }
    return true
  })
}

/** Null items are never right. */
function listCheck(shape: ListShape, check: Check | undefined): Check {
  const { lengthMin = 0, lengthMax = Number.POSITIVE_INFINITY } = shape
  return (value) => {
    const list = value as readonly unknown[]
    if (list.length < lengthMin || list.length > lengthMax) return false
    for (let index = 0; index < list.length; index++) {
      const item = list[index]
      if (item === null || item === undefined) return false
      if (check !== undefined && !check(item)) return false
    }
    return true
  }
}

/** Null values are never right. */
function mapCheck(shape: MapShape, checkKey: Check | undefined, check: Check | undefined): Check {
  const { lengthMin = 0, lengthMax = Number.POSITIVE_INFINITY } = shape
  return (value) => {
    const map = value as Readonly<Record<string, unknown>>
    const keys = Object.keys(map)
    if (keys.length < lengthMin || keys.length > lengthMax) return false
    for (const key of keys) {
      const item = map[key]
      if (item === null || item === undefined) return false
      if (checkKey !== undefined && !checkKey(key)) return false
      if (check !== undefined && !check(item)) return false
    }
    return true
  }
}

function numberCheck(shape: NumberShape): Check | undefined {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = shape
  if (shape.min === undefined && shape.max === undefined) return undefined
  return (value) => (value as number) >= min && (value as number) <= max
}

function blobCheck(shape: BlobShape): Check | undefined {
  const { lengthMin = 0, lengthMax = Number.POSITIVE_INFINITY } = shape
  if (lengthMin === 0 && lengthMax === Number.POSITIVE_INFINITY) return undefined
  return (value) => {
    const { byteLength } = value as Payload
    return byteLength >= lengthMin && byteLength <= lengthMax
  }
}

function stringCheck(shape: StringShape): Check | undefined {
  const { lengthMin = 0, lengthMax = Number.POSITIVE_INFINITY, pattern, values } = shape
  if (values !== undefined) {
    const allowed = new Set(values)
    return (value) => allowed.has(value as string)
  }
  const matches = pattern === undefined ? undefined : patternTest(pattern)
  if (matches === undefined && lengthMin === 0 && lengthMax === Number.POSITIVE_INFINITY) {
    return undefined
  }
  return (value) => {
    const text = value as string
    // Lengths first: some patterns take quadratic time, which bounded texts make harmless.
    if (text.length < lengthMin || text.length > lengthMax) return false
    return matches === undefined || matches(text)
  }
}

/** The characters that a pattern of the form `[…]+` allows, and the digits after the first of a number. */
const CHARACTERS = /^\[((?:[\w.]|\\[.\-_]|-)+)\]\+$/
const DECIMAL = /^\^?\(?0\|\(\[1-9\]\\d\{0,(\d+)\}\)\)?\$?$/

/** Whether a text as a whole matches a pattern of the model. Names and numbers need no regex engine. */
export function patternTest(pattern: string): (text: string) => boolean {
  const digits = DECIMAL.exec(pattern)?.[1]
  if (digits !== undefined) return (text) => isDecimal(text, Number(digits) + 1)
  const whole = new RegExp(`^(?:${pattern})$`)
  if (!CHARACTERS.test(pattern)) return (text) => whole.test(text)
  const allowed = new Uint8Array(128)
  for (let code = 0; code < 128; code++) {
    if (whole.test(String.fromCharCode(code))) allowed[code] = 1
  }
  return (text) => text.length > 0 && hasOnly(text, allowed)
}

function hasOnly(text: string, allowed: Uint8Array): boolean {
  for (let index = 0; index < text.length; index++) {
    // Past the table's end there is undefined, which isn't 1 either.
    if (allowed[text.charCodeAt(index)] !== 1) return false
  }
  return true
}

function isDecimal(text: string, digitsMax: number): boolean {
  const first = text.charCodeAt(0)
  if (first === 48) return text.length === 1
  if (text.length === 0 || text.length > digitsMax) return false
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code < 48 || code > 57) return false
  }
  return true
}
