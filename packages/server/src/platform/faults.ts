// What the tester wants to go wrong: rules by operation and stream, each with a rate and a seed, so
// that the same requests in the same order fail the same way again. The first rule that strikes
// decides; rules that match but don't strike draw their lot all the same.
import { type Random, seededRandom } from '@millrace/base/random'
import { namedStream, type StreamOf } from './named-stream.ts'
import type { Fault, FaultHook } from './ports.ts'

export interface FaultRule {
  /** Operation names; all when left out. */
  readonly operations?: readonly string[]
  /** Name of a stream; all when left out. */
  readonly stream?: string
  readonly kind: Fault['kind']
  /** From 0 to 1; 1 when left out. */
  readonly rate: number
  /** Of `lag`: milliseconds of service time. */
  readonly ms?: number
  /** Of `error`: short name of the error. */
  readonly error?: string
  readonly message?: string
  /** Of `error`: HTTP status. */
  readonly status?: number
  /** Of `cut`: whether the operation takes effect first. */
  readonly afterRun?: boolean
  readonly seed: number
}

/** A rule in force, and how often it has struck. */
export interface RuleInForce extends FaultRule {
  readonly hits: number
}

interface Active {
  readonly rule: FaultRule
  readonly operations: ReadonlySet<string> | undefined
  readonly lots: Random
  readonly fault: Fault
  hits: number
}

export class Faults implements FaultHook {
  readonly #streamOf: StreamOf
  #active: Active[] = []
  #isStreamAsked = false

  /** `streamOf` may be slow: it is asked only while a rule is about one stream. */
  constructor(streamOf: StreamOf = namedStream) {
    this.#streamOf = streamOf
  }

  /** Puts these rules in the place of all before. */
  set(rules: readonly FaultRule[]): void {
    this.#isStreamAsked = rules.some((rule) => rule.stream !== undefined)
    this.#active = rules.map((rule) => ({
      rule,
      operations: rule.operations === undefined ? undefined : new Set(rule.operations),
      lots: seededRandom(rule.seed),
      fault: faultOf(rule),
      hits: 0,
    }))
  }

  rules(): RuleInForce[] {
    return this.#active.map(({ rule, hits }) => ({ ...rule, hits }))
  }

  before(_service: string, operation: string, input: unknown): Fault | undefined {
    if (this.#active.length === 0) return undefined
    const stream = this.#isStreamAsked ? this.#streamOf(input) : undefined
    let struck: Active | undefined
    for (const each of this.#active) {
      if (each.operations?.has(operation) === false) continue
      if (each.rule.stream !== undefined && each.rule.stream !== stream) continue
      if (each.lots.float() < each.rule.rate) struck ??= each
    }
    if (struck === undefined) return undefined
    struck.hits++
    return struck.fault
  }
}

function faultOf(rule: FaultRule): Fault {
  switch (rule.kind) {
    case 'throttle':
      return { kind: 'throttle' }
    case 'lag':
      return { kind: 'lag', ms: rule.ms ?? 0 }
    case 'cut':
      return { kind: 'cut', isAfterRun: rule.afterRun ?? false }
    case 'error':
      return {
        kind: 'error',
        type: rule.error ?? 'InternalFailure',
        ...(rule.message === undefined ? {} : { message: rule.message }),
        ...(rule.status === undefined ? {} : { status: rule.status }),
      }
  }
}

/** Reads `{"rules": […]}` as the tester sends it; what is wrong comes back as a sentence. */
export function readRules(
  body: Record<string, unknown>,
  known: { readonly operations: ReadonlySet<string>; readonly random: Random },
): FaultRule[] | string {
  const stray = Object.keys(body).find((name) => name !== 'rules')
  if (stray !== undefined) return `There is no member "${stray}" beside "rules".`
  if (!Array.isArray(body.rules)) return '"rules" must be a list of rules.'
  if (body.rules.length > RULES_MAX) return `"rules" may hold ${RULES_MAX} rules at most.`
  const rules: FaultRule[] = []
  for (const [index, rule] of body.rules.entries()) {
    const problem = problemOf(rule, known.operations)
    if (problem !== undefined) return `Rule ${index + 1}: ${problem}`
    rules.push({ rate: 1, seed: known.random.integer(2 ** 31), ...(rule as object) } as FaultRule)
  }
  return rules
}

const RULES_MAX = 100
const LAG_MS_MAX = 3_600_000

/** What each member of a rule must be, as a check and as words. */
const MEMBERS: Readonly<Record<string, readonly [(value: unknown) => boolean, string]>> = {
  operations: [
    (value) => Array.isArray(value) && value.every((each) => typeof each === 'string'),
    'a list of operation names',
  ],
  stream: [(value) => typeof value === 'string', "a stream's name"],
  kind: [(value) => KINDS.has(value as string), '"throttle", "error", "lag" or "cut"'],
  rate: [(value) => typeof value === 'number' && value >= 0 && value <= 1, 'a number from 0 to 1'],
  ms: [(value) => isInteger(value, 0, LAG_MS_MAX), `a whole number from 0 to ${LAG_MS_MAX}`],
  error: [
    (value) => typeof value === 'string' && /^[A-Za-z]{1,100}$/.test(value),
    "an error's short name, such as InternalFailure",
  ],
  message: [(value) => typeof value === 'string', 'a text'],
  status: [(value) => isInteger(value, 400, 599), 'an HTTP status from 400 to 599'],
  afterRun: [(value) => typeof value === 'boolean', 'true or false'],
  seed: [(value) => isInteger(value, 0, 2 ** 32 - 1), 'a whole number from 0 to 4294967295'],
}

const KINDS: ReadonlySet<string> = new Set(['throttle', 'error', 'lag', 'cut'])

/** Which kinds a member belongs to, where not to all. */
const KINDS_OF: Readonly<Record<string, string>> = {
  ms: 'lag',
  error: 'error',
  message: 'error',
  status: 'error',
  afterRun: 'cut',
}

function problemOf(rule: unknown, operations: ReadonlySet<string>): string | undefined {
  if (typeof rule !== 'object' || rule === null || Array.isArray(rule))
    return 'it must be an object such as {"operations":["PutRecords"],"kind":"throttle"}.'
  const given = rule as Record<string, unknown>
  for (const [name, value] of Object.entries(given)) {
    const member = Object.hasOwn(MEMBERS, name) ? MEMBERS[name] : undefined
    if (member === undefined)
      return `there is no member "${name}"; there are ${Object.keys(MEMBERS).join(', ')}.`
    const [isAllowed, words] = member
    if (!isAllowed(value)) return `"${name}" must be ${words}.`
  }
  const { kind } = given
  if (kind === undefined) return `"kind" must be ${MEMBERS.kind?.[1]}.`
  for (const [name, of] of Object.entries(KINDS_OF)) {
    if (given[name] !== undefined && kind !== of) return `"${name}" belongs to kind "${of}" only.`
  }
  if (kind === 'lag' && given.ms === undefined) return '"lag" needs "ms".'
  if (kind === 'error' && given.error === undefined) return '"error" needs "error", its name.'
  for (const operation of (given.operations as string[] | undefined) ?? []) {
    if (!operations.has(operation)) return `there is no operation ${operation}.`
  }
  return undefined
}

function isInteger(value: unknown, min: number, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max
}
