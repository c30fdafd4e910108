// The process: settings in, one line for programs on stdout when it is ready, a few for people on
// stderr, a graceful stop on SIGTERM or SIGINT. What keeps it from starting is said in one sentence:
// exit code 2 for settings, 1 for the machine (port, folder, disk), 0 after a stop.
import { join, resolve } from 'node:path'
import { ServiceClock } from '@millrace/base/clock'
import { createLogger, type Logger } from '@millrace/base/logger'
import type { Disk } from '@millrace/storage/disk'
import { StorageError } from '@millrace/storage/engine'
import { nodeDisk } from '@millrace/storage/node-disk'
import { App } from './app.ts'
import { type Settings, SettingsError } from './config.ts'
import { TlsIdentityError } from './http/tls-identity.ts'
import { codeOf, readWhole, removeIfThere, writeWhole } from './platform/whole-file.ts'
import { CONFIG_FILE, helpText, readSettings } from './read-settings.ts'
import { VERSION } from './version.ts'

const EXIT = { stopped: 0, machine: 1, settings: 2 } as const

/** A signal this soon after the first is its echo: npm passes on what the terminal sent already. */
const ECHO_MS = 500

export async function run(): Promise<void> {
  // Whoever reads our output may go away; that is no reason to stop.
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})
  const disk = nodeDisk()
  const settings = await settingsOrExit(disk)
  const clock: ServiceClock = new ServiceClock({
    onError: (error) => logger.error('something that fell due failed', { error }),
  })
  const logger: Logger = createLogger({
    write: (line) => process.stderr.write(line),
    now: () => clock.wallMs(),
    format: settings.log,
    level: settings.logLevel,
  })
  process.on('uncaughtException', (error) => {
    logger.error('Millrace stops because of a mistake of its own', { error })
    process.exit(EXIT.machine)
  })
  const app = new App(settings, { disk, clock, logger })
  stopOnSignals(app, disk, settings, logger)
  try {
    const { port } = await app.listen()
    await app.open()
    // Made at the first start only; so that `caFile` is there when we say that we are ready.
    if (app.caFile !== undefined || settings.tlsCert !== undefined) await app.openTls()
    await announce(app, settings, disk, logger, urlOf(settings.host, port))
  } catch (error) {
    await app.close()
    const sentence = sentenceOf(error, settings)
    if (sentence === undefined) logger.error('Millrace could not start', { error })
    else process.stderr.write(`millrace: ${sentence}\n`)
    process.exit(isSettingsMistake(error) ? EXIT.settings : EXIT.machine)
  }
}

async function settingsOrExit(disk: Disk): Promise<Settings> {
  try {
    const read = readSettings({
      argv: process.argv.slice(2),
      env: process.env,
      file: await configText(disk),
      isTerminal: process.stderr.isTTY,
    })
    if (read.kind === 'settings') {
      for (const warning of read.warnings) process.stderr.write(`millrace: ${warning}\n`)
      return read.settings
    }
    process.stdout.write(read.kind === 'help' ? helpText(VERSION) : `${VERSION}\n`)
    process.exit(EXIT.stopped)
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    process.stderr.write(`millrace: ${error.message}\n`)
    process.exit(EXIT.settings)
  }
}

async function configText(disk: Disk): Promise<string | undefined> {
  try {
    return (await readWhole(disk, CONFIG_FILE))?.toString()
  } catch (error) {
    throw new SettingsError(`${CONFIG_FILE} can't be read: ${(error as Error).message}.`)
  }
}

function stopOnSignals(app: App, disk: Disk, settings: Settings, logger: Logger): void {
  const { clock } = app
  let firstAtMs: number | undefined
  const stop = async (): Promise<void> => {
    try {
      await app.close()
      if (settings.engine !== 'memory')
        await removeIfThere(disk, join(resolve(settings.data), 'server.json'))
      logger.info('stopped')
      process.exit(EXIT.stopped)
    } catch (error) {
      logger.error('the stop failed', { error })
      process.exit(EXIT.machine)
    }
  }
  for (const [signal, number] of Object.entries({ SIGINT: 2, SIGTERM: 15 })) {
    process.on(signal, () => {
      const nowMs = clock.monotonicMs()
      if (firstAtMs === undefined) {
        firstAtMs = nowMs
        logger.info('stopping; the next signal stops at once', { signal })
        void stop()
      } else if (nowMs - firstAtMs > ECHO_MS) process.exit(128 + number)
    })
  }
}

async function announce(
  app: App,
  settings: Settings,
  disk: Disk,
  logger: Logger,
  url: string,
): Promise<void> {
  const directory = resolve(settings.data)
  if (settings.engine !== 'memory') {
    const facts = { url, pid: process.pid, caFile: app.caFile }
    await writeWhole(disk, directory, 'server.json', Buffer.from(`${JSON.stringify(facts)}\n`))
  }
  process.stdout.write(`Millrace ready on ${url}\n`)
  const { access, account, durability, region } = settings
  const data = settings.engine === 'memory' ? 'in memory only' : `${directory} (${durability})`
  if (settings.log === 'json') logger.info('ready', { url, data, access, version: VERSION })
  else
    process.stderr.write(
      [
        `Millrace ${VERSION}`,
        `  address      ${url}`,
        `  data         ${data}`,
        ...(app.caFile === undefined ? [] : [`  TLS          the same port; trust ${app.caFile}`]),
        `  credentials  ${
          access === 'open'
            ? `any; an access key of 12 digits is the account, any other means ${account}`
            : `verified against ${settings.credentials}`
        }`,
        `  try          AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any aws kinesis list-streams --endpoint-url ${url} --region ${region}`,
        '',
      ].join('\n'),
    )
}

/** As this machine reaches it: a wildcard host is reached by loopback. */
function urlOf(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}

function isSettingsMistake(error: unknown): error is Error {
  return error instanceof SettingsError || error instanceof TlsIdentityError
}

/** What keeps it from starting, and what to do; undefined for what nobody foresaw. */
function sentenceOf(error: unknown, settings: Settings): string | undefined {
  const { host, port, data } = settings
  if (isSettingsMistake(error) || error instanceof StorageError) return error.message
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return `Port ${port} of ${host} is in use by another process. Stop that one, or choose another port with --port (0 takes any free one).`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `This machine has no address ${host}. Choose another with --host.`
    case 'ENOSPC':
    case 'EDQUOT':
      return `The disk of the data folder ${resolve(data)} is full. Make room, or choose another folder with --data.`
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return (error as NodeJS.ErrnoException).syscall === 'listen'
        ? `This user may not listen on port ${port}. Choose one from 1024 on with --port.`
        : `This user may not write to the data folder ${resolve(data)}. Change its permissions, or choose another folder with --data.`
    default:
      return undefined
  }
}
