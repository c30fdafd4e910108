// What the conformance tests stand on: an engine freshly opened on a clock that only moves when told,
// closed again when the test ends, and a few words to say appends and reads shortly.
import assert from 'node:assert/strict'
import type { Clock } from '@millrace/base/clock'
import { ServiceClock } from '@millrace/base/clock'
import {
  type AppendResult,
  type Block,
  blockOf,
  type Engine,
  eachEntry,
  type Log,
  type ReadBounds,
  type ReadResult,
  StorageError,
  type StorageErrorCode,
} from '../engine.ts'

export interface EngineUnderTest {
  readonly engine: Engine
}

export type OpenEngineUnderTest = (options: {
  readonly clock: Clock
  /** Names the data: a durable engine opened again under the same key, after close, finds it again. */
  readonly directoryKey: string
}) => Promise<EngineUnderTest>

export interface ConformanceCapabilities {
  /** Whether data outlives `close`. */
  readonly isDurable: boolean
  /** How many random histories the model test plays; 60 unless told. */
  readonly historiesMax?: number
}

export interface StandOptions {
  readonly name: string
  readonly open: OpenEngineUnderTest
  readonly capabilities: ConformanceCapabilities
}

export type StandTest = (title: string, body: (stand: Stand) => Promise<void>) => void

export const START_MS = Date.UTC(2026, 0, 1)

export class Stand {
  engine: Engine
  clock: ServiceClock
  readonly #options: StandOptions
  readonly #directoryKey: string

  private constructor(
    engine: Engine,
    clock: ServiceClock,
    options: StandOptions,
    directoryKey: string,
  ) {
    this.engine = engine
    this.clock = clock
    this.#options = options
    this.#directoryKey = directoryKey
  }

  static async open(options: StandOptions, directoryKey: string): Promise<Stand> {
    const clock = standingClock(START_MS)
    const { engine } = await options.open({ clock, directoryKey })
    return new Stand(engine, clock, options, directoryKey)
  }

  /** Closes the engine and opens it again on a new clock that stands at `nowMs`. */
  async reopen(nowMs = this.clock.now()): Promise<Engine> {
    await this.close()
    this.clock = standingClock(nowMs)
    const { engine } = await this.#options.open({
      clock: this.clock,
      directoryKey: this.#directoryKey,
    })
    this.engine = engine
    return engine
  }

  async close(): Promise<void> {
    if (this.engine.status().state !== 'closed') await this.engine.close()
    this.clock.close()
  }

  /** Makes a group with these logs and gives the first log. */
  async log(groupId = 1, ...logIds: number[]): Promise<Log> {
    const ids = logIds.length === 0 ? [0] : logIds
    const group = await this.engine.createGroup(groupId, ids)
    return group.log(ids[0]!)
  }

  /** Appends one block and expects it to be stored. */
  async append(log: Log, ...entries: (string | Uint8Array)[]): Promise<Appended> {
    const [result] = await this.engine.append([block(log, ...entries)])
    return appended(result)
  }
}

let stands = 0

export async function withStand(
  options: StandOptions,
  body: (stand: Stand) => Promise<void>,
): Promise<void> {
  const stand = await Stand.open(options, `${options.name}-${stands++}`)
  try {
    await body(stand)
  } finally {
    await stand.close()
  }
}

function standingClock(nowMs: number): ServiceClock {
  return new ServiceClock({ wall: () => nowMs })
}

export type Appended = Extract<AppendResult, { kind: 'appended' }>

export function appended(result: AppendResult | undefined): Appended {
  assert.ok(result !== undefined)
  if (result.kind === 'failed') throw result.error
  return result
}

export function failed(result: AppendResult | undefined): StorageErrorCode {
  assert.equal(result?.kind, 'failed')
  assert.ok(result.error instanceof StorageError)
  return result.error.code
}

export function block(log: Log, ...entries: (string | Uint8Array)[]): Block {
  return blockOf(
    log,
    entries.map((entry) => (typeof entry === 'string' ? Buffer.from(entry) : entry)),
  )
}

export interface ReadEntry {
  readonly offset: number
  readonly timeMs: number
  readonly bytes: Buffer
}

/** The entries of a read, copied out, and the read released. */
export function take(result: ReadResult): ReadEntry[] {
  const entries: ReadEntry[] = []
  for (const batch of result.batches) {
    assert.ok(batch.count > 0, 'a batch holds at least one entry')
    eachEntry(batch, (offset, buffer, start, end) => {
      entries.push({
        offset,
        timeMs: batch.timeMs,
        bytes: Buffer.from(buffer.subarray(start, end)),
      })
    })
  }
  result.release()
  return entries
}

export const UNBOUNDED: ReadBounds = { entriesMax: 1_000_000, bytesMax: 1_000_000_000 }

/** One read; its entries and where the next one goes on. */
export async function readOnce(
  log: Log,
  from: number,
  bounds: Partial<ReadBounds> = {},
): Promise<{ entries: ReadEntry[]; texts: string[]; next: number }> {
  const result = await log.read(from, { ...UNBOUNDED, ...bounds })
  const { next } = result
  const entries = take(result)
  return { entries, next, texts: entries.map((entry) => entry.bytes.toString()) }
}

/** Reads on until a read gives nothing; checks that each read goes on behind the last. */
export async function readAll(
  log: Log,
  from = 0,
  bounds: Partial<ReadBounds> = {},
): Promise<ReadEntry[]> {
  const all: ReadEntry[] = []
  for (let at = from; ; ) {
    const { entries, next } = await readOnce(log, at, bounds)
    if (entries.length === 0) return all
    assert.ok(next > at, 'a read that gives entries goes on behind them')
    assert.ok(entries.every((entry) => entry.offset >= at && entry.offset < next))
    all.push(...entries)
    at = next
  }
}

/** All texts of a log, in order. */
export async function readTexts(log: Log, from = 0): Promise<string[]> {
  return (await readAll(log, from)).map((entry) => entry.bytes.toString())
}

export function fails(code: StorageErrorCode): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof StorageError, `a StorageError, not ${String(error)}`)
    assert.equal(error.code, code)
    assert.ok(error.message.length > 0)
    return true
  }
}
