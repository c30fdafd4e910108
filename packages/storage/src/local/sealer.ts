// Makes the segments of one rolled journal file, one for each group in it. The frames' directories
// say where every block is; sorted by group, log and offset they say where it goes. The output is
// made a window at a time: for each window the journal is read once from front to back in large
// pieces, each block is proven and put into its place, and the window is written in large pieces.
// So the file is read a few times, memory is bounded, and nothing is read or written in crumbs.
//
// A block that can't be read or differs from its checksum keeps its place and its checksum, with
// whatever bytes there are: who reads it later is told so, and everything else is sealed.
//
// Each segment is written under an unfinished name, synced, renamed, and its folder synced. Sealing
// again after a crash keeps the segments that are whole and makes the others.
import { dirname } from 'node:path'
import type { Disk, DiskFile } from '../disk.ts'
import { isBlockWhole } from './frame.ts'
import { JournalBlocks, readJournalBlocks } from './journal-blocks.ts'
import { isMissing, readFully } from './journal-file.ts'
import {
  alignBlock,
  BLOCK_PREFIX_BYTES,
  groupPath,
  identityOf,
  readHead,
  SEGMENT_HEAD_BYTES,
  type SegmentFacts,
  segmentPath,
  UNFINISHED_SUFFIX,
  writeBlockPrefix,
  writeHead,
} from './segment.ts'
import { IndexBuilder, layoutOf } from './segment-index.ts'

/** Bytes of output gathered before they are written; with the rest about 40 MiB in all. */
const WINDOW_BYTES = 32 * 1024 * 1024
/** The most that one read of the journal asks for, unless a block is larger. */
const READ_BYTES_MAX = 4 * 1024 * 1024
/** Bytes between wanted blocks that are read over rather than skipped. */
const GAP_BYTES_MAX = 64 * 1024
const WRITE_BYTES_MAX = 1024 * 1024
/** Bytes written between syncs, so that commits never wait behind a large one. */
const SYNC_BYTES = 4 * 1024 * 1024

export interface SealInput {
  /** Of the journal file, and of the segments made of it. */
  readonly sequence: number
  readonly path: string
  /** Where its last frame ends. */
  readonly usedBytes: number
  /** Groups deleted meanwhile, of which no segment is to be made. */
  readonly skipGroups: readonly number[]
  /** What the engine knows of the file's blocks, for one whose frames no longer tell. */
  readonly known?: KnownBlocks
  /** Shared with the engine, so that a sealer in another thread lets commits go first. */
  readonly pace?: SharedArrayBuffer
}

export interface KnownBlocks {
  readonly generation: bigint
  /** Directory entries one after the other, `at` counted from the first byte of the file. */
  readonly entries: Uint8Array
}

export interface SealedSegment {
  readonly groupId: number
  readonly bytes: number
  /** Newest time of an entry, ms. */
  readonly newestMs: number
  /** Blocks that were damaged in the journal file and so are in the segment. */
  readonly damaged: readonly DamagedBlock[]
}

export interface DamagedBlock {
  readonly groupId: number
  readonly logId: number
  readonly firstOffset: number
  readonly entryCount: number
  /** Where it began in the journal file. */
  readonly position: number
}

/** Makes segments below `directory`; how (here, in a thread) is decided where a store is opened. */
export type SealJournal = (
  directory: string,
  input: SealInput,
  signal: AbortSignal,
) => Promise<SealedSegment[]>

export interface SealSizes {
  readonly windowBytes?: number
  /** Called after each piece of work; may block the thread. */
  readonly rest?: () => void
}

/**
 * Seals in this very thread. Rejects with `damaged` when the frames of the file don't tell where its
 * blocks are and the input doesn't either, with the disk's error, or when aborted.
 */
export function sealHere(disk: Disk, sizes: SealSizes = {}): SealJournal {
  return async (directory, input, signal) => {
    const journal = await disk.open(input.path, { mode: 'read' })
    try {
      const { sequence, usedBytes, known } = input
      const skipGroups = new Set(input.skipGroups)
      const blocks =
        known === undefined
          ? await readJournalBlocks(journal, sequence, usedBytes, skipGroups)
          : JournalBlocks.of(known.generation, known.entries, skipGroups)
      const plans = planSegments(blocks, sequence)
      const sealing = new Sealing(disk, directory, journal, blocks, signal, sizes)
      await sealing.run(plans)
      return plans.map(({ facts }) => ({
        groupId: facts.groupId,
        bytes: layoutOf(facts).fileBytes,
        newestMs: facts.newestMs,
        damaged: sealing.damaged.filter(({ groupId }) => groupId === facts.groupId),
      }))
    } finally {
      await journal.close()
    }
  }
}

/** One segment to be made: its facts, its index, and its blocks in the order of the file. */
interface SegmentPlan {
  readonly facts: SegmentFacts
  readonly index: IndexBuilder
  readonly blocks: Uint32Array
}

function planSegments(blocks: JournalBlocks, sequence: number): SegmentPlan[] {
  const order = blocks.sorted()
  const plans: SegmentPlan[] = []
  for (let start = 0; start < order.length; ) {
    const groupId = blocks.groupId(order[start]!)
    let end = start + 1
    while (end < order.length && blocks.groupId(order[end]!) === groupId) end++
    plans.push(planSegment(blocks, groupId, sequence, order.subarray(start, end)))
    start = end
  }
  return plans
}

function planSegment(
  blocks: JournalBlocks,
  groupId: number,
  sequence: number,
  order: Uint32Array,
): SegmentPlan {
  const index = new IndexBuilder(order.length)
  let end = SEGMENT_HEAD_BYTES
  for (const block of order) {
    const bytes = blocks.bytes(block)
    index.add(blocks.logId(block), {
      firstOffset: blocks.firstOffset(block),
      timeMs: blocks.timeMs(block),
      count: blocks.entryCount(block),
      position: end + BLOCK_PREFIX_BYTES,
      bytes,
      crc: blocks.crc(block),
    })
    end = alignBlock(end + BLOCK_PREFIX_BYTES + bytes)
  }
  const { blockCount, logCount, newestMs } = index
  const { generation } = blocks
  return {
    facts: { groupId, sequence, generation, blockCount, logCount, blocksEnd: end, newestMs },
    index,
    blocks: order,
  }
}

/** A run of one segment's bytes that lies in the window, to be written at `position` of its file. */
interface Piece {
  readonly plan: SegmentPlan
  readonly at: number
  readonly position: number
  end: number
}

class Sealing {
  /** Blocks found damaged. */
  readonly damaged: DamagedBlock[] = []
  readonly #disk: Disk
  readonly #directory: string
  readonly #journal: DiskFile
  readonly #blocks: JournalBlocks
  readonly #signal: AbortSignal
  readonly #windowBytesMax: number
  readonly #rest: () => void
  #window: Buffer = Buffer.alloc(0)
  #used = 0
  #pieces: Piece[] = []
  /** Blocks the window waits for, and where in it each goes. */
  #wanted: { block: number; at: number }[] = []
  /** What a read of several blocks is made into. */
  #scratch: Buffer = Buffer.alloc(0)
  #output: DiskFile | undefined
  #unsyncedBytes = 0

  constructor(
    disk: Disk,
    directory: string,
    journal: DiskFile,
    blocks: JournalBlocks,
    signal: AbortSignal,
    { windowBytes = WINDOW_BYTES, rest = () => {} }: SealSizes,
  ) {
    this.#rest = rest
    this.#windowBytesMax = windowBytes
    this.#disk = disk
    this.#directory = directory
    this.#journal = journal
    this.#blocks = blocks
    this.#signal = signal
  }

  async run(plans: readonly SegmentPlan[]): Promise<void> {
    const missing: SegmentPlan[] = []
    for (const plan of plans) if (!(await this.#isThere(plan))) missing.push(plan)
    for (const plan of missing) {
      await this.#disk.makeDirectory(groupPath(this.#directory, plan.facts.groupId))
    }
    await this.#disk.syncDirectory(this.#directory)
    await this.#disk.syncDirectory(dirname(this.#directory))
    const bytes = missing.reduce((sum, { facts }) => sum + facts.blocksEnd, 0)
    this.#window = Buffer.allocUnsafeSlow(Math.min(bytes, this.#windowBytesMax))
    this.#scratch = Buffer.allocUnsafeSlow(Math.min(await this.#journal.size(), READ_BYTES_MAX))
    try {
      for (const plan of missing) await this.#fill(plan)
      await this.#flush()
    } catch (error) {
      await this.#output?.close()
      for (const plan of missing) await this.#removeUnfinished(plan)
      throw error
    }
    for (const plan of missing) await this.#disk.rename(this.#unfinished(plan), this.#final(plan))
    // Also of those that were there: a process that was killed may have named them just before this.
    for (const plan of plans) {
      await this.#disk.syncDirectory(groupPath(this.#directory, plan.facts.groupId))
    }
  }

  /** Whether an earlier sealing of the same file got as far as giving this segment its name. */
  async #isThere({ facts }: SegmentPlan): Promise<boolean> {
    const path = segmentPath(this.#directory, facts.groupId, facts.sequence)
    let file: DiskFile
    try {
      file = await this.#disk.open(path, { mode: 'read' })
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
    try {
      const head = Buffer.alloc(SEGMENT_HEAD_BYTES)
      await readFully(file, head, 0, head.length, 0)
      const found = readHead(head, 0)
      return (
        found !== undefined &&
        identityOf(found) === identityOf(facts) &&
        (await file.size()) === layoutOf(facts).fileBytes
      )
    } finally {
      await file.close()
    }
  }

  /** Gives every block of a segment its place in the window, which is written whenever it is full. */
  async #fill(plan: SegmentPlan): Promise<void> {
    const identity = identityOf(plan.facts)
    let position = 0
    let piece = await this.#reserve(plan, undefined, SEGMENT_HEAD_BYTES, position)
    writeHead(this.#window, piece.at, plan.facts)
    position = SEGMENT_HEAD_BYTES
    for (const block of plan.blocks) {
      const bytes = this.#blocks.bytes(block)
      const length = alignBlock(BLOCK_PREFIX_BYTES + bytes)
      piece = await this.#reserve(plan, piece, length, position)
      const at = piece.end - length
      writeBlockPrefix(this.#window, at, identity, bytes, this.#blocks.crc(block))
      this.#window.fill(0, at + BLOCK_PREFIX_BYTES + bytes, piece.end)
      this.#wanted.push({ block, at: at + BLOCK_PREFIX_BYTES })
      position += length
    }
  }

  /** Room at the end of the window: more of the same piece, or the beginning of a new one. */
  async #reserve(
    plan: SegmentPlan,
    piece: Piece | undefined,
    length: number,
    position: number,
  ): Promise<Piece> {
    let current = piece
    if (this.#used + length > this.#window.length) {
      await this.#flush()
      current = undefined
      if (length > this.#window.length) this.#window = Buffer.allocUnsafeSlow(length)
    }
    if (current === undefined) {
      current = { plan, at: this.#used, position, end: this.#used }
      this.#pieces.push(current)
    }
    this.#used += length
    current.end = this.#used
    return current
  }

  async #flush(): Promise<void> {
    await this.#load()
    for (const piece of this.#pieces) await this.#write(piece)
    this.#pieces = []
    this.#used = 0
  }

  /** Reads the blocks the window waits for, in the order of the journal. */
  async #load(): Promise<void> {
    const blocks = this.#blocks
    const wanted = this.#wanted.sort((a, b) => a.block - b.block)
    for (let start = 0; start < wanted.length; ) {
      this.#signal.throwIfAborted()
      const from = blocks.position(wanted[start]!.block)
      let to = from + blocks.bytes(wanted[start]!.block)
      let end = start + 1
      for (; end < wanted.length; end++) {
        const next = wanted[end]!.block
        const position = blocks.position(next)
        const nextTo = position + blocks.bytes(next)
        if (position - to > GAP_BYTES_MAX || nextTo - from > READ_BYTES_MAX) break
        to = nextTo
      }
      await this.#take(wanted.slice(start, end), from, to)
      start = end
    }
    this.#wanted = []
  }

  async #take(
    run: readonly { block: number; at: number }[],
    from: number,
    to: number,
  ): Promise<void> {
    const isDirect = to - from > READ_BYTES_MAX || to - from > this.#scratch.length
    if (isDirect && run.length > 1) return this.#takeEach(run)
    const [target, targetAt] = isDirect ? [this.#window, run[0]!.at] : [this.#scratch, 0]
    const length = to - from
    try {
      const read = await readFully(this.#journal, target, targetAt, length, from)
      target.fill(0, targetAt + read, targetAt + length)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error
      if (run.length > 1) return this.#takeEach(run)
      target.fill(0, targetAt, targetAt + length)
    }
    const blocks = this.#blocks
    for (const { block, at } of run) {
      const bytes = blocks.bytes(block)
      const position = blocks.position(block)
      if (!isDirect) this.#scratch.copy(this.#window, at, position - from, position - from + bytes)
      const isWhole = isBlockWhole(
        this.#window,
        at,
        bytes,
        blocks.crc(block),
        blocks.groupId(block),
        blocks.logId(block),
        blocks.firstOffset(block),
        blocks.entryCount(block),
      )
      if (!isWhole) this.#noteDamage(block)
    }
  }

  /** Takes blocks one by one, so that one that can't be read costs no other. */
  async #takeEach(run: readonly { block: number; at: number }[]): Promise<void> {
    for (const wanted of run) {
      const from = this.#blocks.position(wanted.block)
      await this.#take([wanted], from, from + this.#blocks.bytes(wanted.block))
    }
  }

  #noteDamage(block: number): void {
    const blocks = this.#blocks
    this.damaged.push({
      groupId: blocks.groupId(block),
      logId: blocks.logId(block),
      firstOffset: blocks.firstOffset(block),
      entryCount: blocks.entryCount(block),
      position: blocks.position(block),
    })
  }

  async #write({ plan, at, position, end }: Piece): Promise<void> {
    this.#signal.throwIfAborted()
    if (position === 0) this.#output = await this.#create(plan)
    const file = this.#output
    if (file === undefined) return
    await this.#writeLarge(file, this.#window, at, end - at, position)
    if (position + (end - at) < plan.facts.blocksEnd) return
    const index = plan.index.finish(plan.facts)
    await this.#writeLarge(file, index, 0, index.length, plan.facts.blocksEnd)
    await file.sync()
    this.#unsyncedBytes = 0
    this.#output = undefined
    await file.close()
    this.#rest()
  }

  async #writeLarge(
    file: DiskFile,
    source: Buffer,
    at: number,
    length: number,
    position: number,
  ): Promise<void> {
    for (let done = 0; done < length; ) {
      const bytes = Math.min(WRITE_BYTES_MAX, length - done)
      await file.write(source, at + done, bytes, position + done)
      done += bytes
      this.#unsyncedBytes += bytes
      if (this.#unsyncedBytes < SYNC_BYTES) continue
      await file.sync()
      this.#unsyncedBytes = 0
      this.#rest()
    }
  }

  async #create(plan: SegmentPlan): Promise<DiskFile> {
    await this.#removeUnfinished(plan)
    return this.#disk.open(this.#unfinished(plan), { mode: 'create' })
  }

  async #removeUnfinished(plan: SegmentPlan): Promise<void> {
    try {
      await this.#disk.remove(this.#unfinished(plan))
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }

  #final({ facts }: SegmentPlan): string {
    return segmentPath(this.#directory, facts.groupId, facts.sequence)
  }

  #unfinished(plan: SegmentPlan): string {
    return this.#final(plan) + UNFINISHED_SUFFIX
  }
}
