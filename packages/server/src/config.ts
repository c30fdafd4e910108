// Every setting once: its name, default, what it may be, and one sentence. The name makes the flag
// (`--transition-ms`), the environment variable (`MILLRACE_TRANSITION_MS`) and the member of
// `millrace.config.json` (`"transition-ms"`); read-settings.ts brings them together. What is wrong is a
// SettingsError: one sentence that names the setting, the value and what is allowed.
import { isIP } from 'node:net'
import type { LogLevel } from '@millrace/base/logger'

export interface StreamAtStart {
  readonly name: string
  /** Undefined means on demand, as CreateStream without a shard count. */
  readonly shardCount: number | undefined
}

export interface Settings {
  readonly host: string
  readonly port: number
  readonly data: string
  readonly engine: 'local' | 'memory'
  readonly durability: 'sync' | 'os'
  readonly limits: 'aws' | 'none'
  readonly access: 'open' | 'verify'
  /** Path of the credentials file. */
  readonly credentials: string | undefined
  readonly account: string
  readonly region: string
  readonly transitionMs: number
  readonly streams: readonly StreamAtStart[]
  readonly testControls: boolean
  readonly tlsCert: string | undefined
  readonly tlsKey: string | undefined
  readonly log: 'human' | 'json'
  readonly logLevel: LogLevel
  /** Bytes. */
  readonly memory: number
  /** Bytes of catalog commands after which a snapshot is made. */
  readonly snapshotAfter: number
  readonly stopMs: number
}

interface Setting<T> {
  readonly about: string
  /** Completes the sentence "… must be <allowed>." */
  readonly allowed: string
  /** Stands for the value in `--help`; a switch has none. */
  readonly value?: string
  /** As somebody would write it. Undefined: there is none, or it follows from other settings. */
  readonly fallback?: string
  /** What `--help` says when the default isn't one text. */
  readonly fallbackText?: string
  /** Undefined when the text isn't allowed. */
  parse(text: string): T | undefined
}

export const SETTINGS: { readonly [K in keyof Settings]: Setting<NonNullable<Settings[K]>> } = {
  host: {
    about: 'Address to listen on.',
    allowed: 'an IP address or a host name',
    value: 'ADDRESS',
    fallback: '127.0.0.1',
    parse: (text) => (isIP(text) !== 0 || /^[a-z0-9.-]{1,253}$/i.test(text) ? text : undefined),
  },
  port: {
    about: 'Port to listen on; 0 takes any free one.',
    allowed: 'a whole number from 0 to 65535',
    value: 'PORT',
    fallback: '4566',
    parse: (text) => integer(text, 0, 65535),
  },
  data: {
    about: 'Folder that holds everything; made when missing.',
    allowed: 'the path of a folder',
    value: 'FOLDER',
    fallback: '.millrace',
    parse: path,
  },
  engine: {
    about: 'Where records are kept: in the data folder, or in memory only.',
    ...oneOf('local', 'memory'),
    fallback: 'local',
  },
  durability: {
    about: 'When a write is answered: once it survives a power cut, or once the system has it.',
    ...oneOf('sync', 'os'),
    fallback: 'sync',
  },
  limits: {
    about: "AWS's rates and quotas, or none; validation stays either way.",
    ...oneOf('aws', 'none'),
    fallback: 'aws',
  },
  access: {
    about: 'Take any well-formed signature, or verify it against the credentials.',
    ...oneOf('open', 'verify'),
    fallbackText: 'open on loopback hosts, verify elsewhere',
  },
  credentials: {
    about: 'File with {"accessKeys":[{"id","secret","account"}]} for verify.',
    allowed: 'the path of a file',
    value: 'FILE',
    parse: path,
  },
  account: {
    about: 'Account of requests whose access key is not an account itself.',
    allowed: '12 digits',
    value: 'DIGITS',
    fallback: '000000000000',
    parse: (text) => (/^\d{12}$/.test(text) ? text : undefined),
  },
  region: {
    about: 'Region of the streams made at start; requests bring their own.',
    allowed: "a region's name such as us-east-1",
    value: 'REGION',
    fallback: 'us-east-1',
    parse: (text) => (/^[a-z]+(-[a-z0-9]+)+$/.test(text) ? text : undefined),
  },
  transitionMs: {
    about: 'How long CREATING, UPDATING and DELETING last.',
    allowed: 'a whole number of milliseconds from 0 to 3600000',
    value: 'MS',
    fallback: '0',
    parse: (text) => integer(text, 0, 3_600_000),
  },
  streams: {
    about: 'Streams made at start when missing, with their shard counts; on demand without one.',
    allowed:
      'a list such as orders:4,events (names of 1 to 128 of a-z A-Z 0-9 _ . -, 1 to 10000 shards)',
    value: 'LIST',
    fallback: '',
    fallbackText: 'none',
    parse: streamList,
  },
  testControls: {
    about: 'Allow clock, faults and reset under /_millrace/ from other machines, and with verify.',
    allowed: 'true or false',
    fallback: 'false',
    parse: (text) => ({ true: true, false: false })[text],
  },
  tlsCert: {
    about: 'Certificate (PEM) for TLS; without it one is made in the data folder.',
    allowed: 'the path of a file',
    value: 'FILE',
    parse: path,
  },
  tlsKey: {
    about: "The certificate's private key (PEM).",
    allowed: 'the path of a file',
    value: 'FILE',
    parse: path,
  },
  log: {
    about: 'How logs on stderr look.',
    ...oneOf('human', 'json'),
    fallbackText: 'human on a terminal, json otherwise',
  },
  logLevel: {
    about: 'The least that is logged.',
    ...oneOf('debug', 'info', 'warn', 'error'),
    fallback: 'info',
  },
  memory: {
    about: 'Memory for recent and re-read records.',
    allowed: 'a size from 8MiB to 1024GiB, in bytes or with KiB, MiB or GiB',
    value: 'SIZE',
    fallback: '128MiB',
    parse: (text) => size(text, 8 * 1024 ** 2, 1024 ** 4),
  },
  snapshotAfter: {
    about: 'Catalog commands after which its state is written as a snapshot.',
    allowed: 'a size from 1KiB to 1GiB, in bytes or with KiB, MiB or GiB',
    value: 'SIZE',
    fallback: '4MiB',
    parse: (text) => size(text, 1024, 1024 ** 3),
  },
  stopMs: {
    about: 'How long requests under way may take to finish at a stop.',
    allowed: 'a whole number of milliseconds from 0 to 600000',
    value: 'MS',
    fallback: '5000',
    parse: (text) => integer(text, 0, 600_000),
  },
}

export type Key = keyof Settings
export const KEYS = Object.keys(SETTINGS) as Key[]

/** What is wrong with the settings, in one sentence that says what is allowed. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
}

/** The defaults, with what is given instead of them; for tests and embedding. */
export function settingsWith(given: Partial<Settings> = {}): Settings {
  return settle(new Map(Object.entries(given) as [Key, unknown][]), false)
}

/** Whether only this machine reaches a server on this host. */
export function isLoopbackHost(host: string): boolean {
  return /^127\.\d+\.\d+\.\d+$/.test(host) || host === '::1' || /^(.*\.)?localhost$/i.test(host)
}

/** Fills in defaults, also those that follow from other settings, and refuses what can't go together. */
export function settle(given: ReadonlyMap<Key, unknown>, isTerminal: boolean): Settings {
  const values: Partial<Record<Key, unknown>> = {}
  for (const key of KEYS) {
    const { fallback } = SETTINGS[key]
    values[key] =
      given.get(key) ?? (fallback === undefined ? undefined : parseSetting(key, fallback, key))
  }
  values.access ??= isLoopbackHost(String(values.host)) ? 'open' : 'verify'
  values.log ??= isTerminal ? 'human' : 'json'
  const settings = values as unknown as Settings
  if (settings.access === 'verify' && settings.credentials === undefined)
    throw new SettingsError(
      given.has('access')
        ? '--access verify needs the keys to verify with: give their file with --credentials FILE.'
        : `--host ${settings.host} is reached from other machines, so requests are verified: give the keys with --credentials FILE, or say --access open to take any request.`,
    )
  if ((settings.tlsCert === undefined) !== (settings.tlsKey === undefined))
    throw new SettingsError('--tls-cert and --tls-key go together: give both, or neither.')
  return settings
}

/** The value that a text stands for; `source` says where it was found. */
export function parseSetting(key: Key, text: string, source: string): unknown {
  const value = SETTINGS[key].parse(text)
  if (value === undefined)
    throw new SettingsError(`${source} is "${text}": it must be ${SETTINGS[key].allowed}.`)
  return value
}

function oneOf<const T extends string>(
  ...values: T[]
): { allowed: string; value: string; parse(text: string): T | undefined } {
  return {
    allowed: `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`,
    value: values.join('|'),
    parse: (text) => values.find((value) => value === text),
  }
}

function integer(text: string, min: number, max: number): number | undefined {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  return value >= min && value <= max ? value : undefined
}

const UNITS: Readonly<Record<string, number>> = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

function size(text: string, min: number, max: number): number | undefined {
  const [, digits, unit] = /^(\d{1,15})(KiB|MiB|GiB)?$/.exec(text) ?? []
  const bytes = Number(digits ?? Number.NaN) * (unit === undefined ? 1 : UNITS[unit]!)
  return bytes >= min && bytes <= max ? bytes : undefined
}

function path(text: string): string | undefined {
  return text === '' || text.includes('\0') ? undefined : text
}

function streamList(text: string): StreamAtStart[] | undefined {
  if (text === '') return []
  const streams: StreamAtStart[] = []
  for (const item of text.split(',')) {
    const [, name, shards] = /^\s*([a-zA-Z0-9_.-]{1,128})(?::(\d{1,5}))?\s*$/.exec(item) ?? []
    if (name === undefined) return undefined
    const shardCount = shards === undefined ? undefined : integer(shards, 1, 10_000)
    if (shards !== undefined && shardCount === undefined) return undefined
    if (streams.some((each) => each.name === name)) return undefined
    streams.push({ name, shardCount })
  }
  return streams
}
