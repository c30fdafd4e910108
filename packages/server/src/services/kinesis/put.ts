// Putting records: each request is checked whole, takes from its shards' rates record by record, and goes
// to storage as one block per shard, all in one synchronous step with plain loops over reused arrays.
// Nothing is answered before storage has said that it is kept, and what isn't kept costs no rate.
import { assert } from '@millrace/base/assert'
import type { AppendResult, Engine, StorageError } from '@millrace/storage/engine'
import { WireError } from '@millrace/wire/errors'
import { payloadFault } from '@millrace/wire/payload'
import { parseSequenceNumber } from '@millrace/wire/sequence-number'
import type {
  PutRecordInput,
  PutRecordsInput,
  PutRecordsOutput,
  PutRecordsResultEntry,
} from '@millrace/wire/services/kinesis'
import type { PreparedReply } from '../../platform/operation.ts'
import * as errors from './data-errors.ts'
import { BOUNDS } from './limits.ts'
import { Placement } from './placement.ts'
import { PutRecordReply, PutRecordsReply, type StoredRun } from './put-reply.ts'
import type { Shard } from './shard.ts'
import { BatchBlock, RecordBlock, ShardBatch } from './shard-batch.ts'
import type { Stream } from './stream.ts'
import { streamNotFound } from './stream-errors.ts'

/** In place of a run's number: the record was throttled. */
const THROTTLED = 0xffff

const placement = new Placement()
/** Of the request being checked: each record's shard and key length. */
const shardOf = new Array<Shard | undefined>(BOUNDS.putRecordsCountMax)
const keyBytesOf = new Uint16Array(BOUNDS.putRecordsCountMax)
/** Batches in the order in which a request met their shards; made as they are needed. */
const batches: ShardBatch[] = []

/** Stores one record. `nowMs` is the service time of the request. */
export function putRecord(
  engine: Engine,
  stream: Stream,
  input: PutRecordInput,
  nowMs: number,
): Promise<PreparedReply> {
  const shard = place(stream, input)
  const { keyBytes } = placement
  const bytes = keyBytes + input.Data.byteLength
  checkRecordSize(stream, bytes)
  checkOrdering(stream, shard, input.SequenceNumberForOrdering, nowMs)
  if (input.DryRun === true) throw errors.dryRun()
  if (!shard.admitRecord(bytes, nowMs)) {
    const message = errors.writeRateMessage(shard.id, stream.name, stream.account)
    throw new WireError(errors.THROUGHPUT_EXCEEDED, message)
  }
  return engine.append([new RecordBlock(shard.log, input, keyBytes)]).then(
    ([result]) => {
      assert(result !== undefined, 'storage answers for each block')
      if (result.kind === 'appended') {
        return new PutRecordReply({
          shard,
          firstOffset: result.firstOffset,
          timeMs: result.timeMs,
        })
      }
      shard.giveBack(1, bytes)
      throw refusal(stream, result.error)
    },
    (error: unknown) => {
      shard.giveBack(1, bytes)
      throw error
    },
  )
}

/** Stores up to 500 records, each of which succeeds or fails on its own once the request is valid. */
export function putRecords(
  engine: Engine,
  stream: Stream,
  input: PutRecordsInput,
  nowMs: number,
): Promise<PutRecordsOutput | PreparedReply> {
  checkRecords(stream, input)
  if (input.DryRun === true) throw errors.dryRun()
  const admitted = admitRecords(input, nowMs)
  if (admitted.throttledBy.length > 0) checkThrottled(input, admitted)
  return append(engine, admitted.blocks).then(
    (results) => answer(stream, input, admitted, results),
    (error: unknown) => {
      giveBack(admitted)
      throw error
    },
  )
}

/** What the rates let through of one request, and where each of its records went. */
interface Admitted {
  readonly blocks: readonly BatchBlock[]
  /** Each record's block, or THROTTLED. */
  readonly runOf: Uint16Array
  /** The shards of the throttled records, in their order. */
  readonly throttledBy: readonly Shard[]
}

function place(stream: Stream, input: PutRecordInput): Shard {
  const { PartitionKey: key } = input
  if (stream.facts.distribution === 'AUTO') return placement.spread(stream, key)
  if (key === undefined) throw errors.partitionKeysMissing(['partitionKey'])
  return placement.place(stream, stream.onlyShard, key, input.ExplicitHashKey)
}

function checkRecordSize(stream: Stream, bytes: number): void {
  const bytesMax = stream.facts.maxRecordKiB * 1024
  if (bytes > bytesMax) throw errors.recordTooLarge(bytes, bytesMax, stream.name)
}

/**
 * The number to be exceeded must be readable and not of the future. It may be of another shard, where
 * nothing can be promised, as AWS's own sample programs do; of this shard it must have been given out.
 */
function checkOrdering(
  stream: Stream,
  shard: Shard,
  text: string | undefined,
  nowMs: number,
): void {
  if (text === undefined) return
  if (stream.facts.distribution === 'AUTO') throw errors.orderingNotApplicable(stream.name)
  const number = parseSequenceNumber(text)
  const isOfFuture = (number?.timeSeconds ?? 0) * 1000 > nowMs
  if (number === undefined || isOfFuture || shard.isAhead(number)) {
    throw errors.invalidOrderingNumber(text, stream.name, stream.account)
  }
}

function pathsWithoutKey(input: PutRecordsInput): string[] {
  return input.Records.flatMap(({ PartitionKey }, index) =>
    PartitionKey === undefined ? [`records.${index + 1}.member.partitionKey`] : [],
  )
}

/** Checks the request whole and finds each record's shard. Nothing has changed if it throws. */
function checkRecords(stream: Stream, input: PutRecordsInput): void {
  const { Records: records } = input
  const count = records.length
  assert(count <= BOUNDS.putRecordsCountMax, 'the model bounds the records of a request')
  const only = stream.onlyShard
  const recordBytesMax = stream.facts.maxRecordKiB * 1024
  const isAuto = stream.facts.distribution === 'AUTO'
  let bytes = 0
  for (let i = 0; i < count; i++) {
    const record = records[i]!
    const { PartitionKey: key } = record
    if (isAuto) shardOf[i] = placement.spread(stream, key)
    else if (key === undefined) throw errors.partitionKeysMissing(pathsWithoutKey(input))
    else shardOf[i] = placement.place(stream, only, key, record.ExplicitHashKey)
    const { keyBytes } = placement
    keyBytesOf[i] = keyBytes
    const recordBytes = keyBytes + record.Data.byteLength
    if (recordBytes > recordBytesMax) checkRecordSize(stream, recordBytes)
    bytes += recordBytes
  }
  if (bytes > BOUNDS.putRecordsBytesMax) throw errors.requestTooLarge()
}

/** Takes from the rates, and gathers what was admitted into a block per shard. */
function admitRecords(input: PutRecordsInput, nowMs: number): Admitted {
  const { Records: records } = input
  const count = records.length
  const runOf = new Uint16Array(count)
  const shards: Shard[] = []
  const throttledBy: Shard[] = []
  for (let i = 0; i < count; i++) {
    const shard = shardOf[i]!
    const keyBytes = keyBytesOf[i]!
    const dataBytes = records[i]!.Data.byteLength
    if (!shard.admitRecord(keyBytes + dataBytes, nowMs)) {
      runOf[i] = THROTTLED
      throttledBy.push(shard)
      continue
    }
    let run = shard.run
    if (shards[run] !== shard) {
      run = shards.length
      shard.run = run
      shards.push(shard)
      batchAt(run).begin(records)
    }
    batches[run]!.add(i, keyBytes, dataBytes)
    runOf[i] = run
  }
  return {
    blocks: shards.map((shard, run) => new BatchBlock(shard, batchAt(run))),
    runOf,
    throttledBy,
  }
}

/** Records that nobody will write are looked at all the same: what isn't base64 fails the whole request. */
function checkThrottled({ Records: records }: PutRecordsInput, admitted: Admitted): void {
  const { runOf } = admitted
  for (let i = 0; i < runOf.length; i++) {
    const fault = runOf[i] === THROTTLED ? payloadFault(records[i]!.Data) : undefined
    if (fault === undefined) continue
    giveBack(admitted)
    throw fault
  }
}

function giveBack({ blocks }: Admitted): void {
  for (const { shard, count, recordBytes } of blocks) shard.giveBack(count, recordBytes)
}

function batchAt(run: number): ShardBatch {
  const known = batches[run]
  if (known !== undefined) return known
  const made = new ShardBatch()
  batches[run] = made
  return made
}

/** Storage looks at the batches in the call only, so that the next request may use them again. */
function append(engine: Engine, blocks: readonly BatchBlock[]): Promise<readonly AppendResult[]> {
  if (blocks.length === 0) return Promise.resolve([])
  const appended = engine.append(blocks)
  for (let run = 0; run < blocks.length; run++) batchAt(run).end()
  return appended
}

function answer(
  stream: Stream,
  input: PutRecordsInput,
  admitted: Admitted,
  results: readonly AppendResult[],
): PutRecordsOutput | PreparedReply {
  const { blocks, runOf } = admitted
  assert(results.length === blocks.length, 'storage answers for each block')
  const runs: (StoredRun | undefined)[] = []
  let storedCount = 0
  for (let run = 0; run < blocks.length; run++) {
    const { shard, count, recordBytes } = blocks[run]!
    const result = results[run]!
    if (result.kind === 'appended') {
      runs.push({ shard, firstOffset: result.firstOffset, timeMs: result.timeMs })
      storedCount += count
    } else {
      shard.giveBack(count, recordBytes)
      runs.push(undefined)
    }
  }
  if (storedCount === 0) throwRefusal(stream, input, results)
  const { length: count } = runOf
  if (storedCount < count) return partialAnswer(stream, admitted, runs, count - storedCount)
  return new PutRecordsReply(
    runs.filter((run) => run !== undefined),
    count,
    runOf,
  )
}

/**
 * When storage kept nothing of a request, its reason is worth more than a list of failures. A gate is
 * none: while a shard is being resharded, its records may be tried again one by one. Nor has a gated
 * shard written its records, so what isn't base64 in them is found here or, when other shards have taken
 * theirs, at the next try.
 */
function throwRefusal(
  stream: Stream,
  { Records: records }: PutRecordsInput,
  results: readonly AppendResult[],
): void {
  for (const { Data } of records) {
    const fault = payloadFault(Data)
    if (fault !== undefined) throw fault
  }
  for (const result of results) {
    if (result.kind === 'failed' && result.error.code !== 'gated') {
      throw refusal(stream, result.error)
    }
  }
}

/** The group of a stream that was deleted while its record was on the way is gone. */
function refusal(stream: Stream, error: StorageError): Error {
  return error.code === 'group-missing' ? streamNotFound(stream.name, stream.account) : error
}

function partialAnswer(
  stream: Stream,
  { runOf, throttledBy }: Admitted,
  runs: readonly (StoredRun | undefined)[],
  failedCount: number,
): PutRecordsOutput {
  const cursors = runs.map((run) => run?.shard.writtenAt(run.firstOffset, run.timeMs))
  const entries: PutRecordsResultEntry[] = []
  let throttled = 0
  for (const index of runOf) {
    const run = runs[index]
    const cursor = cursors[index]
    if (run !== undefined && cursor !== undefined) {
      entries.push({ SequenceNumber: cursor.toString(), ShardId: run.shard.id })
      cursor.advance()
    } else if (index === THROTTLED) {
      const { id } = throttledBy[throttled++]!
      entries.push({
        ErrorCode: errors.THROUGHPUT_EXCEEDED,
        ErrorMessage: errors.writeRateMessage(id, stream.name, stream.account),
      })
    } else {
      entries.push({ ErrorCode: 'InternalFailure', ErrorMessage: 'Internal Service Failure' })
    }
  }
  return { FailedRecordCount: failedCount, Records: entries }
}
