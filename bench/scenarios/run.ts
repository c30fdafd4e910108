// One measurement's surroundings: a data folder of its own, the server in it, connections to that server.
// Everything a scenario opens through here is closed when the measurement ends, however it ends.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import path from 'node:path'
import type { Contestant } from '../contestants/contestant.ts'
import { Api } from '../load/api.ts'
import type { Channel, Transport } from '../load/channel.ts'
import { type LoadResult, runClosedLoop } from '../load/closed-loop.ts'
import { Http1Channel } from '../load/http1-channel.ts'
import { Http2Session } from '../load/http2-channel.ts'
import type { Accept } from '../load/replies.ts'
import type { Prepared } from '../load/request.ts'
import type { Options } from '../options.ts'
import { cpuSeconds } from '../proc.ts'
import { ServerProcess } from '../server-process.ts'

const unfinishedDirs = new Set<string>()

process.on('exit', () => {
  for (const dir of unfinishedDirs) rmSync(dir, { recursive: true, force: true })
})

export class Run {
  readonly contestant: Contestant
  readonly options: Options
  readonly dataDir: string
  readonly #closing: (() => void)[] = []
  #server: ServerProcess | undefined
  #api: Api | undefined

  constructor(contestant: Contestant, options: Options) {
    this.contestant = contestant
    this.options = options
    mkdirSync(options.dataRoot, { recursive: true })
    this.dataDir = mkdtempSync(path.join(options.dataRoot, `${contestant.name}-`))
    unfinishedDirs.add(this.dataDir)
  }

  get server(): ServerProcess {
    if (this.#server === undefined) throw new Error('no server was started')
    return this.#server
  }

  get host(): string {
    return `127.0.0.1:${this.server.port}`
  }

  /** One connection for set-up, opened when first used. */
  get api(): Api {
    this.#api ??= new Api(this.server.port)
    return this.#api
  }

  async start(): Promise<ServerProcess> {
    this.#server = await ServerProcess.start(this.contestant, this.dataDir)
    return this.#server
  }

  /** Ends the server and leaves its data; the milliseconds a graceful stop took. */
  async stop(how: 'gracefully' | 'kill' = 'gracefully'): Promise<number> {
    this.#closeConnections()
    const server = this.#server
    this.#server = undefined
    if (how === 'gracefully') return (await server?.stop()) ?? 0
    await server?.kill()
    return 0
  }

  /** A stream that is ready for data; nothing to do for a server that answers a constant. */
  async createStream(name: string, shardCount: number): Promise<void> {
    if (this.contestant.isConstant === true) return
    await this.api.createStream(name, shardCount)
    await this.api.untilActive(name)
  }

  /** `failure` rejects as soon as one of the channels breaks. */
  async open(transport: Transport, count: number) {
    const { promise: failure, reject } = Promise.withResolvers<never>()
    failure.catch(() => {})
    const channels: Channel[] = []
    if (transport === 'http2') {
      const session = await Http2Session.open(this.server.port, reject)
      this.#closing.push(() => session.close())
      for (let index = 0; index < count; index++) channels.push(session.channel(reject))
    } else {
      for (let index = 0; index < count; index++) {
        channels.push(new Http1Channel(this.server.port, reject))
      }
    }
    this.#closing.push(() => {
      for (const channel of channels) channel.close()
    })
    return { channels, failure }
  }

  /** Warm-up and one measured window; with it the processor time the server used in the window. */
  async load(load: {
    channels: readonly Channel[]
    failure: Promise<never>
    next: () => Prepared
    accept: Accept
  }): Promise<LoadResult & { cpuSeconds: number }> {
    const { pid } = this.server
    let used = 0
    const result = await runClosedLoop({
      ...load,
      warmUpMs: this.options.warmUpSeconds * 1000,
      windowMs: this.options.seconds * 1000,
      onWindow: (edge) => {
        used = edge === 'open' ? cpuSeconds(pid) : cpuSeconds(pid) - used
      },
    })
    if (result.acknowledged === 0) {
      throw new Error(`nothing was acknowledged: ${result.firstRefusal ?? 'no reply came'}`)
    }
    return { ...result, cpuSeconds: used }
  }

  async end(): Promise<void> {
    await this.stop('kill')
    rmSync(this.dataDir, { recursive: true, force: true })
    unfinishedDirs.delete(this.dataDir)
  }

  #closeConnections(): void {
    for (const close of this.#closing.splice(0)) close()
    this.#api?.close()
    this.#api = undefined
  }
}
