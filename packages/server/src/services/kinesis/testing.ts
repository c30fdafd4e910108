// For tests: the kinesis slice on the memory engine and a real catalog, with a clock that stands still
// until it is advanced. Calls run the operations as the dispatcher would, without the wire around them.
import { strict as assert } from 'node:assert'
import { ServiceClock } from '@millrace/base/clock'
import { silentLogger } from '@millrace/base/logger'
import { type Random, seededRandom } from '@millrace/base/random'
import type { Engine } from '@millrace/storage/engine'
import { MemoryEngine } from '@millrace/storage/memory-engine'
import type { OperationContract } from '@millrace/wire/contract'
import { WireError } from '@millrace/wire/errors'
import { Catalog } from '../../platform/catalog.ts'
import type { RequestContext } from '../../platform/operation.ts'
import { evenShards } from './new-stream.ts'
import type { Retention } from './retention.ts'
import { kinesisService } from './service.ts'
import type { KinesisSettings } from './settings.ts'
import type { StreamFacts } from './stream-facts.ts'
import { StreamFold } from './stream-fold.ts'
import type { Streams } from './streams.ts'

/** 2026-01-02T03:04:05.678Z. */
export const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
export const ACCOUNT = '123456789012'
export const REGION = 'us-east-1'

export interface TestKinesis {
  readonly clock: ServiceClock
  readonly engine: Engine
  readonly fold: StreamFold
  readonly streams: Streams
  readonly retention: Retention
  readonly settings: KinesisSettings
  /** Moves service time; what has fallen due has run when it resolves. */
  advance(ms: number): Promise<void>
  context(changes?: Partial<RequestContext>): RequestContext
  call<I, O>(
    contract: OperationContract<I, O>,
    input: I,
    changes?: Partial<RequestContext>,
  ): Promise<O>
  /** Puts a stream in as the catalog would have it after any history, e.g. with closed shards. */
  addStream(facts: Partial<StreamFacts>): Promise<StreamFacts>
  /** The same slice after a clean stop and a new start on the same clock and engine, or another one. */
  restarted(reopen?: () => Promise<Engine>): Promise<TestKinesis>
}

export async function testKinesis(
  changes: Partial<KinesisSettings> & {
    readonly engine?: Engine
    readonly clock?: ServiceClock
    readonly random?: Random
  } = {},
): Promise<TestKinesis> {
  const clock = changes.clock ?? new ServiceClock({ wall: () => START_MS })
  const engine = changes.engine ?? new MemoryEngine({ clock })
  const settings: KinesisSettings = {
    limits: changes.limits ?? 'none',
    transitionMs: changes.transitionMs ?? 0,
    account: changes.account ?? ACCOUNT,
    region: changes.region ?? REGION,
    iteratorKey: changes.iteratorKey ?? Buffer.alloc(32, 7),
  }
  const logger = silentLogger
  const fold = new StreamFold()
  const catalog = await Catalog.open({ engine, folds: [fold], logger })
  const random = changes.random ?? seededRandom(1)
  const { service, streams, retention } = kinesisService({
    engine,
    catalog,
    fold,
    clock,
    random,
    logger,
    settings,
  })
  await streams.start()
  const context = (other: Partial<RequestContext> = {}): RequestContext => ({
    requestId: '00000000-0000-4000-8000-000000000000',
    account: ACCOUNT,
    region: REGION,
    accessKeyId: ACCOUNT,
    operation: '',
    nowMs: clock.now(),
    ...other,
  })
  return {
    clock,
    engine,
    fold,
    streams,
    retention,
    settings,
    advance: (ms) => clock.advance(ms),
    context,
    async call<I, O>(
      contract: OperationContract<I, O>,
      input: I,
      other?: Partial<RequestContext>,
    ): Promise<O> {
      const run = service.operations.get(contract.name)
      assert.ok(run, `${contract.name} is not built`)
      return (await run({ input, context: context({ operation: contract.name, ...other }) })) as O
    },
    async addStream(given) {
      const groupId = engine.groupIdMax + 1
      const nowMs = clock.now()
      const facts: StreamFacts = {
        account: ACCOUNT,
        region: REGION,
        name: `stream-${groupId}`,
        groupId,
        version: 1,
        createdMs: nowMs,
        mode: 'PROVISIONED',
        creatingUntilMs: 0,
        updatingUntilMs: 0,
        retentionHours: 24,
        expiredBeforeMs: 0,
        maxRecordKiB: 1024,
        tags: {},
        shards: evenShards(1, Math.floor(nowMs / 1000) - 2),
        ...given,
      }
      await engine.createGroup(
        groupId,
        facts.shards.map((shard) => shard.number),
      )
      assert.ok(await catalog.commit({ kind: 'kinesis.stream-created', version: 1, stream: facts }))
      return facts
    },
    async restarted(reopen) {
      streams.stop()
      await catalog.close()
      return testKinesis({ ...settings, engine: (await reopen?.()) ?? engine, clock, random })
    },
  }
}

/** For `assert.rejects`: an error of exactly this type and message. */
export function wireError(type: string, message: string): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof WireError, String(error))
    assert.deepEqual({ type: error.type, message: error.message }, { type, message })
    return true
  }
}
