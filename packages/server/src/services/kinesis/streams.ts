// All streams of this installation: found by name, ARN or group. A lookup costs one map access once a
// stream is in use; its run-time object is made on the first use and let go when it is deleted.
import type { Clock } from '@millrace/base/clock'
import type { Logger } from '@millrace/base/logger'
import type { Random } from '@millrace/base/random'
import type { Engine } from '@millrace/storage/engine'
import { parseStreamArn } from '@millrace/wire/arn'
import type { CatalogWriter } from '../../platform/fold.ts'
import type { RequestContext } from '../../platform/operation.ts'
import type { KinesisSettings } from './settings.ts'
import { Stream } from './stream.ts'
import { invalidArgument, streamNotFound } from './stream-errors.ts'
import type { StreamFacts } from './stream-facts.ts'
import type { StreamFold } from './stream-fold.ts'

export type { KinesisSettings } from './settings.ts'

/** How operations name a stream; at least one is given. */
export interface StreamTarget {
  readonly StreamName?: string
  readonly StreamARN?: string
}

/** Who asks: the part of a request's context that says where a name is looked up. */
export type Caller = Pick<RequestContext, 'account' | 'region' | 'nowMs'>

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

export class Streams {
  readonly #parts: StreamsParts
  readonly #byGroup = new Map<number, Stream>()
  /** By account and region, then by name. */
  readonly #scopes = new Map<string, Map<string, Stream>>()
  /** The scope of the latest lookup: most callers stay in one. */
  #account = ''
  #region = ''
  #scope: ReadonlyMap<string, Stream> = NO_STREAMS

  constructor(parts: StreamsParts) {
    this.#parts = parts
    parts.fold.onDeleted((facts) => this.#forget(facts))
  }

  /** For puts and gets: a stream that is being created isn't found yet, one being deleted still is. */
  forData(target: StreamTarget, context: Caller): Stream {
    const stream = this.forControl(target, context)
    if (stream.status(context.nowMs) === 'CREATING') {
      throw streamNotFound(stream.name, stream.account)
    }
    return stream
  }

  /** In any status. */
  forControl(target: StreamTarget, context: Caller): Stream {
    const { StreamARN, StreamName } = target
    if (StreamARN !== undefined) return this.#byArn(StreamARN, StreamName, context)
    if (StreamName === undefined) {
      throw invalidArgument('Missing required parameter: either StreamARN or StreamName')
    }
    return this.#byName(context.account, context.region, StreamName, context.nowMs)
  }

  byGroup(groupId: number): Stream | undefined {
    const known = this.#byGroup.get(groupId)
    if (known !== undefined) return known
    const facts = this.#parts.fold.byGroup(groupId)
    return facts === undefined ? undefined : this.#open(facts)
  }

  #byArn(arn: string, name: string | undefined, context: Caller): Stream {
    const parsed = parseStreamArn(arn)
    if (parsed === undefined) throw invalidArgument(`Invalid StreamARN: ${arn}`)
    if (name !== undefined && name !== parsed.name) {
      throw invalidArgument(`StreamName ${name} and StreamARN ${arn} name different streams`)
    }
    return this.#byName(parsed.account, parsed.region, parsed.name, context.nowMs)
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
    const key = scopeKey(facts.account, facts.region)
    const scope = this.#scopes.get(key) ?? new Map<string, Stream>()
    scope.set(facts.name, stream)
    this.#scopes.set(key, scope)
    this.#enter(facts.account, facts.region, scope)
    return stream
  }

  #forget(facts: StreamFacts): void {
    this.#byGroup.delete(facts.groupId)
    const key = scopeKey(facts.account, facts.region)
    const scope = this.#scopes.get(key)
    scope?.delete(facts.name)
    if (scope?.size !== 0) return
    this.#scopes.delete(key)
    this.#enter('', '', NO_STREAMS)
  }
}

function scopeKey(account: string, region: string): string {
  return `${account} ${region}`
}
