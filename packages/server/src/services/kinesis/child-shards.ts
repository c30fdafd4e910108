// The children of a closed shard, as readers are told of them at its end.
import type { ChildShard } from '@millrace/wire/services/kinesis'
import { shardId } from '@millrace/wire/shard-id'
import type { StreamFacts } from './stream-facts.ts'

/** Children of the shard of this number, by rising number. */
export function childShards(stream: StreamFacts, number: number): ChildShard[] {
  return stream.shards.flatMap((shard) => {
    const parents = [shard.parent, shard.adjacentParent].filter((parent) => parent !== undefined)
    if (!parents.includes(number)) return []
    const { startingHashKey, endingHashKey } = shard
    return {
      ShardId: shardId(shard.number),
      ParentShards: parents.map(shardId),
      HashKeyRange: { StartingHashKey: startingHashKey, EndingHashKey: endingHashKey },
    }
  })
}
