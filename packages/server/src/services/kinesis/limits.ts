// Every limit of Kinesis Data Streams, once. Rates and quotas are what `--limits none` lifts; the
// bounds of single requests hold always. Numbers are AWS's documented ones unless said otherwise.

const KIB = 1024
const MIB = 1024 * KIB

/** Bounds of requests, records and answers: validation, never lifted. */
export const BOUNDS = {
  /** Data plus partition key of one record when the stream says nothing else. */
  recordKiBDefault: 1024,
  recordKiBMax: 10240,
  putRecordsCountMax: 500,
  /** All data and partition keys of one PutRecords. */
  putRecordsBytesMax: 10 * MIB,
  getRecordsCountMax: 10_000,
  getRecordsBytesMax: 10 * MIB,
  shardIteratorLifeMs: 300_000,
  nextTokenLifeMs: 300_000,
  describeStreamShardsMax: 100,
  listShardsMax: 1000,
  listStreamsDefault: 100,
  listStreamsMax: 10_000,
  listTagsMax: 50,
  tagsPerStreamMax: 50,
  retentionHoursDefault: 24,
  retentionHoursMin: 24,
  retentionHoursMax: 8760,
  onDemandShardCountAtStart: 4,
} as const

/** Per shard: buckets that hold one second's worth. */
export const SHARD_RATES = {
  writeBytesPerSecond: MIB,
  writeRecordsPerSecond: 1000,
  readBytesPerSecond: 2 * MIB,
  readCallsPerSecond: 5,
  iteratorCallsPerSecond: 5,
  /** How long GetRecords pauses after a page that was as large as a page can be. */
  pauseAfterFullPageMs: 5000,
} as const

/** Per account and region. */
export const QUOTAS = {
  creatingStreamsMax: 5,
  onDemandStreamsMax: 50,
} as const

const SHARD_QUOTA_LARGE = 20_000
const SHARD_QUOTA_MIDDLE = 6000
const SHARD_QUOTA_SMALL = 1000
const LARGE_REGIONS: ReadonlySet<string> = new Set(['us-east-1', 'us-west-2', 'eu-west-1'])
// The documents name regions with 6 000 shards only in part ("ap-…"); these are the ones they name.
const MIDDLE_REGIONS: ReadonlySet<string> = new Set<string>()

/** Shards of provisioned streams that an account may have in a region. */
export function shardQuota(region: string): number {
  if (LARGE_REGIONS.has(region)) return SHARD_QUOTA_LARGE
  if (MIDDLE_REGIONS.has(region)) return SHARD_QUOTA_MIDDLE
  return SHARD_QUOTA_SMALL
}
