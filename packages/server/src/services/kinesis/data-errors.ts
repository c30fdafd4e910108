// What data operations answer when they can't do what was asked, with AWS's texts (observed or
// documented; where neither exists, ours, and it says so).
import { WireError } from '@millrace/wire/errors'
import { BOUNDS } from './limits.ts'
import type { Shard } from './shard.ts'
import { invalidArgument, validation } from './stream-errors.ts'

const ERRORS_LISTED_MAX = 10

/** AWS prints megabytes; the text is that of the 5 MB era with the number of today. */
export function requestTooLarge(): WireError {
  const megabytes = BOUNDS.putRecordsBytesMax / (1024 * 1024)
  return invalidArgument(`Records size exceeds ${megabytes} MB limit`)
}

/** Our text: none was observed for a record between the stream's own limit and the API's. */
export function recordTooLarge(bytes: number, bytesMax: number, stream: string): WireError {
  return invalidArgument(
    `Record size of ${bytes} bytes (data and partition key) exceeds the maximum record size of ${bytesMax} bytes of stream ${stream}.`,
  )
}

/** The model lets partition keys be absent; only streams that spread records themselves do. */
export function partitionKeysMissing(paths: readonly string[]): WireError {
  const listed = paths.slice(0, ERRORS_LISTED_MAX)
  const errors = listed.map(
    (path) => `Value null at '${path}' failed to satisfy constraint: Member must not be null`,
  )
  const noun = errors.length === 1 ? 'error' : 'errors'
  return validation(`${errors.length} validation ${noun} detected: ${errors.join('; ')}`)
}

/** Observed. The name of the member is that of an older API. */
export function invalidOrderingNumber(number: string, stream: string, account: string): WireError {
  return invalidArgument(
    `ExclusiveMinimumSequenceNumber ${number} used in PutRecord on stream ${stream} under account ${account} is invalid.`,
  )
}

/** Documented as refused, without a text: this one is ours. */
export function orderingNotApplicable(stream: string): WireError {
  return invalidArgument(
    `SequenceNumberForOrdering must not be provided: stream ${stream} distributes records automatically.`,
  )
}

export const THROUGHPUT_EXCEEDED = 'ProvisionedThroughputExceededException'

/** Documented, as the message of a failed record in PutRecords. */
export function writeRateMessage(shardId: string, stream: string, account: string): string {
  return `Rate exceeded for shard ${shardId} in stream ${stream} under account ${account}.`
}

/** Of GetRecords and GetShardIterator; the text as observed since 2023. */
export function readThrottled({ id, stream }: Shard): WireError {
  const message = `Rate exceeded for Shard - ${stream.account}/${stream.name}/${id}`
  return new WireError(THROUGHPUT_EXCEEDED, message)
}

/** Of reads whose stream or shard isn't there (observed). */
export function shardMissing(shardId: string, stream: string, account: string): WireError {
  return new WireError(
    'ResourceNotFoundException',
    `Shard ${shardId} in stream ${stream} under account ${account} does not exist`,
  )
}

/** The sentence that documents this error. */
export function dryRun(): WireError {
  return new WireError(
    'DryRunOperationException',
    'The request was rejected because the DryRun parameter was specified.',
  )
}
