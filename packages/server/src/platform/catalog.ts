// The catalog: what control operations have created, as a state machine over one log (log 0 of group
// 1, made at first start). A command becomes durable first, is applied then, and only then answered;
// commands are applied in the order of the log, so that a restart folds them to the same state.
//
// Commands that come while an append is under way gather and go as the next append. One append is in
// flight at a time: with it the order of answers, of applying and of the log are one. What is applied
// is read back from the very bytes that were written, so nothing that JSON drops can reach the state.
//
// At start the newest whole snapshot is restored and the log behind it applied. Further snapshots are
// made while running, from the previous snapshot and the log, by the `fold` given (a worker thread in
// production), so that nothing waits for them; see snapshot-store.ts.
//
// A crash story. Commands 5 and 6 are appended as one block and the process dies before it answers:
// the block is in the log or it is not, whole. If it is, the next start applies both, although nobody
// was told; callers learn of it as they would after any lost reply.
import { assert } from '@millrace/base/assert'
import type { Logger } from '@millrace/base/logger'
import { blockOf, type Engine, eachEntry, type Log, StorageError } from '@millrace/storage/engine'
import type { CatalogWriter, Command, Fold } from './fold.ts'
import { FoldSet } from './fold-set.ts'
import type { SnapshotStore } from './snapshot-store.ts'

const CATALOG_GROUP = 1
const CATALOG_LOG = 0
/** What goes as one append: enough for any burst, far below what the engine takes. */
const APPEND_BYTES_MAX = 1024 * 1024
const READ_BOUNDS = { entriesMax: 65_536, bytesMax: 1024 * 1024 }

/** Gives the file of the snapshot at `offset`: the previous state (if any) with the commands applied. */
export type SnapshotFold = (input: SnapshotInput) => Promise<Uint8Array>

export interface SnapshotInput {
  /** The previous snapshot's body. */
  readonly previous: Uint8Array | undefined
  /** The commands behind it, in order: pages of lines, each a command as JSON. */
  readonly pages: readonly string[]
  readonly offset: number
}

export interface CatalogOptions {
  readonly engine: Engine
  readonly folds: readonly Fold[]
  readonly logger: Logger
  /** None for an engine that forgets with the process. */
  readonly snapshots?:
    | {
        readonly store: SnapshotStore
        readonly fold: SnapshotFold
        /** Bytes of commands since the last snapshot that ask for a new one. */
        readonly afterBytes: number
      }
    | undefined
}

export interface CatalogMetrics {
  /** Commands applied since the start, those replayed at start not among them. */
  readonly commands: number
  readonly commandsLost: number
  readonly appends: number
  readonly snapshots: number
  readonly snapshotFailures: number
  /** Bytes of commands that the next start would replay. */
  readonly bytesSinceSnapshot: number
}

interface Waiting {
  readonly text: string
  readonly bytes: Uint8Array
  readonly resolve: (isApplied: boolean) => void
  readonly reject: (error: unknown) => void
}

export class Catalog implements CatalogWriter {
  readonly #engine: Engine
  readonly #log: Log
  readonly #folds: FoldSet
  readonly #logger: Logger
  readonly #snapshots: CatalogOptions['snapshots']
  #urgent: Waiting[] = []
  #waiting: Waiting[] = []
  /** Every command below this offset has been applied. */
  #applied: number
  #running: Promise<void> | undefined
  #snapshotting: Promise<void> | undefined
  /** Why new commands are refused. */
  #refusal: StorageError | undefined
  /** Set when the state no longer follows the log: nothing is appended any more. */
  #broken: StorageError | undefined
  #bytesSinceSnapshot: number
  #snapshotAfterBytes: number
  #commands = 0
  #commandsLost = 0
  #appends = 0
  #snapshotCount = 0
  #snapshotFailures = 0

  private constructor(options: CatalogOptions, log: Log, recovered: Recovered) {
    this.#engine = options.engine
    this.#log = log
    this.#folds = recovered.folds
    this.#logger = options.logger
    this.#snapshots = options.snapshots
    this.#applied = log.next
    this.#bytesSinceSnapshot = recovered.bytesReplayed
    this.#snapshotAfterBytes = options.snapshots?.afterBytes ?? APPEND_BYTES_MAX
  }

  /**
   * Makes the catalog at first start, or brings the folds (fresh ones) to its state. Rejects with a
   * StorageError: `unknown-format` for what a newer version wrote, `damaged` for what is missing.
   */
  static async open(options: CatalogOptions): Promise<Catalog> {
    const log = await openLog(options.engine)
    await options.snapshots?.store.tidy()
    const catalog = new Catalog(options, log, await recover(options, log))
    catalog.#snapshotWhenDue()
    return catalog
  }

  /** Time of the last command, ms; 0 when there was never one. Service time must not precede it. */
  get lastTimeMs(): number {
    return this.#log.lastTimeMs
  }

  async commit(
    command: Command,
    { isUrgent = false }: { isUrgent?: boolean } = {},
  ): Promise<boolean> {
    this.#folds.check(command)
    if (this.#refusal !== undefined) throw this.#refusal
    const text = JSON.stringify(command)
    return new Promise((resolve, reject) => {
      const waiting = { text, bytes: Buffer.from(text), resolve, reject }
      if (isUrgent) this.#urgent.push(waiting)
      else this.#waiting.push(waiting)
      this.#running ??= this.#run()
    })
  }

  metrics(): CatalogMetrics {
    return {
      commands: this.#commands,
      commandsLost: this.#commandsLost,
      appends: this.#appends,
      snapshots: this.#snapshotCount,
      snapshotFailures: this.#snapshotFailures,
      bytesSinceSnapshot: this.#bytesSinceSnapshot,
    }
  }

  /** Takes no more commands and ends what is under way; the engine may be closed afterwards. */
  async close(): Promise<void> {
    this.#refusal ??= new StorageError('closed', 'Millrace is stopping and takes no more changes.')
    await this.#running
    await this.#snapshotting
  }

  async #run(): Promise<void> {
    while (this.#urgent.length + this.#waiting.length > 0) {
      const isUrgent = this.#urgent.length > 0
      const batch = takeBatch(isUrgent ? this.#urgent : this.#waiting)
      try {
        await this.#append(batch, isUrgent)
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
      this.#snapshotWhenDue()
    }
    this.#running = undefined
  }

  /** Settles every command of the batch, or throws before any was applied. */
  async #append(batch: readonly Waiting[], isUrgent: boolean): Promise<void> {
    this.#assertWhole()
    const block = blockOf(
      this.#log,
      batch.map(({ bytes }) => bytes),
    )
    this.#appends++
    const [result] = await this.#engine.append([block], { isUrgent })
    assert(result !== undefined, 'an append of one block has one result')
    if (result.kind === 'failed') throw result.error
    assert(result.firstOffset >= this.#applied, 'the catalog is the only writer of its log')
    this.#applied = result.firstOffset + batch.length
    this.#bytesSinceSnapshot += block.byteLength
    for (const { text, resolve, reject } of batch) {
      try {
        this.#assertWhole()
        const isApplied = this.#folds.apply(JSON.parse(text))
        this.#commands++
        if (!isApplied) this.#commandsLost++
        resolve(isApplied)
      } catch (error) {
        this.#stopAfter(error)
        reject(error)
      }
    }
  }

  /** A command is in the log but not in the state: nothing may be decided on that state any more. */
  #stopAfter(cause: unknown): void {
    if (this.#broken !== undefined) return
    this.#logger.error('a catalog command could not be applied; changes stop until a restart', {
      error: cause,
    })
    this.#broken = new StorageError(
      'damaged',
      'The catalog takes no more changes, because a command could not be applied. Stop Millrace, and look at the log.',
      { cause },
    )
    this.#refusal = this.#broken
  }

  #assertWhole(): void {
    if (this.#broken !== undefined) throw this.#broken
  }

  #snapshotWhenDue(): void {
    if (this.#bytesSinceSnapshot < this.#snapshotAfterBytes) return
    if (this.#snapshotting !== undefined || this.#refusal !== undefined) return
    if (this.#snapshots === undefined) {
      if (this.#engine.kind !== 'memory') return
      // Nothing will ever be read back from this log: it only has to stay small.
      this.#log.trim(this.#applied)
      this.#bytesSinceSnapshot = 0
      return
    }
    this.#snapshotting = this.#snapshot(this.#snapshots).finally(() => {
      this.#snapshotting = undefined
      this.#snapshotWhenDue()
    })
  }

  async #snapshot({
    store,
    fold,
    afterBytes,
  }: NonNullable<CatalogOptions['snapshots']>): Promise<void> {
    const offset = this.#applied
    const bytesBefore = this.#bytesSinceSnapshot
    try {
      const previous = await store.newest()
      const pages: string[] = []
      for await (const texts of readCommands(this.#log, previous?.offset ?? 0, offset))
        pages.push(texts.join('\n'))
      const file = await fold({ previous: previous?.body, pages, offset })
      this.#log.trim(await store.write(offset, file))
      this.#snapshotCount++
      this.#bytesSinceSnapshot -= bytesBefore
      // A large state is not written again for a few commands.
      this.#snapshotAfterBytes = Math.max(afterBytes, file.byteLength)
    } catch (error) {
      this.#snapshotFailures++
      this.#snapshotAfterBytes = bytesBefore + afterBytes
      this.#logger.warn('no snapshot of the catalog could be made; the next start takes longer', {
        error,
      })
    }
  }
}

async function openLog(engine: Engine): Promise<Log> {
  if (engine.groupIdMax === 0) await engine.createGroup(CATALOG_GROUP, [CATALOG_LOG])
  try {
    return engine.openGroup(CATALOG_GROUP).log(CATALOG_LOG)
  } catch (cause) {
    if (!(cause instanceof StorageError)) throw cause
    throw damaged('its log is missing', cause)
  }
}

interface Recovered {
  readonly folds: FoldSet
  readonly bytesReplayed: number
}

async function recover(options: CatalogOptions, log: Log): Promise<Recovered> {
  const folds = new FoldSet(options.folds)
  const snapshot = await options.snapshots?.store.newest()
  const from = snapshot?.offset ?? 0
  if (log.first > from)
    throw damaged(
      snapshot === undefined
        ? `its log begins at ${log.first} and no snapshot holds what came before`
        : `its log begins at ${log.first}, but its newest whole snapshot ends at ${from}`,
    )
  if (log.next < from)
    throw damaged(`its log ends at ${log.next}, before its snapshot, which ends at ${from}`)
  if (snapshot !== undefined) folds.restore(JSON.parse(snapshot.body.toString()))
  let bytesReplayed = 0
  for await (const texts of readCommands(log, from, log.next)) {
    for (const text of texts) {
      bytesReplayed += text.length
      folds.apply(parseCommand(text))
    }
  }
  return { folds, bytesReplayed }
}

function parseCommand(text: string): Command {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw damaged('a command in its log is not readable', cause)
  }
}

/** The commands in a range of offsets as JSON texts, page by page. */
async function* readCommands(log: Log, from: number, before: number): AsyncGenerator<string[]> {
  let position = from
  while (position < before) {
    const page = await log.read(position, READ_BOUNDS)
    const texts: string[] = []
    for (const batch of page.batches) {
      eachEntry(batch, (offset, buffer, start, end) => {
        if (offset < before) texts.push(buffer.toString('utf8', start, end))
      })
    }
    page.release()
    yield texts
    if (page.next <= position) return
    position = page.next
  }
}

function takeBatch(queue: Waiting[]): Waiting[] {
  let bytes = 0
  let count = 0
  while (count < queue.length && (count === 0 || bytes < APPEND_BYTES_MAX)) {
    bytes += queue[count]!.bytes.byteLength
    count++
  }
  return queue.splice(0, count)
}

function damaged(what: string, cause?: unknown): StorageError {
  return new StorageError(
    'damaged',
    `The catalog in the data folder is damaged: ${what}. Restore the folder from a copy, or choose another one with --data.`,
    { cause },
  )
}
