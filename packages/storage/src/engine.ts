// The storage contract: groups of append-only logs of opaque entries. Three engines stand under it
// (local, memory, Kafka) and one conformance suite judges them all.
//
// Words. A *group* is what lives and dies together (a stream, a queue, a table), named by a number
// that is never used again. A *log* is one ordered sequence in it. A *block* is what one request
// appends to one log: entries that share one time and have consecutive offsets. Offsets of a log
// rise strictly from 0; gaps are allowed (Kafka has them; the local engine makes them only after
// damage). Times never fall within a log. Nothing is acknowledged before it is durable.

export type MaybePromise<T> = T | Promise<T>

export interface Engine {
  readonly kind: 'local' | 'memory' | 'kafka'
  /** All groups that exist, in rising order. */
  groupIds(): number[]
  /** The highest group number ever created here, deleted ones included; 0 at first. */
  readonly groupIdMax: number
  /**
   * Makes a group with these logs (ids are unsigned 32-bit, distinct); durable when it resolves.
   * `group-exists` when the number was ever used, also by a group deleted since.
   */
  createGroup(groupId: number, logIds: Iterable<number>): Promise<Group>
  /** `group-missing` when it isn't there: that is damage or a caller's mistake, never a fresh start. */
  openGroup(groupId: number): Group
  /** Durable when it resolves; its space comes back. Works on a full disk. Reads under way may fail. */
  deleteGroup(groupId: number): Promise<void>
  /**
   * Appends blocks, each whole or not at all, and resolves per block, in the order given, when all
   * are decided. `lengths` and `write` of the blocks are used only during the call itself, which is
   * synchronous up to the returned promise; if a `write` throws, nothing of this call is stored and
   * the call rejects with what was thrown.
   */
  append(blocks: readonly Block[], options?: AppendOptions): Promise<readonly AppendResult[]>
  /** Whether so much is unacknowledged that callers should stop taking in more (sockets unread). */
  readonly isPressed: boolean
  status(): EngineStatus
  metrics(): EngineMetrics
  /** Ends what is in flight, writes an end mark, lets the folder go. Later calls fail with `closed`. */
  close(): Promise<void>
}

export interface Group {
  readonly id: number
  logIds(): number[]
  /** `log-missing` when there is no such log. */
  log(logId: number): Log
  /** Adds logs; durable when it resolves. Ids that exist already are an error. */
  addLogs(logIds: Iterable<number>): Promise<void>
  /**
   * Lets go of all entries older than this service time (ms). Reads never return them again, at once;
   * files are removed when all in them is past. A smaller value than before has no effect.
   */
  trim(beforeMs: number): void
}

export interface Log {
  readonly groupId: number
  readonly id: number
  /**
   * First offset that may still be read; equal to `next` when there is none. Where the entries that a
   * trim by time let go end is in a file, it may lag behind until a read from there has found out.
   */
  readonly first: number
  /** The offset after the last acknowledged entry. */
  readonly next: number
  /** Time of the last acknowledged entry, ms; 0 when there was never one. Survives retention. */
  readonly lastTimeMs: number
  /**
   * Entries at or after `from` (a smaller one than `first` means `first`), whole, in order, within the
   * bounds but at least one if there is any. Synchronous when all of it is in memory.
   */
  read(from: number, bounds: ReadBounds): MaybePromise<ReadResult>
  /** The first offset whose entry has this time (ms) or a later one; `next` when there is none. */
  offsetAt(timeMs: number): MaybePromise<number>
  /** Lets go of entries below this offset; as `Group.trim`. */
  trim(beforeOffset: number): void
  /** Calls `wake` after each acknowledged append, synchronously, until the returned function is called. */
  follow(wake: () => void): () => void
  /**
   * Closes the log to appends (they fail with `gated`), waits for those in flight and gives the offset
   * after the last one. `release` opens it again. Not kept across a restart.
   */
  gate(): Promise<number>
  release(): void
}

export interface Block {
  readonly log: Log
  /** Byte length of each entry; at least one entry. */
  readonly lengths: ArrayLike<number>
  readonly count: number
  /** Sum of the first `count` lengths. */
  readonly byteLength: number
  /** Writes all entries back to back, exactly `byteLength` bytes, at `at`. */
  write(target: Buffer, at: number): void
}

export interface AppendOptions {
  /** For what frees space (deletes): may use the reserve that is kept for a full disk. */
  readonly isUrgent?: boolean
}

export type AppendResult =
  | { readonly kind: 'appended'; readonly firstOffset: number; readonly timeMs: number }
  | { readonly kind: 'failed'; readonly error: StorageError }

export interface ReadBounds {
  readonly entriesMax: number
  /** Bytes of entries. */
  readonly bytesMax: number
  /** Entries older than this service time (ms) are passed over. */
  readonly notBeforeMs?: number
}

export interface ReadResult {
  readonly batches: readonly Batch[]
  /** Where the next read goes on: past all entries returned and passed over. */
  readonly next: number
  /**
   * Says that the bytes are no longer needed, so that their buffers can be used again. Call it once;
   * the batches must not be touched afterwards. Not calling it costs memory, not correctness.
   */
  release(): void
}

/** A run of entries of one block, still in the buffer they were written or read into. */
export interface Batch {
  /** Offset of the first entry of the run. */
  readonly firstOffset: number
  /** Time of all of its entries, ms. */
  readonly timeMs: number
  readonly count: number
  readonly buffer: Buffer
  /** Where in `buffer` the run's entry lengths begin (u32 little endian, one after the other). */
  readonly lengthsAt: number
  /** Where in `buffer` the first entry begins; the others follow back to back. */
  readonly entriesAt: number
}

export interface EngineStatus {
  readonly state: 'ready' | 'readonly' | 'closed'
  /** Why, and what to do next, when not ready. */
  readonly reason?: string
}

/** Counters since the start, unless said otherwise. */
export interface EngineMetrics {
  readonly commits: number
  readonly bytesCommitted: number
  /** Durations of committing writes, real ms: the last 1024, newest last. */
  readonly commitMs: readonly number[]
  readonly bytesOnDisk: number
  readonly bytesUnacknowledged: number
  readonly bytesCached: number
  /** Journal files rolled but not yet sealed into segments. */
  readonly filesUnsealed: number
  readonly segments: number
  readonly readsFromDisk: number
  /** Age in service ms of the newest entry of the oldest file that is rolled, unsealed; 0 without one. */
  readonly oldestUnsealedMs?: number
  /** How far past its trim time, in ms, the oldest data is that is still in a segment; 0 when none is. */
  readonly retentionLagMs?: number
  /** Blocks found damaged since the start; a file that is damaged or missing as a whole counts as one. */
  readonly damagedBlocks?: number
}

export type StorageErrorCode =
  | 'group-exists'
  | 'group-missing'
  | 'log-missing'
  | 'gated'
  | 'overloaded'
  | 'disk-full'
  | 'readonly'
  | 'damaged'
  | 'closed'
  | 'locked'
  | 'unknown-format'
  | 'unusable-folder'

/** What storage could not do, in a sentence that says what to do next. */
export class StorageError extends Error {
  override readonly name = 'StorageError'
  readonly code: StorageErrorCode

  constructor(code: StorageErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** Calls `visit` for each entry of a batch with its offset and its bytes' place in the buffer. */
export function eachEntry(
  batch: Batch,
  visit: (offset: number, buffer: Buffer, start: number, end: number) => void,
): void {
  let start = batch.entriesAt
  for (let i = 0; i < batch.count; i++) {
    const end = start + batch.buffer.readUInt32LE(batch.lengthsAt + i * 4)
    visit(batch.firstOffset + i, batch.buffer, start, end)
    start = end
  }
}

/** A block of ready byte strings, for writers that aren't on the hot path. */
export function blockOf(log: Log, entries: readonly Uint8Array[]): Block {
  const lengths = entries.map((entry) => entry.byteLength)
  return {
    log,
    lengths,
    count: entries.length,
    byteLength: lengths.reduce((sum, length) => sum + length, 0),
    write(target, at) {
      let position = at
      for (const entry of entries) {
        target.set(entry, position)
        position += entry.byteLength
      }
    },
  }
}
