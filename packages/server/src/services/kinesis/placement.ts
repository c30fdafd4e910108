// Which shard a record belongs to: by its explicit hash key, by the hash of its partition key, or, on a
// stream that spreads records itself, evenly over all open shards.
import { hashPartitionKey, readHashKey } from '@millrace/wire/hash-key'
import { partitionKeyBytes } from './record.ts'
import type { Shard } from './shard.ts'
import type { Stream } from './stream.ts'
import { invalidArgument } from './stream-errors.ts'

/** Steps of the golden ratio visit a ring evenly, however many there are and wherever one stops. */
const GOLDEN_STEP = 0x9e3779b9

/** One serves all requests: what it works on is used up within the call. */
export class Placement {
  /** Bytes of the partition key of the record placed last, in UTF-8. */
  keyBytes = 0
  readonly #words = new Uint32Array(4)
  #turn = 0

  /**
   * The open shard for a record. `only` is the stream's one open shard, if there is only one.
   * InvalidArgumentException when the explicit hash key isn't below 2^128.
   */
  place(
    stream: Stream,
    only: Shard | undefined,
    partitionKey: string,
    explicitHashKey: string | undefined,
  ): Shard {
    if (explicitHashKey !== undefined) {
      this.keyBytes = partitionKeyBytes(partitionKey)
      if (!readHashKey(explicitHashKey, this.#words)) throw invalidHashKey(explicitHashKey)
      return only ?? stream.route(this.#words)
    }
    if (only !== undefined) {
      this.keyBytes = partitionKeyBytes(partitionKey)
      return only
    }
    this.keyBytes = hashPartitionKey(partitionKey, this.#words)
    return stream.route(this.#words)
  }

  /** The shard whose turn it is on a stream that spreads records itself. */
  spread(stream: Stream, partitionKey: string | undefined): Shard {
    this.keyBytes = partitionKey === undefined ? 0 : partitionKeyBytes(partitionKey)
    this.#turn = (this.#turn + GOLDEN_STEP) >>> 0
    this.#words.fill(0)
    this.#words[0] = this.#turn
    return stream.route(this.#words)
  }
}

/** Text observed. */
function invalidHashKey(text: string): Error {
  return invalidArgument(
    `Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was ${text}`,
  )
}
