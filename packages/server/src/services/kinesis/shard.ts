// One shard at run time: one log, its admission, its sequence numbers, its reads. It promises that a
// record's sequence number follows from its stored offset and time alone, that what is read is never
// older than the stream's horizon, and that rates are those of AWS unless limits are lifted.
import type { Clock } from '@millrace/base/clock'
import { TokenBucket } from '@millrace/base/token-bucket'
import type { Batch, Log, MaybePromise, ReadResult } from '@millrace/storage/engine'
import { SequenceCursor } from '@millrace/wire/sequence-cursor'
import { type SequenceNumber, sequenceNumberOf } from '@millrace/wire/sequence-number'
import { shardId } from '@millrace/wire/shard-id'
import { BOUNDS, SHARD_RATES } from './limits.ts'
import type { Page } from './page.ts'
import { RECORD_HEADER_BYTES } from './record.ts'
import type { KinesisSettings } from './settings.ts'
import type { ShardFacts } from './stream-facts.ts'

/** What a shard asks of its stream. */
export interface ShardOwner {
  readonly name: string
  readonly account: string
  /** Records older than this are gone, ms. */
  horizonMs(nowMs: number): number
}

const nothing = (): void => {}

/** The rates of one shard; there are none when limits are lifted. */
interface Rates {
  readonly writeBytes: TokenBucket
  readonly writeRecords: TokenBucket
  readonly readBytes: TokenBucket
  readonly readCalls: TokenBucket
  readonly iteratorCalls: TokenBucket
  /** No GetRecords before this time, ms. */
  pausedUntilMs: number
}

export class Shard {
  readonly stream: ShardOwner
  /** Those of the catalog: `closed` appears in place. */
  readonly facts: ShardFacts
  readonly log: Log
  readonly id: string
  /** Scratch of put.ts: the shard's place among those of the request it is gathering. */
  run = 0
  /** Prints numbers that are being given out, which rise. */
  readonly #written: SequenceCursor
  /** Prints numbers of what is read, anywhere; made at the first read. */
  #read: SequenceCursor | undefined
  readonly #rates: Rates | undefined

  constructor(
    stream: ShardOwner,
    facts: ShardFacts,
    log: Log,
    settings: Pick<KinesisSettings, 'limits'>,
    clock: Clock,
  ) {
    this.stream = stream
    this.facts = facts
    this.log = log
    this.id = shardId(facts.number)
    this.#written = new SequenceCursor(facts.createdSeconds, facts.number)
    this.#rates = settings.limits === 'none' ? undefined : fullRates(clock.now())
  }

  /** Takes a record of this size (data and partition key) from the write rates, or says no. */
  admitRecord(bytes: number, nowMs: number): boolean {
    const rates = this.#rates
    if (rates === undefined) return true
    if (!rates.writeRecords.isOpen(nowMs) || !rates.writeBytes.isOpen(nowMs)) return false
    rates.writeRecords.take(1)
    rates.writeBytes.take(bytes)
    return true
  }

  /** Gives back what was taken for records that weren't stored in the end. */
  giveBack(records: number, bytes: number): void {
    this.#rates?.writeRecords.take(-records)
    this.#rates?.writeBytes.take(-bytes)
  }

  /** Takes one GetRecords call, or says no. What it reads is taken by `read`. */
  admitRead(nowMs: number): boolean {
    const rates = this.#rates
    if (rates === undefined) return true
    if (nowMs < rates.pausedUntilMs) return false
    if (!rates.readCalls.isOpen(nowMs) || !rates.readBytes.isOpen(nowMs)) return false
    rates.readCalls.take(1)
    return true
  }

  /** Takes one GetShardIterator call, or says no. */
  admitIterator(nowMs: number): boolean {
    const rates = this.#rates
    if (rates === undefined) return true
    if (!rates.iteratorCalls.isOpen(nowMs)) return false
    rates.iteratorCalls.take(1)
    return true
  }

  /** The cursor at a record just stored; the next ones of its block follow by `advance`. */
  writtenAt(offset: number, timeMs: number): SequenceCursor {
    this.#written.moveTo(this.#counterOf(offset), Math.floor(timeMs / 1000))
    return this.#written
  }

  /** The cursor at a record read; the next ones of its batch follow by `advance`. */
  readAt(offset: number, timeMs: number): SequenceCursor {
    this.#read ??= new SequenceCursor(this.facts.createdSeconds, this.facts.number)
    this.#read.moveTo(this.#counterOf(offset), Math.floor(timeMs / 1000))
    return this.#read
  }

  /** The offset that the next record will get at the earliest, or the end of a closed shard. */
  get tip(): number {
    const { closed, baseOffset } = this.facts
    return closed === undefined ? Math.max(this.log.next, baseOffset) : closed.endOffset
  }

  /** Where the oldest readable record is, or the tip. */
  get first(): number {
    return Math.min(Math.max(this.log.first, this.facts.baseOffset), this.tip)
  }

  /** Whether a number is of this shard, but beyond all that were given out. */
  isAhead(number: SequenceNumber): boolean {
    const { createdSeconds, number: shardNumber } = this.facts
    if (number.counter === undefined || number.shardNumber !== shardNumber) return false
    return (
      number.createdSeconds === createdSeconds &&
      number.counter >= BigInt(this.#counterOf(this.log.next))
    )
  }

  /** The offset of the first record of this time (ms) or a later one. */
  offsetAt(timeMs: number): MaybePromise<number> {
    const offset = this.log.offsetAt(timeMs)
    if (typeof offset === 'number') return this.#within(offset)
    return offset.then((found) => this.#within(found))
  }

  /**
   * The offset of the first record whose sequence number is at least this one, or with `isAfter`
   * greater. The number is of this shard, but need not be one that was given out.
   */
  async offsetFrom(number: SequenceNumber, isAfter: boolean): Promise<number> {
    const counter = number.counter ?? 0n
    // Nothing is stored under counter 0, nor past the safe integers.
    if (counter === 0n) return this.facts.baseOffset
    const offset = this.facts.baseOffset - 1 + Number(counter)
    if (offset >= Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER
    const found = await this.log.read(offset, { entriesMax: 1, bytesMax: 1 })
    const batch = found.batches[0]
    const isThere = batch?.firstOffset === offset
    const timeMs = batch?.timeMs ?? 0
    found.release()
    if (!isThere) return isAfter && offset < this.tip ? offset + 1 : offset
    const stored = sequenceNumberOf({
      createdSeconds: this.facts.createdSeconds,
      shardNumber: this.facts.number,
      counter,
      timeSeconds: Math.floor(timeMs / 1000),
    })
    const isWanted = isAfter ? stored > number.value : stored >= number.value
    return isWanted ? offset : offset + 1
  }

  /**
   * Records from an offset on, at most `countMax` and 10 MiB of them, and takes them from the read
   * rates. An empty page of an open shard means that there are none now.
   */
  read(from: number, countMax: number, nowMs: number): MaybePromise<Page> {
    const position = Math.max(from, this.facts.baseOffset)
    if (position >= this.tip) return this.#emptyPage(position)
    const found = this.log.read(position, {
      entriesMax: countMax,
      bytesMax: BOUNDS.getRecordsBytesMax + countMax * RECORD_HEADER_BYTES,
      notBeforeMs: this.stream.horizonMs(nowMs),
    })
    if (found instanceof Promise) return found.then((result) => this.#page(result, nowMs))
    return this.#page(found, nowMs)
  }

  #counterOf(offset: number): number {
    return offset - this.facts.baseOffset + 1
  }

  #within(offset: number): number {
    return Math.min(Math.max(offset, this.facts.baseOffset), this.tip)
  }

  #emptyPage(next: number): Page {
    return {
      batches: [],
      count: 0,
      bytes: 0,
      isFull: false,
      next,
      isAtTip: true,
      isAtEnd: this.facts.closed !== undefined,
      lastTimeMs: 0,
      release: nothing,
    }
  }

  #page(found: ReadResult, nowMs: number): Page {
    const end = this.facts.closed?.endOffset ?? Number.POSITIVE_INFINITY
    const batches: Batch[] = []
    let next = Math.min(found.next, end)
    let count = 0
    let bytes = 0
    let isFull = false
    for (const batch of found.batches) {
      const fit = fitting(batch, BOUNDS.getRecordsBytesMax - bytes, count === 0, end)
      bytes += fit.bytes
      count += fit.count
      if (fit.count > 0) {
        batches.push(fit.count === batch.count ? batch : { ...batch, count: fit.count })
      }
      if (fit.count === batch.count) continue
      next = batch.firstOffset + fit.count
      isFull = next < end
      break
    }
    if (bytes >= BOUNDS.getRecordsBytesMax) isFull = true
    this.#takeRead(bytes, isFull, nowMs)
    const { tip } = this
    return {
      batches,
      count,
      bytes,
      isFull,
      next,
      isAtTip: next >= tip,
      isAtEnd: this.facts.closed !== undefined && next >= tip,
      lastTimeMs: batches.at(-1)?.timeMs ?? 0,
      release: () => found.release(),
    }
  }

  #takeRead(bytes: number, isFull: boolean, nowMs: number): void {
    const rates = this.#rates
    if (rates === undefined) return
    rates.readBytes.take(bytes)
    const pauseMs = isFull
      ? SHARD_RATES.pauseAfterFullPageMs
      : rates.readBytes.isOpen(nowMs)
        ? 0
        : SHARD_RATES.pauseAfterSpentMs
    rates.pausedUntilMs = Math.max(rates.pausedUntilMs, nowMs + pauseMs)
  }
}

function fullRates(nowMs: number): Rates {
  return {
    writeBytes: new TokenBucket(SHARD_RATES.writeBytesPerSecond, nowMs),
    writeRecords: new TokenBucket(SHARD_RATES.writeRecordsPerSecond, nowMs),
    readBytes: new TokenBucket(SHARD_RATES.readBytesPerSecond, nowMs),
    readCalls: new TokenBucket(SHARD_RATES.readCallsPerSecond, nowMs),
    iteratorCalls: new TokenBucket(SHARD_RATES.iteratorCallsPerSecond, nowMs),
    pausedUntilMs: 0,
  }
}

/** How many of a batch's entries fit into so many bytes of records and lie before `end`. */
function fitting(
  batch: Batch,
  bytesMax: number,
  isFirst: boolean,
  end: number,
): { count: number; bytes: number } {
  const { buffer, lengthsAt } = batch
  const countMax = Math.min(batch.count, end - batch.firstOffset)
  let bytes = 0
  let count = 0
  for (; count < countMax; count++) {
    const length = buffer.readUInt32LE(lengthsAt + count * 4) - RECORD_HEADER_BYTES
    if (bytes + length > bytesMax && !(isFirst && count === 0)) break
    bytes += length
  }
  return { count, bytes }
}
