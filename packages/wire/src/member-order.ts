// In which order the service goes through the members of a structure when it lists constraint errors, and
// through the values of an enum when it names them.
//
// The member orders that kinesalite's tests saw (twelve operations: PutRecord's partitionKey before
// explicitHashKey before data before streamName, PutRecords' records before streamName, …) are all that
// of a Java 7 hash map over the members' names, so that is what orders members here, also those nobody
// has seen. Members in one bucket stay in the model's order unless they were seen in another.

/** Member names as in messages (`streamName`), in the order in which the service complains of them. */
export function memberOrder(structure: string, members: readonly string[]): string[] {
  let buckets = 16
  while (members.length > buckets * 0.75) buckets *= 2
  const seen = SEEN_MEMBERS[structure] ?? []
  const rank = (name: string): number => {
    const position = seen.indexOf(name)
    return position === -1 ? seen.length : position
  }
  return members
    .map((name) => ({ name, bucket: spread(javaHash(name)) & (buckets - 1) }))
    .sort((a, b) => a.bucket - b.bucket || rank(a.name) - rank(b.name))
    .map((each) => each.name)
}

/** Enum values in the order in which messages name them. */
export function enumOrder(shape: string, values: readonly string[]): readonly string[] {
  const seen = SEEN_VALUES[shape]
  return seen !== undefined && seen.length === values.length ? seen : values
}

/** Orders within a bucket [seen by kinesalite's tests]. */
const SEEN_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  PutRecordInput: ['sequenceNumberForOrdering', 'partitionKey'],
  GetShardIteratorInput: ['startingSequenceNumber', 'streamName'],
  SplitShardInput: ['streamName', 'shardToSplit'],
}

const SEEN_VALUES: Readonly<Record<string, readonly string[]>> = {
  ShardIteratorType: [
    'AFTER_SEQUENCE_NUMBER',
    'LATEST',
    'AT_TIMESTAMP',
    'AT_SEQUENCE_NUMBER',
    'TRIM_HORIZON',
  ],
}

/** `String.hashCode`. */
function javaHash(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index++) {
    hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0
  }
  return hash
}

/** What Java 7's HashMap does to a hash before it takes the low bits. */
function spread(hash: number): number {
  const folded = hash ^ (hash >>> 20) ^ (hash >>> 12)
  return folded ^ (folded >>> 7) ^ (folded >>> 4)
}
