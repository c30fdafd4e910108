// One stream at run time: its facts as the catalog has them at this moment, its storage group, and the
// shards in use. It promises that what it says always follows from the facts and the time given: the
// routing table is rebuilt when the facts' version has moved, statuses and horizons are computed.
import { assert } from '@millrace/base/assert'
import type { Clock } from '@millrace/base/clock'
import type { Group } from '@millrace/storage/engine'
import { streamArn } from '@millrace/wire/arn'
import { readHashKey } from '@millrace/wire/hash-key'
import type { KinesisSettings } from './settings.ts'
import { Shard } from './shard.ts'
import type { ShardFacts, StreamFacts } from './stream-facts.ts'
import { isGone, type StreamStatus, streamStatus } from './stream-status.ts'

const HOUR_MS = 3_600_000

/** Open shards by rising hash key; `bounds` has the last hash key of each as 4 big-endian u32 words. */
interface RoutingTable {
  readonly version: number
  readonly open: readonly ShardFacts[]
  readonly shards: (Shard | undefined)[]
  readonly bounds: Uint32Array
}

export class Stream {
  readonly facts: StreamFacts
  readonly arn: string
  readonly group: Group
  readonly #settings: KinesisSettings
  readonly #clock: Clock
  readonly #shards = new Map<number, Shard>()
  #table: RoutingTable | undefined

  constructor(facts: StreamFacts, group: Group, settings: KinesisSettings, clock: Clock) {
    assert(facts.groupId === group.id, `stream ${facts.name} lives in another group`)
    this.facts = facts
    this.arn = streamArn(facts.region, facts.account, facts.name)
    this.group = group
    this.#settings = settings
    this.#clock = clock
  }

  get name(): string {
    return this.facts.name
  }

  get account(): string {
    return this.facts.account
  }

  status(nowMs: number): StreamStatus {
    return streamStatus(this.facts, nowMs)
  }

  /** Whether its deletion is over, so that nobody may see it any more. */
  isGone(nowMs: number): boolean {
    return isGone(this.facts, nowMs)
  }

  /** The horizon, ms: records older than this are gone. */
  horizonMs(nowMs: number): number {
    return Math.max(nowMs - this.facts.retentionHours * HOUR_MS, this.facts.expiredBeforeMs)
  }

  /** Whether a shard is past its life: closed, and all it can hold is older than the horizon. */
  isExpired(shard: ShardFacts, nowMs: number): boolean {
    return shard.closed !== undefined && shard.closed.atMs < this.horizonMs(nowMs)
  }

  /** Shards not yet expired, by rising number. */
  shardsAt(nowMs: number): readonly ShardFacts[] {
    const { shards } = this.facts
    return shards.some((shard) => this.isExpired(shard, nowMs))
      ? shards.filter((shard) => !this.isExpired(shard, nowMs))
      : shards
  }

  get openShardCount(): number {
    return this.#routing().open.length
  }

  /** The shard of this number, or undefined when the stream has none. Expired ones are still found. */
  shard(number: number): Shard | undefined {
    const known = this.#shards.get(number)
    if (known !== undefined) return known
    const facts = shardOf(this.facts.shards, number)
    return facts === undefined ? undefined : this.#make(facts)
  }

  /** The open shard whose hash key range holds this 128-bit key, given as 4 big-endian u32 words. */
  route(words: Uint32Array): Shard {
    const table = this.#routing()
    const { bounds } = table
    let low = 0
    let high = table.open.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isBelowOrEqual(words, bounds, middle * 4)) high = middle
      else low = middle + 1
    }
    return this.#routed(table, low)
  }

  /** The one open shard, if there is only one: then nothing needs to be hashed. */
  get onlyShard(): Shard | undefined {
    const table = this.#routing()
    return table.open.length === 1 ? this.#routed(table, 0) : undefined
  }

  #routing(): RoutingTable {
    if (this.#table?.version === this.facts.version) return this.#table
    this.#table = routingTable(this.facts)
    for (const number of this.#shards.keys()) {
      if (shardOf(this.facts.shards, number) === undefined) this.#shards.delete(number)
    }
    return this.#table
  }

  #routed(table: RoutingTable, index: number): Shard {
    const known = table.shards[index]
    if (known !== undefined) return known
    const facts = table.open[index]
    assert(facts !== undefined, `stream ${this.name} has no open shard`)
    const shard = this.#shards.get(facts.number) ?? this.#make(facts)
    table.shards[index] = shard
    return shard
  }

  #make(facts: ShardFacts): Shard {
    const log = this.group.log(facts.number)
    const shard = new Shard(this, facts, log, this.#settings, this.#clock)
    this.#shards.set(facts.number, shard)
    return shard
  }
}

function routingTable(facts: StreamFacts): RoutingTable {
  const open = facts.shards
    .filter((shard) => shard.closed === undefined)
    .map((shard) => ({ shard, start: BigInt(shard.startingHashKey) }))
    .sort((a, b) => (a.start < b.start ? -1 : 1))
    .map(({ shard }) => shard)
  const bounds = new Uint32Array(open.length * 4)
  open.forEach((shard, index) => {
    const isHashKey = readHashKey(shard.endingHashKey, bounds.subarray(index * 4, index * 4 + 4))
    assert(isHashKey, `shard ${shard.number} of stream ${facts.name} ends at no hash key`)
  })
  return { version: facts.version, open, shards: new Array(open.length), bounds }
}

function isBelowOrEqual(words: Uint32Array, bounds: Uint32Array, at: number): boolean {
  for (let word = 0; word < 4; word++) {
    const a = words[word]!
    const b = bounds[at + word]!
    if (a !== b) return a < b
  }
  return true
}

/** Shards are sorted by number, mostly without holes. */
function shardOf(shards: readonly ShardFacts[], number: number): ShardFacts | undefined {
  let low = 0
  let high = shards.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const shard = shards[middle]!
    if (shard.number === number) return shard
    if (shard.number < number) low = middle + 1
    else high = middle - 1
  }
  return undefined
}
