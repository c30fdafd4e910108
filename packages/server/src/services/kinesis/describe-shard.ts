// A shard as the API describes it: ranges of hash keys and of sequence numbers, and its parents.
import { endingSequenceNumber, startingSequenceNumber } from '@millrace/wire/sequence-number'
import type { Shard } from '@millrace/wire/services/kinesis'
import { shardId } from '@millrace/wire/shard-id'
import type { ShardFacts } from './stream-facts.ts'

export function describeShard(facts: ShardFacts): Shard {
  const { number, parent, adjacentParent, closed, createdSeconds } = facts
  const StartingSequenceNumber = startingSequenceNumber(createdSeconds, number)
  return {
    ShardId: shardId(number),
    ...(parent === undefined ? {} : { ParentShardId: shardId(parent) }),
    ...(adjacentParent === undefined ? {} : { AdjacentParentShardId: shardId(adjacentParent) }),
    HashKeyRange: {
      StartingHashKey: facts.startingHashKey,
      EndingHashKey: facts.endingHashKey,
    },
    SequenceNumberRange:
      closed === undefined
        ? { StartingSequenceNumber }
        : {
            StartingSequenceNumber,
            EndingSequenceNumber: endingSequenceNumber(
              createdSeconds,
              Math.floor(closed.atMs / 1000),
              number,
            ),
          },
  }
}
