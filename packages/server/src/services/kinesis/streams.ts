// All streams of this installation: found by name, ARN or group; made, changed and deleted. A lookup
// costs one map access once a stream is in use; its run-time object is made on the first use and let
// go when it is deleted.
//
// Making: the storage group first, then the command that names it. Deleting: the command first, then
// the group. So a crash in between leaves a group without a stream, which the next start deletes, and
// never a stream without a group, which would be damage.
import type { Clock } from '@millrace/base/clock'
import type { Logger } from '@millrace/base/logger'
import type { Random } from '@millrace/base/random'
import { type Engine, type Group, StorageError } from '@millrace/storage/engine'
import { parseStreamArn, streamArn } from '@millrace/wire/arn'
import type { CatalogWriter } from '../../platform/fold.ts'
import type { RequestContext } from '../../platform/operation.ts'
import { type NewStream, newStreamFacts } from './new-stream.ts'
import { type Actor, checkAccess } from './resource-access.ts'
import type { KinesisSettings } from './settings.ts'
import { Stream } from './stream.ts'
import { invalidArgument, streamExists, streamNotFound } from './stream-errors.ts'
import type { StreamFacts } from './stream-facts.ts'
import { type StreamChange, type StreamFold, streamKey } from './stream-fold.ts'
import { checkQuota, type Usage, usageOf } from './stream-quotas.ts'
import { isGone } from './stream-status.ts'

export type { KinesisSettings } from './settings.ts'

/** How operations name a stream; at least one is given. */
export interface StreamTarget {
  readonly StreamName?: string
  readonly StreamARN?: string
}

/** The part of a request's context that says where a name is looked up. */
export type Caller = Pick<RequestContext, 'account' | 'region' | 'nowMs'>

/** What a token says of the stream that it was made for. */
export interface TokenTarget {
  readonly groupId: number
  readonly account: string
  readonly streamName: string
}

export interface StreamsParts {
  readonly engine: Engine
  readonly catalog: CatalogWriter
  readonly fold: StreamFold
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly settings: KinesisSettings
}

const NO_STREAMS: ReadonlyMap<string, Stream> = new Map()
/** The catalog's own group. */
const CATALOG_GROUP_ID = 1
/** How long the last creation second of a deleted name matters: service time never falls that far. */
const NAME_MEMORY_SECONDS = 3600
/** A decision is lost only to another one on the same stream; this many in a row are none. */
const ATTEMPTS_MAX = 1000

export class Streams {
  readonly #parts: StreamsParts
  readonly #byGroup = new Map<number, Stream>()
  /** By ARN, whoever asks. */
  readonly #byArnText = new Map<string, Stream>()
  /** By account and region, then by name. */
  readonly #scopes = new Map<string, Map<string, Stream>>()
  /** The scope of the latest lookup: most callers stay in one. */
  #account = ''
  #region = ''
  #scope: ReadonlyMap<string, Stream> = NO_STREAMS
  /** Being made: counted by quotas, not found yet. */
  readonly #pending = new Map<string, StreamFacts>()
  readonly #cancels = new Map<number, () => void>()
  #lastGroupId = CATALOG_GROUP_ID

  constructor(parts: StreamsParts) {
    this.#parts = parts
    parts.fold.onDeleted((facts) => this.#forget(facts))
  }

  /**
   * After the catalog has been read: takes up deletions under way, and deletes groups that a crash
   * left without a stream. `otherGroupIds` are those of other slices. A StorageError `damaged` when
   * records are missing, or are there and the catalog has never heard of them.
   */
  async start(otherGroupIds: ReadonlySet<number> = new Set()): Promise<void> {
    const { engine, fold, logger } = this.#parts
    const groupIds = new Set(engine.groupIds())
    for (const facts of fold.all()) {
      if (!groupIds.has(facts.groupId)) throw recordsMissing(facts)
      if (facts.deletingUntilMs !== undefined) this.#removeAt(facts, facts.deletingUntilMs)
    }
    for (const groupId of groupIds) {
      if (groupId === CATALOG_GROUP_ID || otherGroupIds.has(groupId)) continue
      if (fold.byGroup(groupId) !== undefined) continue
      // Up to the highest number the catalog knows, a group's stream was deleted; past it, a creation
      // was cut short before anybody could write.
      if (groupId > fold.groupIdMax && holdsRecords(engine.openGroup(groupId))) {
        throw catalogBehind(groupId)
      }
      logger.warn('deleting a storage group that belongs to no stream', { groupId })
      await engine.deleteGroup(groupId)
    }
  }

  /** Nothing more happens by itself. */
  stop(): void {
    for (const cancel of this.#cancels.values()) cancel()
    this.#cancels.clear()
  }

  /** For puts and gets: a stream that is being created isn't found yet, one being deleted still is. */
  forData(target: StreamTarget, context: Caller & Actor): Stream {
    const stream = this.forControl(target, context)
    if (context.nowMs < stream.facts.creatingUntilMs) {
      throw streamNotFound(stream.name, stream.account)
    }
    return stream
  }

  /** In any status. AccessDeniedException when an ARN is another account's. */
  forControl(target: StreamTarget, context: Caller & Actor): Stream {
    const { StreamARN, StreamName } = target
    if (StreamARN !== undefined) return this.#byArn(StreamARN, StreamName, context)
    if (StreamName === undefined) {
      throw invalidArgument('Missing required parameter: either StreamARN or StreamName')
    }
    return this.#byName(context.account, context.region, StreamName, context.nowMs)
  }

  /**
   * For calls that go on with a token: undefined when its stream is gone or of another region than the
   * caller's. AccessDeniedException when it is another account's.
   */
  forToken(target: TokenTarget, context: Caller & Actor): Stream | undefined {
    const { groupId, account, streamName } = target
    const stream = this.byGroup(groupId)
    checkAccess(stream?.arn ?? streamArn(context.region, account, streamName), account, context)
    if (stream === undefined || stream.isGone(context.nowMs)) return undefined
    return stream.facts.region === context.region ? stream : undefined
  }

  byGroup(groupId: number): Stream | undefined {
    const known = this.#byGroup.get(groupId)
    if (known !== undefined) return known
    const facts = this.#parts.fold.byGroup(groupId)
    return facts === undefined ? undefined : this.#open(facts)
  }

  /** All streams of all accounts that aren't gone. */
  *all(nowMs: number): Generator<Stream> {
    for (const facts of [...this.#parts.fold.all()]) {
      const stream = isGone(facts, nowMs) ? undefined : this.byGroup(facts.groupId)
      if (stream !== undefined) yield stream
    }
  }

  /** Of one account and region, by rising name, those after `after`. */
  list(caller: Caller, after: string | undefined): StreamFacts[] {
    const { account, region, nowMs } = caller
    const found: StreamFacts[] = []
    for (const facts of this.#parts.fold.all()) {
      if (facts.account !== account || facts.region !== region || isGone(facts, nowMs)) continue
      if (after === undefined || facts.name > after) found.push(facts)
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  usage({ account, region, nowMs }: Caller): Usage {
    const { fold } = this.#parts
    return usageOf([...fold.all(), ...this.#pending.values()], account, region, nowMs)
  }

  /** ResourceInUseException when the name is taken, LimitExceededException past a quota. */
  async create(stream: NewStream, caller: Caller): Promise<void> {
    const { settings } = this.#parts
    await this.#finishDeletion(stream.name, caller)
    if (this.#isTaken(stream.name, caller)) throw streamExists(stream.name, caller.account)
    if (settings.limits === 'aws') {
      checkQuota(this.usage(caller), stream, caller.account, caller.region)
    }
    await this.#create(stream, caller, settings.transitionMs)
  }

  /** Makes a stream unless there is one of that name: ACTIVE at once, whatever the quotas. */
  async ensure(stream: NewStream, caller: Caller): Promise<void> {
    await this.#finishDeletion(stream.name, caller)
    if (!this.#isTaken(stream.name, caller)) await this.#create(stream, caller, 0)
  }

  /** Any status; again while DELETING changes nothing. */
  async delete(stream: Stream): Promise<void> {
    const { clock, settings } = this.#parts
    if (settings.transitionMs === 0) {
      await this.#remove(stream.facts)
      return
    }
    const deletingUntilMs = clock.now() + settings.transitionMs
    const isDecided = await this.change(stream, (facts) =>
      facts.deletingUntilMs === undefined
        ? { kind: 'kinesis.stream-deleting', deletingUntilMs }
        : undefined,
    )
    if (isDecided) this.#removeAt(stream.facts, deletingUntilMs)
  }

  /** Deletes all streams of all accounts, at once. */
  async deleteAll(): Promise<void> {
    await Promise.all([...this.#parts.fold.all()].map((facts) => this.#remove(facts)))
  }

  /**
   * Decides a change and makes it durable. When another change came first, `decide` is asked again
   * with what that one left. False when there was nothing to change; what `decide` throws is thrown.
   */
  async change(
    stream: Stream,
    decide: (facts: StreamFacts) => StreamChange | undefined,
  ): Promise<boolean> {
    const { catalog, fold } = this.#parts
    const { facts } = stream
    const { groupId, name, account } = facts
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if (fold.byGroup(groupId) === undefined) throw streamNotFound(name, account)
      const change = decide(facts)
      if (change === undefined) return false
      const command = { ...change, version: 1, groupId, onVersion: facts.version }
      if (await catalog.commit(command)) return true
    }
    throw new Error(`no decision on stream ${name} came through in ${ATTEMPTS_MAX} attempts`)
  }

  #byArn(arn: string, name: string | undefined, context: Caller & Actor): Stream {
    const known = this.#byArnText.get(arn)
    if (known !== undefined && (name ?? known.name) === known.name && isHome(known, context)) {
      if (!known.isGone(context.nowMs)) return known
    }
    const parsed = parseStreamArn(arn)
    if (parsed === undefined) throw invalidArgument(`Invalid StreamARN: ${arn}`)
    checkAccess(arn, parsed.account, context)
    if (name !== undefined && name !== parsed.name) {
      throw invalidArgument(`StreamName ${name} and StreamARN ${arn} name different streams`)
    }
    // A request is answered by the region it was signed for, which knows no streams of other regions.
    if (arn !== streamArn(context.region, parsed.account, parsed.name)) {
      throw streamNotFound(parsed.name, parsed.account)
    }
    return this.#byName(parsed.account, context.region, parsed.name, context.nowMs)
  }

  #byName(account: string, region: string, name: string, nowMs: number): Stream {
    if (account !== this.#account || region !== this.#region) {
      // Callers choose their region freely: only scopes that hold a stream are kept.
      this.#enter(account, region, this.#scopes.get(scopeKey(account, region)) ?? NO_STREAMS)
    }
    const stream = this.#scope.get(name) ?? this.#openNamed(account, region, name)
    if (stream === undefined || stream.isGone(nowMs)) throw streamNotFound(name, account)
    return stream
  }

  #enter(account: string, region: string, scope: ReadonlyMap<string, Stream>): void {
    this.#account = account
    this.#region = region
    this.#scope = scope
  }

  #openNamed(account: string, region: string, name: string): Stream | undefined {
    const facts = this.#parts.fold.find(account, region, name)
    return facts === undefined ? undefined : this.#open(facts)
  }

  #open(facts: StreamFacts): Stream {
    const { engine, settings, clock } = this.#parts
    const stream = new Stream(facts, engine.openGroup(facts.groupId), settings, clock)
    this.#byGroup.set(facts.groupId, stream)
    this.#byArnText.set(stream.arn, stream)
    const key = scopeKey(facts.account, facts.region)
    const scope = this.#scopes.get(key) ?? new Map<string, Stream>()
    scope.set(facts.name, stream)
    this.#scopes.set(key, scope)
    this.#enter(facts.account, facts.region, scope)
    return stream
  }

  #isTaken(name: string, { account, region }: Caller): boolean {
    return (
      this.#parts.fold.find(account, region, name) !== undefined ||
      this.#pending.has(streamKey(account, region, name))
    )
  }

  async #create(stream: NewStream, caller: Caller, transitionMs: number): Promise<void> {
    const { catalog, clock, engine, fold } = this.#parts
    const { account, region } = caller
    const groupId = this.#newGroupId()
    const nowMs = clock.now()
    const lastSecond = fold.lastSecond(account, region, stream.name)
    const time = { nowMs, transitionMs, lastSecond }
    const facts = newStreamFacts(stream, { account, region, groupId }, time)
    const key = streamKey(account, region, stream.name)
    this.#pending.set(key, facts)
    try {
      await engine.createGroup(
        groupId,
        facts.shards.map((shard) => shard.number),
      )
      const command = { kind: 'kinesis.stream-created', version: 1, stream: facts }
      if (await catalog.commit(command)) return
      await engine.deleteGroup(groupId)
      throw streamExists(stream.name, account)
    } finally {
      this.#pending.delete(key)
    }
  }

  #newGroupId(): number {
    const { engine, fold } = this.#parts
    this.#lastGroupId = Math.max(engine.groupIdMax, fold.groupIdMax, this.#lastGroupId) + 1
    return this.#lastGroupId
  }

  /** A deletion that is over but for its last command makes room for a new stream of the name. */
  async #finishDeletion(name: string, { account, region }: Caller): Promise<void> {
    const { clock, fold } = this.#parts
    const facts = fold.find(account, region, name)
    if (facts !== undefined && isGone(facts, clock.now())) await this.#remove(facts)
  }

  #removeAt(facts: StreamFacts, timeMs: number): void {
    const { groupId } = facts
    this.#cancels.get(groupId)?.()
    const cancel = this.#parts.clock.at(timeMs, () => this.#remove(facts))
    this.#cancels.set(groupId, cancel)
  }

  async #remove(facts: StreamFacts): Promise<void> {
    const { catalog, clock, engine, fold } = this.#parts
    const { groupId } = facts
    this.#cancels.get(groupId)?.()
    this.#cancels.delete(groupId)
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if (fold.byGroup(groupId) === undefined) return
      const command = {
        kind: 'kinesis.stream-deleted',
        version: 1,
        groupId,
        onVersion: facts.version,
        lastSecond: facts.shards.reduce((last, shard) => Math.max(last, shard.createdSeconds), 0),
        forgetBeforeSecond: Math.floor(clock.now() / 1000) - NAME_MEMORY_SECONDS,
      }
      if (!(await catalog.commit(command, { isUrgent: true }))) continue
      await engine.deleteGroup(groupId)
      return
    }
    throw new Error(`stream ${facts.name} changed all the time and could not be deleted`)
  }

  #forget(facts: StreamFacts): void {
    this.#byGroup.delete(facts.groupId)
    this.#byArnText.delete(streamArn(facts.region, facts.account, facts.name))
    const key = scopeKey(facts.account, facts.region)
    const scope = this.#scopes.get(key)
    scope?.delete(facts.name)
    if (scope?.size !== 0) return
    this.#scopes.delete(key)
    this.#enter('', '', NO_STREAMS)
  }
}

function isHome({ facts }: Stream, { account, region }: Caller): boolean {
  return facts.account === account && facts.region === region
}

function holdsRecords(group: Group): boolean {
  return group.logIds().some((logId) => group.log(logId).next > 0)
}

function recordsMissing({ name, groupId }: StreamFacts): StorageError {
  return new StorageError(
    'damaged',
    `The records of stream ${name} (storage group ${groupId}) are missing from the data folder. ` +
      'Bring back the whole folder from a backup, or start with another --data folder.',
  )
}

function catalogBehind(groupId: number): StorageError {
  return new StorageError(
    'damaged',
    `Storage group ${groupId} holds records of a stream that the catalog does not know, so the catalog ` +
      'is older than the records. Bring back the whole data folder from a backup.',
  )
}

function scopeKey(account: string, region: string): string {
  return `${account} ${region}`
}
