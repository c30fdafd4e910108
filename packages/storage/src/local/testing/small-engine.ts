// What the tests of the local engine stand on: an engine on a simulated disk with small files, and
// ways to look at the disk and to change what is on it.
import assert from 'node:assert/strict'
import type { Clock } from '@millrace/base/clock'
import { ServiceClock } from '@millrace/base/clock'
import type { LogFields, Logger } from '@millrace/base/logger'
import { seededRandom } from '@millrace/base/random'
import { type AppendResult, blockOf, type Engine, eachEntry, type Log } from '../../engine.ts'
import type { LocalEngine } from '../../local-engine.ts'
import { type LocalEngineOptions, openLocalEngine } from '../../open-local-engine.ts'
import { SimulatedDisk } from '../../simulated-disk.ts'
import type { SealJournal } from '../sealer.ts'

export const DIRECTORY = '/data'
export const FIRST_JOURNAL = '/data/journal/00000000000000000001.journal'

export function newDisk(capacityBytes?: number): SimulatedDisk {
  const random = seededRandom(5)
  return new SimulatedDisk(capacityBytes === undefined ? { random } : { random, capacityBytes })
}

export function standingClock(nowMs = 1_000_000): Clock {
  return new ServiceClock({ wall: () => nowMs })
}

/** A sealer that never gets anything done, until it is told to end. */
export const neverSeals: SealJournal = (_directory, _input, signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })

let openings = 0

/** An engine on this disk; small zeros ahead, so that disks are quick to copy. */
export async function openOn(
  disk: SimulatedDisk,
  options: Partial<LocalEngineOptions> = {},
): Promise<LocalEngine> {
  return await openLocalEngine({
    directory: DIRECTORY,
    disk,
    clock: standingClock(),
    random: seededRandom(++openings),
    logger: rememberingLogger(),
    durability: 'sync',
    reserveBytes: 4096,
    aheadBytesMax: 64 * 1024,
    lowWaterBytes: 0,
    ...options,
  })
}

export interface RememberingLogger extends Logger {
  readonly lines: { readonly level: string; readonly message: string; readonly fields: LogFields }[]
}

export function rememberingLogger(): RememberingLogger {
  const lines: RememberingLogger['lines'] = []
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}): void => {
      lines.push({ level, message, fields })
    }
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

export async function append(
  engine: Engine,
  log: Log,
  ...entries: (string | Uint8Array)[]
): Promise<AppendResult> {
  const buffers = entries.map((entry) => (typeof entry === 'string' ? Buffer.from(entry) : entry))
  const [result] = await engine.append([blockOf(log, buffers)])
  assert.ok(result !== undefined)
  return result
}

/** Appends and expects it to be stored; gives the first offset. */
export async function store(
  engine: Engine,
  log: Log,
  ...entries: (string | Uint8Array)[]
): Promise<number> {
  const result = await append(engine, log, ...entries)
  if (result.kind === 'failed') throw result.error
  return result.firstOffset
}

/** All entries of a log as texts. */
export async function texts(log: Log): Promise<string[]> {
  const found: string[] = []
  for (let at = log.first; at < log.next; ) {
    const page = await log.read(at, { entriesMax: 1000, bytesMax: 1_000_000 })
    for (const batch of page.batches) {
      eachEntry(batch, (_, buffer, start, end) => {
        found.push(buffer.toString('latin1', start, end))
      })
    }
    page.release()
    if (page.batches.length === 0) break
    at = page.next
  }
  return found
}

/** The bytes of a file as the running system sees them. */
export async function fileBytes(disk: SimulatedDisk, path: string): Promise<Buffer> {
  const file = await disk.open(path, { mode: 'read' })
  const bytes = Buffer.alloc(await file.size())
  await file.read(bytes, 0, bytes.length, 0)
  await file.close()
  return bytes
}

/** Changes bytes of a file as if they had always been so. */
export async function putBytes(
  disk: SimulatedDisk,
  path: string,
  position: number,
  bytes: Buffer,
): Promise<void> {
  const file = await disk.open(path, { mode: 'write', isSynced: true })
  await file.write(bytes, 0, bytes.length, position)
  await file.close()
}

/** Lets everything that works in the background of a simulated disk come to rest. */
export async function quiet(): Promise<void> {
  for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setImmediate(resolve))
}

export async function journalNames(disk: SimulatedDisk): Promise<string[]> {
  return await disk.list('/data/journal')
}
