// A Millrace server as users start it, for tests that drive it from outside: its own process, its own
// data folder, a port of its own. It can be stopped, killed and started again on the same data.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const root = path.join(import.meta.dirname, '..')
const main = path.join(root, 'packages', 'server', 'bin', 'millrace.mjs')

export interface RunningServer {
  readonly url: string
  readonly port: number
  readonly pid: number
  readonly dataFolder: string
  /** Everything it wrote to stderr so far. */
  logs(): string
  /** SIGTERM, and its exit code. */
  stop(): Promise<number | null>
  /** SIGKILL: no goodbye. */
  kill(): Promise<void>
}

export interface ServerOptions {
  readonly dataFolder?: string
  readonly port?: number
  readonly args?: readonly string[]
}

export function newDataFolder(): string {
  return mkdtempSync(path.join(tmpdir(), 'millrace-'))
}

export function removeDataFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}

/** Starts a server and waits for its ready line; rejects with its log when it ends before. */
export function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const dataFolder = options.dataFolder ?? newDataFolder()
  const child = spawn(
    process.execPath,
    [main, '--port', String(options.port ?? 0), '--data', dataFolder, ...(options.args ?? [])],
    { stdio: ['ignore', 'pipe', 'pipe'], cwd: dataFolder },
  )
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-1_000_000)
  })
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve))
  return new Promise((resolve, reject) => {
    void ended.then((code) => reject(new Error(`the server ended with ${code}:\n${log}`)))
    let out = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
      const ready = /^Millrace ready on (http:\/\/\S+:(\d+))$/m.exec(out)
      if (ready === null) return
      resolve(running(child, ended, ready[1]!, Number(ready[2]), dataFolder, () => log))
    })
  })
}

function running(
  child: ChildProcess,
  ended: Promise<number | null>,
  url: string,
  port: number,
  dataFolder: string,
  logs: () => string,
): RunningServer {
  return {
    url,
    port,
    pid: child.pid!,
    dataFolder,
    logs,
    stop() {
      child.kill('SIGTERM')
      return ended
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
