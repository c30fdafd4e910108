// What the catalog keeps of Kinesis streams: facts by group number and by name, as commands leave
// them. `apply` only compares and assigns. Stream objects hold on to the very facts objects that live
// here: a change is made in place, and raises `version`.
import type { Command, Fold } from '../../platform/fold.ts'
import type { StreamFacts } from './stream-facts.ts'

export interface StreamCreated extends Command {
  readonly kind: 'kinesis.stream-created'
  /** Loses when the account already has a stream of that name in that region. */
  readonly stream: StreamFacts
}

/** The stream is no more. */
export interface StreamDeleted extends Command {
  readonly kind: 'kinesis.stream-deleted'
  readonly groupId: number
  readonly onVersion: number
  /** The latest creation second of its shards: a later stream of the name begins after it. */
  readonly lastSecond: number
  /** Deleted names whose last second is before this one need not be remembered any longer. */
  readonly forgetBeforeSecond: number
}

/** What can be decided about a stream that exists; each is a command's kind and facts. */
export type StreamChange =
  | { readonly kind: 'kinesis.stream-deleting'; readonly deletingUntilMs: number }
  /** All tags from now on. */
  | { readonly kind: 'kinesis.tags-changed'; readonly tags: Readonly<Record<string, string>> }
  | {
      readonly kind: 'kinesis.retention-changed'
      readonly retentionHours: number
      readonly expiredBeforeMs: number
      readonly updatingUntilMs: number
    }
  /** Closed shards whose records have all expired are forgotten. */
  | { readonly kind: 'kinesis.shards-expired'; readonly numbers: readonly number[] }

export type ChangeCommand = Command &
  StreamChange & { readonly groupId: number; readonly onVersion: number }

export type StreamCommand = StreamCreated | StreamDeleted | ChangeCommand

/** By account, region and name; the parts have no blank in them. */
export function streamKey(account: string, region: string, name: string): string {
  return `${account} ${region} ${name}`
}

interface Snapshot {
  readonly streams: readonly StreamFacts[]
  readonly lastSeconds: Readonly<Record<string, number>>
  readonly groupIdMax: number
}

export class StreamFold implements Fold {
  readonly name = 'kinesis'
  readonly versions: Fold['versions'] = {
    'kinesis.stream-created': 1,
    'kinesis.stream-deleting': 1,
    'kinesis.stream-deleted': 1,
    'kinesis.tags-changed': 1,
    'kinesis.retention-changed': 1,
    'kinesis.shards-expired': 1,
  }
  readonly #byKey = new Map<string, StreamFacts>()
  readonly #byGroup = new Map<number, StreamFacts>()
  /** Of deleted streams: the latest creation second of a shard, by key. */
  readonly #lastSeconds = new Map<string, number>()
  #groupIdMax = 0
  #onDeleted: (facts: StreamFacts) => void = () => {}

  find(account: string, region: string, name: string): StreamFacts | undefined {
    return this.#byKey.get(streamKey(account, region, name))
  }

  byGroup(groupId: number): StreamFacts | undefined {
    return this.#byGroup.get(groupId)
  }

  all(): IterableIterator<StreamFacts> {
    return this.#byGroup.values()
  }

  /** The latest creation second of a shard of deleted streams of that name, if one is remembered. */
  lastSecond(account: string, region: string, name: string): number | undefined {
    return this.#lastSeconds.get(streamKey(account, region, name))
  }

  /** The highest group number that a stream ever had. */
  get groupIdMax(): number {
    return this.#groupIdMax
  }

  /** Calls `listener` when a stream is no more; there is one listener. */
  onDeleted(listener: (facts: StreamFacts) => void): void {
    this.#onDeleted = listener
  }

  apply(command: Command): boolean {
    const known = command as StreamCommand
    if (known.kind === 'kinesis.stream-created') return this.#create(known)
    const facts = this.#byGroup.get(known.groupId)
    if (facts === undefined || facts.version !== known.onVersion) return false
    if (known.kind === 'kinesis.stream-deleted') this.#delete(facts, known)
    else change(facts, known)
    return true
  }

  snapshot(): unknown {
    const snapshot: Snapshot = {
      streams: [...this.#byGroup.values()],
      lastSeconds: Object.fromEntries(this.#lastSeconds),
      groupIdMax: this.#groupIdMax,
    }
    return structuredClone(snapshot)
  }

  restore(snapshot: unknown): void {
    const { streams, lastSeconds, groupIdMax } = structuredClone(snapshot) as Snapshot
    for (const facts of streams) this.#add(facts)
    for (const [key, second] of Object.entries(lastSeconds)) this.#lastSeconds.set(key, second)
    this.#groupIdMax = groupIdMax
  }

  #create({ stream }: StreamCreated): boolean {
    if (this.#byKey.has(streamKey(stream.account, stream.region, stream.name))) return false
    if (this.#byGroup.has(stream.groupId)) return false
    this.#add(structuredClone(stream))
    return true
  }

  #add(facts: StreamFacts): void {
    const key = streamKey(facts.account, facts.region, facts.name)
    this.#byKey.set(key, facts)
    this.#byGroup.set(facts.groupId, facts)
    this.#lastSeconds.delete(key)
    if (facts.groupId > this.#groupIdMax) this.#groupIdMax = facts.groupId
  }

  #delete(facts: StreamFacts, command: StreamDeleted): void {
    const key = streamKey(facts.account, facts.region, facts.name)
    this.#byKey.delete(key)
    this.#byGroup.delete(facts.groupId)
    for (const [other, second] of this.#lastSeconds) {
      if (second < command.forgetBeforeSecond) this.#lastSeconds.delete(other)
    }
    this.#lastSeconds.set(key, command.lastSecond)
    this.#onDeleted(facts)
  }
}

function change(facts: StreamFacts, command: ChangeCommand): void {
  switch (command.kind) {
    case 'kinesis.stream-deleting':
      facts.deletingUntilMs = command.deletingUntilMs
      break
    case 'kinesis.tags-changed':
      facts.tags = { ...command.tags }
      break
    case 'kinesis.retention-changed':
      facts.retentionHours = command.retentionHours
      facts.expiredBeforeMs = command.expiredBeforeMs
      facts.updatingUntilMs = command.updatingUntilMs
      break
    case 'kinesis.shards-expired': {
      const numbers = new Set(command.numbers)
      facts.shards = facts.shards.filter((shard) => !numbers.has(shard.number))
      break
    }
  }
  facts.version++
}
