// Group commit: appends are written into the frame being gathered, in the call itself; one frame at a
// time is on its way to the disk, and when it has arrived whatever gathered meanwhile goes next, as
// one frame with one write. There is no timer: an idle engine writes at once, a busy one as fast as
// the disk answers, with frames as large as that makes them. While frames are small, what a write
// costs is the call and not the bytes: then those who were just answered, and whose next requests are
// already at the door, are let in before the next write begins.
//
// What an append is told and what readers see change together, when the frame is on disk. A frame
// that can't be written takes everything gathered behind it with it: those offsets are free again.
import { crc32 } from 'node:zlib'
import { assert } from '@millrace/base/assert'
import type { Clock } from '@millrace/base/clock'
import type { Logger } from '@millrace/base/logger'
import { type AppendResult, type Block, StorageError } from '../engine.ts'
import type { Chunk, Tail } from '../tail.ts'
import { BLOCK_HEADER_BYTES, blockBytes, writeBlock } from './block.ts'
import { CONTROL_GROUP, type ControlRecord, decodeControl } from './checkpoint.ts'
import { CommitFrame } from './commit-frame.ts'
import type { DiskSpace } from './disk-space.ts'
import { FRAME_ALIGNMENT_BYTES, frameBytes } from './frame.ts'
import type { Journal } from './journal.ts'
import { isDiskFull } from './journal-file.ts'
import { LocalLog } from './local-log.ts'

export interface GroupCommitOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly journal: Journal
  readonly tail: Tail
  readonly space: DiskSpace
  /** Tells this engine's logs from another's. */
  readonly owner: unknown
  /** Bytes of blocks gathered or under way before appends are refused. */
  readonly unacknowledgedBytesMax: number
  /** A frame grows beyond this only for a single append. */
  readonly frameBytesMax: number
  /** Why nothing can be appended any more. */
  readonly refusal: () => StorageError | undefined
  /** Why only what frees space can be appended for now. */
  readonly backlogRefusal: () => StorageError | undefined
  readonly onControl: (record: ControlRecord) => void
  /** A roll may have to wait until sealing has caught up. */
  readonly beforeRoll: () => Promise<void>
  /** After each commit: bytes of the frame. */
  readonly onCommitted: (bytes: number) => void
  /** The journal can't be written any more. */
  readonly onFailure: (error: unknown) => void
}

const COMMITS_REMEMBERED = 1024
const FRAMES_KEPT = 4
/** With fewer bytes gathered, a frame waits for company; with more, the disk has enough to do. */
const COMPANY_BYTES_MAX = 32 * 1024
/** Turns of the event loop that a frame waits at most for as many appends as the last one had. */
const COMPANY_TURNS = 2
/** A frame is begun where at least this much more fits. */
const ROOM_BYTES_MIN = 64 * 1024

export class GroupCommit {
  readonly #options: GroupCommitOptions
  readonly #journal: Journal
  readonly #tail: Tail
  #chunk: Chunk | undefined
  /** The frame that appends go to. */
  #open: CommitFrame | undefined
  /** Full frames that wait for the disk, oldest first. */
  readonly #waiting: CommitFrame[] = []
  readonly #spare: CommitFrame[] = []
  /** While the journal is written. */
  #pumping: Promise<void> | undefined
  #isGathering = false
  readonly #rollWaiters: (() => void)[] = []
  #lastFrameBytes = 0
  #unacknowledgedBytes = 0
  #commits = 0
  #bytesCommitted = 0
  readonly #commitMs = new Float64Array(COMMITS_REMEMBERED)

  constructor(options: GroupCommitOptions) {
    this.#options = options
    this.#journal = options.journal
    this.#tail = options.tail
  }

  get unacknowledgedBytes(): number {
    return this.#unacknowledgedBytes
  }

  get commits(): number {
    return this.#commits
  }

  get bytesCommitted(): number {
    return this.#bytesCommitted
  }

  /** Durations of the last commits, ms, newest last. */
  commitMs(): number[] {
    const count = Math.min(this.#commits, COMMITS_REMEMBERED)
    return Array.from(
      { length: count },
      (_, i) => this.#commitMs[(this.#commits - count + i) % COMMITS_REMEMBERED] ?? 0,
    )
  }

  append(blocks: readonly Block[], isUrgent: boolean): Promise<readonly AppendResult[]> {
    let bytes = 0
    for (let i = 0; i < blocks.length; i++) {
      const { count, byteLength } = blocks[i]!
      bytes += blockBytes(count, byteLength)
    }
    if (bytes === 0) return Promise.resolve([])
    const refusal = this.#refusal(bytes, isUrgent)
    if (refusal !== undefined) {
      return Promise.resolve(blocks.map(() => ({ kind: 'failed', error: refusal })))
    }
    const results: AppendResult[] = new Array(blocks.length)
    let frame: CommitFrame
    let before: number
    try {
      assert(!this.#isGathering, 'a block does not append while it is written')
      this.#isGathering = true
      frame = this.#room(bytes, blocks.length)
      before = frame.count
      this.#gather(frame, blocks, results)
    } catch (error) {
      return Promise.reject(error)
    } finally {
      this.#isGathering = false
    }
    if (frame.count === before) return Promise.resolve(results)
    return new Promise((resolve) => {
      frame.waiting.push(resolve)
      frame.results.push(results)
      if (this.#pumping === undefined) this.#start()
    })
  }

  /** Rolls before the next frame, or at once when idle; resolves when that is done or has failed. */
  async roll(): Promise<void> {
    if (this.#options.refusal() !== undefined || !this.#journal.wantRoll()) return
    const rolled = new Promise<void>((resolve) => {
      this.#rollWaiters.push(resolve)
    })
    if (this.#pumping === undefined) this.#start()
    await rolled
  }

  /** Resolves when all that was appended is decided. */
  async idle(): Promise<void> {
    while (this.#pumping !== undefined) await this.#pumping
  }

  /** Fails everything that isn't written yet, each block with this error. */
  failAll(error: StorageError, written?: CommitFrame): void {
    const frames = [...(written === undefined ? [] : [written]), ...this.#waiting.splice(0)]
    if (this.#open !== undefined) frames.push(this.#open)
    this.#open = undefined
    for (const { logs } of frames) for (const log of logs) log.reservedNext = log.next
    for (const frame of frames) {
      this.#unacknowledgedBytes -= frame.bodyBytes
      for (const results of frame.results) {
        for (let i = 0; i < results.length; i++) {
          if (results[i]?.kind === 'appended') results[i] = { kind: 'failed', error }
        }
      }
    }
    for (const frame of frames) {
      for (let i = 0; i < frame.waiting.length; i++) frame.waiting[i]!(frame.results[i]!)
      for (const log of frame.logs) log.settle()
      this.#free(frame)
    }
  }

  #refusal(bytes: number, isUrgent: boolean): StorageError | undefined {
    const refusal = this.#options.refusal()
    if (refusal !== undefined) return refusal
    if (!isUrgent && this.#options.space.isFull) return this.#options.space.refusal()
    const backlog = isUrgent ? undefined : this.#options.backlogRefusal()
    if (backlog !== undefined) return backlog
    const unacknowledged = this.#unacknowledgedBytes
    if (unacknowledged > 0 && unacknowledged + bytes > this.#options.unacknowledgedBytesMax) {
      return new StorageError(
        'overloaded',
        `${unacknowledged} bytes wait for the disk already. Try again in a moment.`,
      )
    }
    return undefined
  }

  /** The frame that takes this much more; a new one when the open one is too full. */
  #room(bytes: number, blockCount: number): CommitFrame {
    const open = this.#open
    if (open !== undefined) {
      const total = open.bytesWith(bytes, blockCount)
      const isWithin = total <= this.#options.frameBytesMax || open.count === 0
      if (isWithin && open.at + total <= open.chunk.buffer.length) return open
      this.#open = undefined
      if (open.count === 0) this.#free(open)
      else this.#waiting.push(this.#close(open))
    }
    const need = frameBytes(bytes, blockCount)
    const hoped = Math.min(this.#lastFrameBytes * 1.25, this.#tail.chunkBytes / 2)
    let chunk = this.#chunk
    if (
      chunk === undefined ||
      chunk.buffer.length - chunk.usedBytes < Math.max(need, hoped, ROOM_BYTES_MIN)
    ) {
      if (chunk !== undefined) this.#tail.letGo(chunk)
      chunk = this.#tail.take(need)
      this.#chunk = chunk
    }
    const frame = this.#spare.pop()
    this.#tail.hold(chunk)
    this.#open = frame ?? new CommitFrame(chunk, chunk.usedBytes)
    frame?.begin(chunk, chunk.usedBytes)
    return this.#open
  }

  #gather(frame: CommitFrame, blocks: readonly Block[], results: AppendResult[]): void {
    const { clock, owner } = this.#options
    const nowMs = clock.now()
    const { buffer } = frame.chunk
    const startCount = frame.count
    const start = frame.end
    try {
      for (let i = 0; i < blocks.length; i++) {
        const block = blocks[i]!
        const { log, count } = block
        assert(count > 0, 'a block holds at least one entry')
        assert(
          log instanceof LocalLog && log.group.owner === owner,
          'a block names a log of this engine',
        )
        const error = log.appendRefusal()
        if (error !== undefined) {
          results[i] = { kind: 'failed', error }
          continue
        }
        const firstOffset = log.reservedNext
        const timeMs = Math.max(nowMs, log.reservedTimeMs)
        const end = writeBlock(buffer, frame.end, block, firstOffset, timeMs)
        frame.add(log, firstOffset, timeMs, count, end, crc32(buffer.subarray(frame.end, end)))
        log.reservedNext = firstOffset + count
        log.reservedTimeMs = timeMs
        assert(Number.isSafeInteger(log.reservedNext), 'offsets are safe integers')
        results[i] = { kind: 'appended', firstOffset, timeMs }
      }
    } catch (error) {
      frame.rollBack(startCount, start)
      throw error
    }
    this.#unacknowledgedBytes += frame.end - start
  }

  /** Fixes the frame's place in its chunk; the next one begins behind it. */
  #close(frame: CommitFrame): CommitFrame {
    const bytes = frame.bytes
    assert(bytes % FRAME_ALIGNMENT_BYTES === 0, 'frames end where the next may begin')
    frame.chunk.usedBytes = frame.at + bytes
    this.#lastFrameBytes = bytes
    return frame
  }

  /** The next frame to write, if there is anything in one. */
  #take(): CommitFrame | undefined {
    const waiting = this.#waiting.shift()
    if (waiting !== undefined) return waiting
    const open = this.#open
    if (open === undefined || open.count === 0) return undefined
    this.#open = undefined
    return this.#close(open)
  }

  #hasWork(): boolean {
    return this.#waiting.length > 0 || (this.#open?.count ?? 0) > 0 || this.#rollWaiters.length > 0
  }

  #start(): void {
    this.#pumping = this.#pump()
      .catch((error: unknown) => {
        this.#options.onFailure(error)
      })
      .finally(() => {
        this.#pumping = undefined
        // What was asked for while the last turn ended.
        if (this.#hasWork()) this.#start()
      })
  }

  /** Writes frame after frame until none is left. A frame is told of after the next has started. */
  async #pump(): Promise<void> {
    const { clock } = this.#options
    let done: CommitFrame | undefined
    for (;;) {
      if (done !== undefined && this.#wantsCompany()) {
        const company = done.waiting.length
        this.#publish(done)
        done = undefined
        await this.#letIn(company)
      }
      const frame = this.#take()
      if (this.#journal.isRollDue(frame)) {
        if (done !== undefined) this.#publish(done)
        done = undefined
        if (!(await this.#roll(frame))) continue
      }
      const startedMs = clock.monotonicMs()
      const writing = frame === undefined ? undefined : this.#journal.write(frame)
      if (done !== undefined) this.#publish(done)
      done = undefined
      if (frame === undefined || writing === undefined) {
        this.#answerRolls()
        if (this.#hasWork()) continue
        return
      }
      try {
        await writing
      } catch (error) {
        await this.#writeFailed(frame, error)
        continue
      }
      this.#journal.written(frame)
      this.#commitMs[this.#commits % COMMITS_REMEMBERED] = clock.monotonicMs() - startedMs
      this.#commits++
      done = frame
    }
  }

  #wantsCompany(): boolean {
    return this.#waiting.length === 0 && (this.#open?.bodyBytes ?? 0) < COMPANY_BYTES_MAX
  }

  /** Waits a turn or two for requests that have arrived, until there are as many as `company`. */
  async #letIn(company: number): Promise<void> {
    for (let turn = 0; turn < COMPANY_TURNS; turn++) {
      if (!this.#wantsCompany() || (this.#open?.waiting.length ?? 0) >= company) return
      await new Promise(setImmediate)
    }
  }

  /** Whether the frame may go on; when the roll failed it is decided already. */
  async #roll(frame: CommitFrame | undefined): Promise<boolean> {
    try {
      await this.#options.beforeRoll()
      await this.#journal.roll()
      return true
    } catch (error) {
      if (isDiskFull(error)) this.#foundNoRoom(frame, error)
      else this.#broke(frame, error)
      return false
    } finally {
      this.#answerRolls()
    }
  }

  #answerRolls(): void {
    for (const resolve of this.#rollWaiters.splice(0)) resolve()
  }

  async #writeFailed(frame: CommitFrame, error: unknown): Promise<void> {
    if (!isDiskFull(error)) return this.#broke(frame, error)
    try {
      await this.#journal.abandon()
    } catch (abandonError) {
      return this.#broke(frame, abandonError)
    }
    this.#foundNoRoom(frame, error)
  }

  #foundNoRoom(frame: CommitFrame | undefined, error: unknown): void {
    const { space } = this.#options
    space.noteFull(error)
    this.failAll(space.refusal(), frame)
  }

  /** Nothing can be written any more; who is told decides what the waiting ones hear. */
  #broke(frame: CommitFrame | undefined, error: unknown): void {
    if (frame !== undefined) this.#waiting.unshift(frame)
    this.#options.onFailure(error)
  }

  /** Makes a frame on disk visible and answers who waits for it. */
  #publish(frame: CommitFrame): void {
    const { logs, count, firstBlock } = frame
    const commit = this.#commits
    for (let i = 0; i < count; i++) {
      const log = logs[i]!
      log.next = frame.firstOffset(i) + frame.entryCount(i)
      log.lastTimeMs = frame.timeMs(i)
      if (log.groupId === CONTROL_GROUP) this.#control(frame, i)
      else if (!log.group.isGone) log.blocks.push(firstBlock + i)
    }
    this.#unacknowledgedBytes -= frame.bodyBytes
    const bytes = frame.bytes
    this.#bytesCommitted += bytes
    for (let i = 0; i < frame.waiting.length; i++) frame.waiting[i]!(frame.results[i]!)
    for (let i = 0; i < count; i++) {
      const log = logs[i]!
      if (log.wokenBy === commit) continue
      log.wokenBy = commit
      log.settle()
      if (log.followers !== undefined) this.#wake(log, log.followers)
    }
    this.#free(frame)
    this.#options.onCommitted(bytes)
  }

  #control(frame: CommitFrame, index: number): void {
    const at = frame.blockAt(index) + BLOCK_HEADER_BYTES
    let start = at + frame.entryCount(index) * 4
    for (let i = 0; i < frame.entryCount(index); i++) {
      const end = start + frame.chunk.buffer.readUInt32LE(at + i * 4)
      this.#options.onControl(decodeControl(frame.chunk.buffer, start, end))
      start = end
    }
  }

  #wake(log: LocalLog, followers: ReadonlySet<() => void>): void {
    for (const follower of followers) {
      try {
        follower()
      } catch (error) {
        this.#options.logger.error('a follower of a log failed', { group: log.groupId, error })
      }
    }
  }

  #free(frame: CommitFrame): void {
    this.#tail.letGo(frame.chunk)
    frame.clear()
    if (this.#spare.length < FRAMES_KEPT) this.#spare.push(frame)
  }
}
