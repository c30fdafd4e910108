// One contestant's process: started, waited for, measured by its pid, stopped. A process that outlives a
// benchmark that fails or is interrupted is killed with it.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Contestant, Launch } from './contestants/contestant.ts'
import { Api } from './load/api.ts'
import { logDir, rootDir } from './paths.ts'

const readyPatienceMs = 120_000
const stopPatienceMs = 30_000
const alive = new Set<ChildProcess>()

process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

export class ServerProcess {
  readonly port: number
  readonly pid: number
  /** `performance.now()` just before the spawn. */
  readonly spawnedAt: number
  /** From the spawn to the first sign of readiness. */
  readonly readyMs: number
  readonly #child: ChildProcess
  readonly #exited: Promise<void>

  private constructor(started: {
    child: ChildProcess
    exited: Promise<void>
    port: number
    spawnedAt: number
  }) {
    this.#child = started.child
    this.#exited = started.exited
    this.port = started.port
    this.pid = started.child.pid ?? 0
    this.spawnedAt = started.spawnedAt
    this.readyMs = performance.now() - started.spawnedAt
  }

  /** Resolves when the server answers; throws with the end of its log when it does not. */
  static async start(contestant: Contestant, dataDir: string): Promise<ServerProcess> {
    const place = { port: await freePort(), dataDir }
    const launch = contestant.launch(place)
    mkdirSync(logDir, { recursive: true })
    const logFile = path.join(logDir, `${contestant.name}.log`)
    const log = openSync(logFile, 'w')
    const spawnedAt = performance.now()
    const child = spawn(launch.file, launch.args, {
      cwd: launch.readyLine === undefined ? dataDir : rootDir,
      env: { ...process.env, ...launch.env },
      // A chatty server must not cost the generator anything: only a ready line is read through a pipe.
      stdio: ['ignore', launch.readyLine === undefined ? log : 'pipe', log],
    })
    closeSync(log)
    alive.add(child)
    const exited = new Promise<void>((resolve) => {
      const ended = (): void => {
        alive.delete(child)
        resolve()
      }
      child.once('exit', ended)
      child.once('error', ended)
    })
    try {
      const port = await Promise.race([
        isReady(child, launch, place.port),
        exited.then(() => Promise.reject(new Error('it ended before it was ready'))),
      ])
      const server = new ServerProcess({ child, exited, port, spawnedAt })
      // A ready line is a promise; an open port is not yet one.
      if (launch.readyLine === undefined && contestant.isConstant !== true) await answers(port)
      return server
    } catch (cause) {
      child.kill('SIGKILL')
      const tail = readFileSync(logFile, 'utf8').slice(-600)
      throw new Error(`${contestant.name} did not start (${String(cause)}): ${tail}`, { cause })
    }
  }

  /** SIGTERM, and SIGKILL when that has not ended it in time; the milliseconds it took. */
  async stop(): Promise<number> {
    const askedAt = performance.now()
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopPatienceMs)
    await this.#exited
    clearTimeout(timer)
    return performance.now() - askedAt
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }
}

async function isReady(child: ChildProcess, launch: Launch, port: number): Promise<number> {
  const { readyLine } = launch
  if (readyLine !== undefined) return portIn(child, readyLine)
  const deadline = performance.now() + readyPatienceMs
  while (!(await accepts(port))) {
    if (performance.now() > deadline) throw new Error(`port ${port} did not open`)
    if (child.exitCode !== null) throw new Error('it ended')
    await delay(5)
  }
  return port
}

function portIn(child: ChildProcess, readyLine: RegExp): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = ''
    const timer = setTimeout(() => reject(new Error('no ready line')), readyPatienceMs)
    child.stdout?.on('data', (chunk: Buffer) => {
      if (text.length > 1_000_000) return
      text += chunk.toString()
      const port = readyLine.exec(text)?.[1]
      if (port === undefined) return
      clearTimeout(timer)
      resolve(Number(port))
    })
  })
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

async function answers(port: number): Promise<void> {
  const deadline = performance.now() + readyPatienceMs
  while (true) {
    const api = new Api(port)
    try {
      await api.call('ListStreams', {})
      return
    } catch (error) {
      if (performance.now() > deadline) throw error
      await delay(20)
    } finally {
      api.close()
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
