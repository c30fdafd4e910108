// What the catalog knows of Kinesis streams: decided facts, as plain JSON values. Nothing here is
// derived from the time of day; statuses follow from the `…UntilMs` facts and the clock, on read.

export type StreamMode = 'PROVISIONED' | 'ON_DEMAND'

export interface StreamFacts {
  readonly account: string
  readonly region: string
  readonly name: string
  /** The storage group that holds its shards' logs; never used again for another stream. */
  readonly groupId: number
  /** Rises with every applied command on this stream; commands name the version they were decided on. */
  version: number
  /** Service time of creation, ms. Its second is later than that of every earlier stream of the name. */
  readonly createdMs: number
  mode: StreamMode
  /** CREATING until then, ms; 0 when it was ACTIVE at once. */
  creatingUntilMs: number
  /** UPDATING until then. */
  updatingUntilMs: number
  /** Set by DeleteStream: DELETING until then, gone afterwards. */
  deletingUntilMs?: number
  retentionHours: number
  /** Records older than this are gone whatever the retention says (an increase revives nothing), ms. */
  expiredBeforeMs: number
  maxRecordKiB: number
  warmThroughputMiBps?: number
  distribution?: 'USER_PARTITION_KEY' | 'AUTO'
  tags: Record<string, string>
  /** All shards not yet cleaned up, by rising number. */
  shards: ShardFacts[]
}

export interface ShardFacts {
  /** The number in `shardId-000000000000`, also the id of its log in the group. */
  readonly number: number
  /** Hash key range, both inclusive, decimal. */
  readonly startingHashKey: string
  readonly endingHashKey: string
  /** Seconds since 1970; part of every sequence number of the shard. */
  readonly createdSeconds: number
  /** Offset of the log at which the shard begins. */
  readonly baseOffset: number
  readonly parent?: number
  readonly adjacentParent?: number
  /** Set when the shard was closed by a split or merge. */
  closed?: { readonly atMs: number; readonly endOffset: number }
}
