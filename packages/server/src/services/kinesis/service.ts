// The kinesis slice: its operations, and how it is put together. What it keeps in the catalog is a
// StreamFold, which the catalog is opened with before the slice is made.
import { kinesis } from '@millrace/wire/services/kinesis'
import { type Operation, type Service, service } from '../../platform/operation.ts'
import { ControlRates, rated } from './control-rates.ts'
import { Iterators } from './iterators.ts'
import { streamOfNextToken } from './next-token.ts'
import { addTagsToStream } from './operations/add-tags-to-stream.ts'
import { createStream } from './operations/create-stream.ts'
import { decreaseStreamRetentionPeriod } from './operations/decrease-stream-retention-period.ts'
import { deleteStream } from './operations/delete-stream.ts'
import { describeLimits } from './operations/describe-limits.ts'
import { describeStream } from './operations/describe-stream.ts'
import { describeStreamSummary } from './operations/describe-stream-summary.ts'
import { getRecords } from './operations/get-records.ts'
import { getShardIterator } from './operations/get-shard-iterator.ts'
import { increaseStreamRetentionPeriod } from './operations/increase-stream-retention-period.ts'
import { listShards } from './operations/list-shards.ts'
import { listStreams } from './operations/list-streams.ts'
import { listTagsForResource } from './operations/list-tags-for-resource.ts'
import { listTagsForStream } from './operations/list-tags-for-stream.ts'
import { putRecord } from './operations/put-record.ts'
import { putRecords } from './operations/put-records.ts'
import { removeTagsFromStream } from './operations/remove-tags-from-stream.ts'
import { tagResource } from './operations/tag-resource.ts'
import { untagResource } from './operations/untag-resource.ts'
import type { KinesisParts } from './parts.ts'
import { Retention } from './retention.ts'
import { Streams, type StreamsParts } from './streams.ts'

const OPERATIONS: readonly Operation<KinesisParts>[] = [
  addTagsToStream,
  createStream,
  decreaseStreamRetentionPeriod,
  deleteStream,
  describeLimits,
  describeStream,
  describeStreamSummary,
  getRecords,
  getShardIterator,
  increaseStreamRetentionPeriod,
  listShards,
  listStreams,
  listTagsForResource,
  listTagsForStream,
  putRecord,
  putRecords,
  removeTagsFromStream,
  tagResource,
  untagResource,
]

/** Names of the operations that are built. */
export const KINESIS_OPERATIONS: readonly string[] = OPERATIONS.map((each) => each.contract.name)

export interface KinesisSlice {
  readonly service: Service
  /** The noun that other slices, settings and controls work with; `start` it before serving. */
  readonly streams: Streams
  /** The stream that an input means by an iterator or a page token instead of naming it. */
  streamOf(input: unknown): string | undefined
  /** To be run every RETENTION_EVERY_MS of service time. */
  readonly retention: Retention
}

export function kinesisService(parts: StreamsParts): KinesisSlice {
  const streams = new Streams(parts)
  const { clock, engine, random, settings } = parts
  const iterators = new Iterators(settings.iteratorKey, random)
  const rates = new ControlRates()
  const operations =
    settings.limits === 'none' ? OPERATIONS : OPERATIONS.map((each) => rated(each, rates))
  return {
    service: service(kinesis.service, operations, {
      streams,
      engine,
      iterators,
      clock,
      random,
      settings,
    }),
    streams,
    streamOf(input) {
      const { ShardIterator, NextToken } = (input ?? {}) as Record<string, unknown>
      if (typeof ShardIterator === 'string') return iterators.streamOf(ShardIterator)
      if (typeof NextToken !== 'string') return undefined
      return streamOfNextToken(listShards.contract.name, NextToken, settings)
    },
    retention: new Retention({ streams, clock }),
  }
}
