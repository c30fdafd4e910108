// The one place where everything is put together: storage, catalog, clock, slices, gateway. Tests make
// an App on the memory engine and a clock of their own and call `inject`; the process (run.ts) listens
// first, so that health says `recovering` while a large folder opens, and opens then.
import { join, resolve } from 'node:path'
import { ServiceClock } from '@millrace/base/clock'
import { type Logger, silentLogger } from '@millrace/base/logger'
import { type Random, systemRandom } from '@millrace/base/random'
import type { Disk } from '@millrace/storage/disk'
import type { Engine, MaybePromise } from '@millrace/storage/engine'
import { nodeDisk } from '@millrace/storage/node-disk'
import { openEngine } from '@millrace/storage/open-engine'
import { type Access, createAccess } from './access/access.ts'
import { type Settings, SettingsError } from './config.ts'
import { readAccessKeys } from './credentials.ts'
import { type Folds, newFolds } from './folds.ts'
import { createDispatcher, type Dispatcher } from './http/dispatcher.ts'
import { type InjectedReply, type InjectedRequest, inject } from './http/inject.ts'
import { type Listener, listen } from './http/listener.ts'
import type { HttpReply, HttpRequest } from './http/message.ts'
import { replyHeaders } from './http/replies.ts'
import { RequestIds } from './http/request-ids.ts'
import { caFileIn, openTlsIdentity, type TlsIdentity } from './http/tls-identity.ts'
import { Background } from './platform/background.ts'
import { Catalog, type SnapshotFold } from './platform/catalog.ts'
import { createControls, type Health } from './platform/controls.ts'
import { Faults, readRules } from './platform/faults.ts'
import { MetricsPage, RequestMetrics } from './platform/metrics.ts'
import { namedStream } from './platform/named-stream.ts'
import { clockAdvanced, SEAL_KEY_BYTES, sealKeyMade } from './platform/platform-fold.ts'
import type { ControlRoute } from './platform/ports.ts'
import { foldInWorker } from './platform/snapshot-fold.ts'
import { SnapshotStore } from './platform/snapshot-store.ts'
import { readWhole } from './platform/whole-file.ts'
import { readNewStream } from './services/kinesis/new-stream.ts'
import { RETENTION_EVERY_MS } from './services/kinesis/retention.ts'
import { type KinesisSlice, kinesisService } from './services/kinesis/service.ts'
import { VERSION } from './version.ts'

/** What tests and the simulation put in the place of the machine. */
export interface AppOverrides {
  readonly disk?: Disk
  readonly clock?: ServiceClock
  readonly random?: Random
  /** An open engine, instead of the one that the settings name; closed with the app. */
  readonly engine?: Engine
  readonly logger?: Logger
  /** How the catalog's snapshots are folded; a worker thread unless told. */
  readonly snapshotFold?: SnapshotFold
}

/** What is there once storage has been read. */
interface Opened {
  readonly engine: Engine
  readonly folds: Folds
  readonly catalog: Catalog
  readonly kinesis: KinesisSlice
  readonly background: Background
  readonly metrics: MetricsPage
  readonly dispatch: Dispatcher
}

/** Puts everything together and opens it; rejects with a StorageError that says what to do. */
export async function createApp(settings: Settings, overrides: AppOverrides = {}): Promise<App> {
  const app = new App(settings, overrides)
  await app.open()
  return app
}

export class App {
  readonly clock: ServiceClock
  readonly #settings: Settings
  readonly #overrides: AppOverrides
  readonly #disk: Disk
  readonly #random: Random
  readonly #logger: Logger
  readonly #requests = new RequestMetrics()
  readonly #faults = new Faults(
    (input) => namedStream(input) ?? this.#opened?.kinesis.streamOf(input),
  )
  readonly #controls: ControlRoute
  readonly #ids: RequestIds
  #opened: Opened | undefined
  #listener: Listener | undefined
  #tls: Promise<TlsIdentity> | undefined
  #closing: Promise<void> | undefined
  #advancing: Promise<void> = Promise.resolve()

  constructor(settings: Settings, overrides: AppOverrides = {}) {
    this.#settings = settings
    this.#overrides = overrides
    this.#disk = overrides.disk ?? nodeDisk()
    this.#random = overrides.random ?? systemRandom
    this.#ids = new RequestIds(this.#random)
    this.#logger = overrides.logger ?? silentLogger
    this.clock =
      overrides.clock ??
      new ServiceClock({
        onError: (error) => this.#logger.error('something that fell due failed', { error }),
      })
    this.#controls = this.#createControls()
  }

  /** Reads the data folder and takes up what an earlier run left; call it once. */
  async open(): Promise<void> {
    const engine = this.#overrides.engine ?? (await this.#openEngine())
    try {
      this.#opened = await this.#openOn(engine)
    } catch (error) {
      await engine.close()
      throw error
    }
  }

  /** A request without a socket, with what every client sends filled in. */
  inject(request: InjectedRequest): Promise<InjectedReply> {
    return inject((each) => this.handle(each), request)
  }

  /** Rejects with the system's error, such as EADDRINUSE. */
  async listen(): Promise<Listener> {
    const { host, port } = this.#settings
    this.#listener = await listen({
      host,
      port,
      handle: (request) => this.handle(request),
      logger: this.#logger,
      random: this.#random,
      isPressed: () => this.#opened?.engine.isPressed ?? false,
      tls: () => this.openTls(),
    })
    return this.#listener
  }

  /** Certificate and key, made and kept in the data folder when there are none. */
  openTls(): Promise<TlsIdentity> {
    const { host, tlsCert, tlsKey } = this.#settings
    this.#tls ??= openTlsIdentity({
      folder: this.#tlsFolder,
      host,
      certFile: tlsCert,
      keyFile: tlsKey,
      nowMs: this.clock.wallMs(),
      logger: this.#logger,
    })
    return this.#tls
  }

  /** What clients trust to speak TLS with us; there once `openTls` has resolved. */
  get caFile(): string | undefined {
    const { tlsCert } = this.#settings
    return this.#tlsFolder === undefined || tlsCert !== undefined
      ? undefined
      : caFileIn(this.#tlsFolder)
  }

  handle(request: HttpRequest): MaybePromise<HttpReply> {
    if (this.#opened !== undefined) return this.#opened.dispatch(request)
    const early = this.#controls(request)
    if (early !== undefined) return early
    const headers = replyHeaders(request.headers.origin, this.#ids.next())
    return unavailable('Millrace is still reading its data.', headers)
  }

  health(): Health {
    if (this.#closing !== undefined) return { status: 'stopping', reason: 'Millrace is stopping.' }
    if (this.#opened === undefined)
      return { status: 'recovering', reason: 'Millrace is still reading its data.' }
    const { state, reason } = this.#opened.engine.status()
    return state === 'ready' ? { status: 'ready' } : { status: 'readonly', reason }
  }

  /** Deletes every stream and ends all faults. The clock stays. */
  async reset(): Promise<void> {
    this.#faults.set([])
    await this.#assertOpen().kinesis.streams.deleteAll()
  }

  /** Moves service time forward: durable, and what fell due has fired, when it resolves. */
  advance(byMs: number): Promise<void> {
    const advanced = this.#advancing.then(() => this.#advance(byMs))
    // The next advance waits for this one, however it ends; the caller hears how.
    this.#advancing = advanced.catch(() => {})
    return advanced
  }

  /** Ends what is under way, then everything. Again gives the same promise. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  get #tlsFolder(): string | undefined {
    const { engine, data } = this.#settings
    return engine === 'memory' ? undefined : join(resolve(data), 'tls')
  }

  /** Of `--memory`, a quarter is for segments read again, the rest for recent records. */
  #openEngine(): Promise<Engine> {
    const { clock } = this
    const { engine: kind, data, durability, memory } = this.#settings
    if (kind === 'memory') return openEngine({ kind, clock })
    return openEngine({
      kind,
      directory: resolve(data),
      disk: this.#disk,
      clock,
      random: this.#random,
      logger: this.#logger,
      durability,
      cacheBytesMax: memory - Math.floor(memory / 4),
      segmentCacheBytesMax: Math.floor(memory / 4),
    })
  }

  async #openOn(engine: Engine): Promise<Opened> {
    const { clock } = this
    const settings = this.#settings
    const logger = this.#logger
    const random = this.#random
    const folds = newFolds()
    const catalog = await Catalog.open({
      engine,
      folds: Object.values(folds),
      logger,
      snapshots: engine.kind === 'memory' ? undefined : this.#snapshots(),
    })
    clock.restore(folds.platform.clockOffsetMs, catalog.lastTimeMs)
    if (folds.platform.sealKey === undefined)
      await catalog.commit(sealKeyMade(random.fill(new Uint8Array(SEAL_KEY_BYTES))))

    const { limits, transitionMs, account, region } = settings
    const kinesis = kinesisService({
      engine,
      catalog,
      fold: folds.kinesis,
      clock,
      random,
      logger,
      settings: { limits, transitionMs, account, region, iteratorKey: folds.platform.sealKey! },
    })
    await kinesis.streams.start()
    await ensureStreams(kinesis, settings, clock)

    const background = new Background({ clock, logger })
    background.add({
      name: 'retention',
      everyMs: RETENTION_EVERY_MS,
      run: () => kinesis.retention.run(),
    })
    background.start()

    const access = await this.#createAccess()
    const dispatch = createDispatcher({
      services: [kinesis.service],
      access,
      clock,
      random,
      logger,
      observe: this.#requests,
      faults: this.#faults,
      controls: this.#controls,
    })
    const metrics = new MetricsPage({
      version: VERSION,
      requests: this.#requests,
      engine: () => engine.metrics(),
      catalog: () => catalog.metrics(),
      background: () => background.metrics(),
      listener: () => this.#listener?.metrics(),
      nowMs: () => clock.now(),
      clockOffsetMs: () => clock.offsetMs,
      streams: () => [...folds.kinesis.all()].length,
    })
    return { engine, folds, catalog, kinesis, background, metrics, dispatch }
  }

  async #createAccess(): Promise<Access> {
    const { access: mode, account, credentials } = this.#settings
    const { clock } = this
    if (mode === 'open' || credentials === undefined) return createAccess({ mode, account, clock })
    const bytes = await readWhole(this.#disk, credentials)
    if (bytes === undefined) throw new SettingsError(`There is no credentials file ${credentials}.`)
    const accessKeys = readAccessKeys(bytes.toString(), credentials)
    return createAccess({ mode, account, accessKeys, clock })
  }

  #snapshots() {
    const { data, snapshotAfter } = this.#settings
    const directory = join(resolve(data), 'catalog')
    return {
      store: new SnapshotStore({ disk: this.#disk, directory, logger: this.#logger }),
      fold: this.#overrides.snapshotFold ?? foldInWorker(new URL('./folds.ts', import.meta.url)),
      afterBytes: snapshotAfter,
    }
  }

  #createControls(): ControlRoute {
    const { testControls, access, host } = this.#settings
    const { clock } = this
    return createControls({
      version: VERSION,
      health: () => this.health(),
      metrics: () => this.#assertOpen().metrics.text(),
      clock: {
        now: () => clock.now(),
        offsetMs: () => clock.offsetMs,
        advance: (byMs) => this.advance(byMs),
      },
      faults: {
        rules: () => this.#faults.rules(),
        set: (rules) => this.#faults.set(rules),
        read: (body) =>
          readRules(body, {
            operations: new Set(this.#assertOpen().kinesis.service.operations.keys()),
            random: this.#random,
          }),
      },
      reset: () => this.reset(),
      isTestControlled: testControls,
      access,
      host,
    })
  }

  async #advance(byMs: number): Promise<void> {
    const { catalog, background } = this.#assertOpen()
    await catalog.commit(clockAdvanced(this.clock.offsetMs + byMs))
    await background.during(() => this.clock.advance(byMs))
  }

  async #close(): Promise<void> {
    await this.#listener?.close(this.#settings.stopMs)
    if (this.#opened !== undefined) {
      const { background, kinesis, catalog, engine, metrics } = this.#opened
      await background.stop()
      kinesis.streams.stop()
      await catalog.close()
      await engine.close()
      metrics.stop()
    }
    this.clock.close()
  }

  #assertOpen(): Opened {
    if (this.#opened === undefined) throw new Error('Millrace is still reading its data.')
    return this.#opened
  }
}

async function ensureStreams(
  kinesis: KinesisSlice,
  { streams, account, region }: Settings,
  clock: ServiceClock,
): Promise<void> {
  for (const { name, shardCount } of streams) {
    const input = {
      StreamName: name,
      ...(shardCount === undefined ? {} : { ShardCount: shardCount }),
    }
    await kinesis.streams.ensure(readNewStream(input, account), {
      account,
      region,
      nowMs: clock.now(),
    })
  }
}

function unavailable(message: string, ids: HttpReply['headers']): HttpReply {
  const body = JSON.stringify({ __type: 'ServiceUnavailableException', message })
  const headers = {
    ...ids,
    'Content-Type': 'application/x-amz-json-1.1',
    'Content-Length': Buffer.byteLength(body),
  }
  return { status: 503, headers, body }
}
