// Settings from their sources: a flag wins over the environment, the environment over
// `millrace.config.json` in the working folder, the file over the default. Reading is pure: arguments,
// environment and the file's text come in, settings or a SettingsError come out.
import { parseArgs } from 'node:util'
import {
  KEYS,
  type Key,
  parseSetting,
  SETTINGS,
  type Settings,
  SettingsError,
  settle,
} from './config.ts'

export const CONFIG_FILE = 'millrace.config.json'

export interface SettingsSources {
  /** Without the program's own name. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** Text of `millrace.config.json`, if there is one. */
  readonly file?: string | undefined
  /** Whether logs go to a terminal. */
  readonly isTerminal?: boolean
}

export type SettingsRead =
  | { readonly kind: 'help' | 'version' }
  | {
      readonly kind: 'settings'
      readonly settings: Settings
      /** What looks like a mistake but need not be one, in sentences. */
      readonly warnings: readonly string[]
    }

/** Reads the settings from all sources; throws SettingsError. */
export function readSettings(sources: SettingsSources): SettingsRead {
  const flags = readFlags(sources.argv)
  if (flags.has('help')) return { kind: 'help' }
  if (flags.has('version')) return { kind: 'version' }
  const file = readFile(sources.file)
  const given = new Map<Key, unknown>()
  for (const key of KEYS) {
    const inFlag = flags.get(key)
    const inEnv = sources.env[variableOf(key)]
    if (inFlag !== undefined) given.set(key, parseSetting(key, inFlag, `--${flagOf(key)}`))
    else if (inEnv !== undefined && inEnv !== '')
      given.set(key, parseSetting(key, inEnv, variableOf(key)))
    else if (file.has(key))
      given.set(key, parseSetting(key, file.get(key)!, `"${flagOf(key)}" in ${CONFIG_FILE}`))
  }
  return {
    kind: 'settings',
    settings: settle(given, sources.isTerminal ?? false),
    warnings: unknownVariables(sources.env),
  }
}

/** By setting; `help` and `version` beside them. */
function readFlags(argv: readonly string[]): Map<Key | 'help' | 'version', string> {
  const flags = new Map<Key | 'help' | 'version', string>()
  const { tokens } = parseArgs({
    args: [...argv],
    options: {
      ...Object.fromEntries(
        KEYS.map((key) => [flagOf(key), { type: isSwitch(key) ? 'boolean' : 'string' } as const]),
      ),
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
    },
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional')
      throw new SettingsError(
        `"${token.value}" stands alone: a value follows its flag, as in --port 4566. --help lists the flags.`,
      )
    const { name, value, rawName } = token
    if (name === 'help' || name === 'version') {
      flags.set(name, 'true')
      continue
    }
    const key = KEYS.find((each) => flagOf(each) === name)
    if (key === undefined)
      throw new SettingsError(unknown(`There is no flag ${rawName}.`, name, '--'))
    if (isSwitch(key)) flags.set(key, value ?? 'true')
    else if (value === undefined || (!token.inlineValue && value.startsWith('--')))
      throw new SettingsError(`${rawName} has no value: it must be ${SETTINGS[key].allowed}.`)
    else flags.set(key, value)
  }
  return flags
}

function readFile(text: string | undefined): Map<Key, string> {
  const values = new Map<Key, string>()
  if (text === undefined) return values
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    throw new SettingsError(`${CONFIG_FILE} isn't JSON: ${(error as Error).message}.`)
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new SettingsError(`${CONFIG_FILE} must hold one object, such as {"port": 4566}.`)
  for (const [name, value] of Object.entries(content)) {
    const key = KEYS.find((each) => flagOf(each) === name)
    if (key === undefined)
      throw new SettingsError(unknown(`${CONFIG_FILE} names no setting with "${name}".`, name, ''))
    if (typeof value === 'object')
      throw new SettingsError(
        `"${name}" in ${CONFIG_FILE} is ${JSON.stringify(value)}: it must be ${SETTINGS[key].allowed}.`,
      )
    values.set(key, String(value))
  }
  return values
}

function unknownVariables(env: SettingsSources['env']): string[] {
  const known = new Set(KEYS.map(variableOf))
  return Object.keys(env)
    .filter((name) => name.startsWith('MILLRACE_') && !known.has(name))
    .map((name) => `The environment variable ${name} is no setting and was passed over.`)
}

function unknown(sentence: string, name: string, prefix: string): string {
  const nearest = nearestFlag(name)
  return `${sentence} ${nearest === undefined ? '' : `Did you mean ${prefix}${nearest}? `}--help lists them all.`
}

function nearestFlag(name: string): string | undefined {
  const distances = KEYS.map(flagOf)
    .map((flag) => ({ flag, distance: editDistance(name.toLowerCase(), flag) }))
    .sort((a, b) => a.distance - b.distance)
  const best = distances[0]!
  return best.distance <= Math.max(2, best.flag.length / 3) ? best.flag : undefined
}

/** Levenshtein's: how many letters must be put in, taken out or changed. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const change = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[to.length]!
}

/** What `--help` prints. */
export function helpText(version: string): string {
  const rows = KEYS.map((key) => {
    const { value, fallback, fallbackText, about } = SETTINGS[key]
    return {
      flag: `--${flagOf(key)}${value === undefined ? '' : ` ${value}`}`,
      about,
      fallback: fallbackText ?? fallback ?? 'none',
    }
  })
  const width = Math.max(...rows.map(({ flag }) => flag.length))
  const lines = rows.map(
    ({ flag, about, fallback }) => `  ${flag.padEnd(width)}  ${about} Default: ${fallback}.`,
  )
  return [
    `Millrace ${version}: Amazon Kinesis on your own machine.`,
    '',
    'Usage: npm start -- [flags]',
    '',
    ...lines,
    `  ${'--help'.padEnd(width)}  Prints this.`,
    `  ${'--version'.padEnd(width)}  Prints the version.`,
    '',
    'Each setting also comes from the environment (--transition-ms is MILLRACE_TRANSITION_MS) and from',
    `${CONFIG_FILE} in the working folder ({"transition-ms": 0}). A flag wins over the environment,`,
    'the environment over the file.',
    '',
  ].join('\n')
}

function flagOf(key: Key): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

function variableOf(key: Key): string {
  return `MILLRACE_${flagOf(key).toUpperCase().replaceAll('-', '_')}`
}

function isSwitch(key: Key): boolean {
  return key === 'testControls'
}
