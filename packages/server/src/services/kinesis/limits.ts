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
  listStreamsMax: 100,
  listTagsMax: 50,
  tagsPerStreamMax: 50,
  retentionHoursDefault: 24,
  retentionHoursMin: 24,
  retentionHoursMax: 8760,
  onDemandShardCountAtStart: 4,
  /** Of one CreateStream, whatever the quotas say (observed as a constraint of the service). */
  shardCountMax: 100_000,
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
  /** How long it pauses after a page that has used up the second's bytes. */
  pauseAfterSpentMs: 1000,
} as const

/** Per account and region. */
export const QUOTAS = {
  creatingStreamsMax: 5,
  onDemandStreamsMax: 50,
} as const

const LARGE_REGIONS: ReadonlySet<string> = new Set(['us-east-1', 'us-west-2', 'eu-west-1'])

/**
 * Shards of provisioned streams that an account may have in a region. The documents say "1,000 or
 * 6,000" for all but three regions without saying which; the smaller number stands for all of them.
 */
export function shardQuota(region: string): number {
  return LARGE_REGIONS.has(region) ? 20_000 : 1000
}

/** What DescribeLimits reports when no limits are kept: the most its members can say. */
export const COUNT_MAX = 1_000_000

export interface CallRate {
  readonly perSecond: number
  /** What shares the bucket: all of an account's calls in a region, or those on one stream. */
  readonly per: 'account' | 'stream'
}

/** Calls of control operations; each operation has its own bucket. */
export const CALL_RATES: Readonly<Record<string, CallRate>> = {
  CreateStream: { perSecond: 5, per: 'account' },
  DeleteStream: { perSecond: 5, per: 'account' },
  DescribeStream: { perSecond: 10, per: 'account' },
  DescribeStreamSummary: { perSecond: 20, per: 'account' },
  DescribeLimits: { perSecond: 1, per: 'account' },
  ListStreams: { perSecond: 5, per: 'account' },
  ListShards: { perSecond: 1000, per: 'stream' },
  IncreaseStreamRetentionPeriod: { perSecond: 5, per: 'account' },
  DecreaseStreamRetentionPeriod: { perSecond: 5, per: 'account' },
  AddTagsToStream: { perSecond: 5, per: 'account' },
  RemoveTagsFromStream: { perSecond: 5, per: 'account' },
  ListTagsForStream: { perSecond: 5, per: 'account' },
  TagResource: { perSecond: 5, per: 'account' },
  UntagResource: { perSecond: 5, per: 'account' },
  ListTagsForResource: { perSecond: 5, per: 'account' },
}
