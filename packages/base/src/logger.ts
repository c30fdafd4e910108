// Structured logs: one event name in plain words and a few named values. The writer decides how it
// looks (human on a terminal, JSON elsewhere); stdout is never touched.

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFields = Readonly<Record<string, unknown>>

export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

const RANK = { debug: 0, info: 1, warn: 2, error: 3 } as const

/** A logger that writes lines with `write`; `now` gives wall milliseconds. */
export function createLogger(options: {
  write: (line: string) => void
  now: () => number
  format: 'human' | 'json'
  level?: LogLevel
}): Logger {
  const from = RANK[options.level ?? 'info']
  const log = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (RANK[level] < from) return
    const time = new Date(options.now()).toISOString()
    options.write(
      options.format === 'json'
        ? `${JSON.stringify({ time, level, message, ...plain(fields) })}\n`
        : `${time} ${level.padEnd(5)} ${message}${words(plain(fields))}\n`,
    )
  }
  return {
    debug: (message, fields) => log('debug', message, fields),
    info: (message, fields) => log('info', message, fields),
    warn: (message, fields) => log('warn', message, fields),
    error: (message, fields) => log('error', message, fields),
  }
}

/** For tests and tools that want no logs. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }

function plain(fields: LogFields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error
        ? (value.stack ?? value.message)
        : typeof value === 'bigint'
          ? String(value)
          : value,
    ]),
  )
}

function words(fields: Record<string, unknown>): string {
  return Object.entries(fields)
    .map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('')
}
