// One process with a storage engine on a simulated disk: what may be asked of it by chance, and the
// model of what it and those before it have promised. A crash, a kill or a clean stop ends it; the
// world of the next process must find what was promised.
import assert from 'node:assert/strict'
import { silentLogger } from '@millrace/base/logger'
import { type Random, seededRandom } from '@millrace/base/random'
import { type AppendResult, blockOf, type Log, StorageError } from '@millrace/storage/engine'
import type { LocalEngine } from '@millrace/storage/local-engine'
import { type LocalEngineOptions, openLocalEngine } from '@millrace/storage/open-local-engine'
import type { SimulatedDisk } from '@millrace/storage/simulated-disk'
import { copyPromises, type Promises, readLog, settle } from './checks.ts'
import { type BlockModel, type Found, GroupModel, type LogModel } from './model.ts'
import { SimulatedClock } from './simulated-clock.ts'

export const DIRECTORY = '/data'

/** Sizes so small that a short history rolls, seals, recycles and reads from disk. */
export const SMALL: Partial<LocalEngineOptions> = {
  fileBytesMax: 24 * 1024,
  blocksMax: 40,
  cacheBytesMax: 16 * 1024,
  segmentCacheBytesMax: 2 * 1024,
  frameBytesMax: 8 * 1024,
  aheadBytesMax: 16 * 1024,
  reserveBytes: 4096,
  lowWaterBytes: 0,
}

export interface WorldOptions {
  readonly durability: 'sync' | 'os'
  /** Whether the disk may fail, fill up or stall. */
  readonly hasTrouble?: boolean
  /** What all entries begin with; tells worlds apart that share a past. */
  readonly label?: string
  readonly engine?: Partial<LocalEngineOptions>
}

/** How far the clock of a process may be from where the one before ended. */
const JUMPS_MS = [0, 1, 5000, 86_400_000, -3_600_000]

/** How a process ended; `first` where there was none. */
export type ProcessEnd = 'first' | 'close' | 'kill' | 'power cut'

/** Errors of an append after which it is certain that nothing was stored. */
const REFUSALS = new Set(['gated', 'group-missing', 'log-missing', 'overloaded', 'closed'])

export class World {
  readonly disk: SimulatedDisk
  readonly clock: SimulatedClock
  readonly #promises: Promises
  readonly #options: WorldOptions
  readonly #random: Random
  #engine: LocalEngine | undefined
  #texts: number
  /** Whether the power was cut since the promises were last settled. */
  #hasCut: boolean
  /** Highest number asked for. */
  #groupIdMax: number

  constructor(disk: SimulatedDisk, random: Random, options: WorldOptions, before?: World) {
    this.disk = disk
    this.#random = random
    this.#options = options
    this.#promises = before ? copyPromises(before.#promises) : { groups: new Map(), groupIdMax: 0 }
    this.#hasCut = before ? before.#hasCut : false
    this.#texts = before ? before.#texts : 0
    this.#groupIdMax = before ? before.#groupIdMax : 0
    const jumpMs = before === undefined ? 0 : (JUMPS_MS[random.integer(JUMPS_MS.length)] ?? 0)
    this.clock = new SimulatedClock((before?.clock.now() ?? Date.UTC(2026, 0, 1)) + jumpMs)
  }

  /** The next process, on what this one left; of the promises it has a copy of its own. */
  next(disk: SimulatedDisk, random = this.#random, options: Partial<WorldOptions> = {}): World {
    return new World(disk, random, { ...this.#options, ...options }, this)
  }

  get engine(): LocalEngine {
    assert.ok(this.#engine, 'the engine is open')
    return this.#engine
  }

  /**
   * Starts a process on the disk and holds what it finds against what was promised. `before` is how
   * the one before ended; the losses of a power cut may come to light only after another start.
   */
  async open(before: ProcessEnd): Promise<void> {
    this.#hasCut ||= before === 'power cut'
    this.#engine = await openLocalEngine({
      directory: DIRECTORY,
      disk: this.disk,
      clock: this.clock,
      random: seededRandom(this.#random.integer(2 ** 31)),
      logger: silentLogger,
      durability: this.#options.durability,
      ...SMALL,
      ...this.#options.engine,
    })
    const isOs = this.#options.durability === 'os'
    await settle(this.engine, this.#promises, {
      mayLose: isOs && this.#hasCut,
      mayLoseAny: false,
      maySkip: isOs,
      // A disk that failed may have kept the stop from being a clean one.
      wasClosed: before === 'close' && this.#options.hasTrouble !== true,
    })
    this.#hasCut = false
  }

  async close(): Promise<void> {
    await this.engine.close()
  }

  /** Makes a group; resolves when the engine has answered. */
  async createGroup(): Promise<void> {
    this.#groupIdMax = Math.max(this.#groupIdMax, this.#promises.groupIdMax) + 1
    const id = this.#groupIdMax
    const logIds = Array.from({ length: 1 + this.#random.integer(4) }, (_, i) => i * 7)
    const group = new GroupModel(id, logIds)
    this.#promises.groups.set(id, group)
    try {
      await this.engine.createGroup(id, logIds)
    } catch (error) {
      return expected(error)
    }
    group.creation = 'done'
    this.#promises.groupIdMax = Math.max(this.#promises.groupIdMax, id)
    assert.ok(this.engine.groupIdMax >= this.#promises.groupIdMax)
  }

  async addLog(): Promise<void> {
    const group = this.#anyGroup()
    if (group === undefined) return
    const logId = 1000 + group.logs.size
    const log = group.addLog(logId, false)
    try {
      await this.engine.openGroup(group.id).addLogs([logId])
    } catch (error) {
      return expected(error)
    }
    log.isSure = true
  }

  async deleteGroup(): Promise<void> {
    const group = this.#anyGroup()
    if (group === undefined) return
    group.deletion = 'asked'
    try {
      await this.engine.deleteGroup(group.id)
    } catch (error) {
      return expected(error)
    }
    group.deletion = 'done'
    assert.ok(!this.engine.groupIds().includes(group.id))
  }

  /** Appends one to four blocks, most of them small. */
  async append(): Promise<void> {
    const asked: { group: GroupModel; model: LogModel; block: BlockModel }[] = []
    const blocks = []
    for (let left = 1 + this.#random.integer(4); left > 0; left--) {
      const found = this.#anyLog()
      if (found === undefined) continue
      const texts = this.#newTexts()
      asked.push({ group: found.group, model: found.model, block: found.model.asked(texts) })
      blocks.push(
        blockOf(
          found.log,
          texts.map((text) => Buffer.from(text, 'latin1')),
        ),
      )
    }
    const results = await this.engine.append(blocks)
    for (const [index, { group, model, block }] of asked.entries()) {
      this.#answered(results[index], group, model, block)
    }
  }

  #answered(
    result: AppendResult | undefined,
    group: GroupModel,
    model: LogModel,
    block: BlockModel,
  ): void {
    assert.ok(result !== undefined, 'every block is answered')
    if (result.kind === 'appended') {
      model.acknowledged(block, result.firstOffset, result.timeMs)
    } else {
      expected(result.error)
      const isGone = result.error.code === 'group-missing'
      assert.ok(!isGone || group.deletion !== 'no', 'a group that is there takes appends')
      if (REFUSALS.has(result.error.code)) model.absent(block)
    }
  }

  /** Reads from anywhere in a log, and holds it against what was acknowledged when it began. */
  async read(): Promise<void> {
    const found = this.#anyLog()
    if (found === undefined) return
    const { group, model, log } = found
    const from = this.#random.integer(log.next + 1)
    const before = model.acknowledgedFrom(from, group.trimMs)
    let entries: Awaited<ReturnType<typeof readLog>>
    try {
      entries = await readLog(log, from, 1 + this.#random.integer(20))
    } catch (error) {
      if (group.deletion !== 'no') return expected(error)
      // A disk that can't open a file can't read it; what it can read is still held to be right.
      if (error instanceof StorageError && this.#options.hasTrouble) return
      throw error
    }
    // What was let go meanwhile may be missing, what was appended meanwhile may be there.
    const first = entries[0]?.offset ?? log.next
    const isMust = ({ offset, timeMs }: Found): boolean =>
      // An earlier process may have let go of times that this one's clock hasn't reached yet.
      offset >= Math.max(from, model.trimmedBefore) && timeMs >= group.mayBeTrimmedMs
    const must = before.filter(isMust)
    const got = new Map(entries.map((entry) => [entry.offset, entry]))
    for (const entry of must) {
      assert.deepEqual(got.get(entry.offset), entry, `${model.name}: read from ${from}, ${first}`)
    }
    const now = new Map(model.acknowledgedFrom(from, 0).map((entry) => [entry.text, entry]))
    for (const entry of entries) {
      if (entry.offset < model.trimmedBefore) continue
      if (now.has(entry.text)) assert.deepEqual(entry, now.get(entry.text))
      else assert.ok(this.#isAsked(model, entry.text), `${model.name}: ${entry.text} from nowhere`)
    }
  }

  #isAsked(model: LogModel, text: string): boolean {
    return model.blocks.some((block) => block.state === 'asked' && block.texts.includes(text))
  }

  trimTime(): void {
    const group = this.#anyGroup()
    if (group === undefined) return
    const beforeMs = this.clock.now() - this.#random.integer(3000)
    group.mayBeTrimmedMs = Math.max(group.mayBeTrimmedMs, beforeMs)
    this.engine.openGroup(group.id).trim(beforeMs)
    group.trimMs = Math.max(group.trimMs, beforeMs)
  }

  trimOffset(): void {
    const found = this.#anyLog()
    if (found === undefined) return
    const { model, log } = found
    const before = this.#random.integer(log.next + 1)
    model.mayBeTrimmedBefore = Math.max(model.mayBeTrimmedBefore, before)
    log.trim(before)
    model.trimmedBefore = Math.max(model.trimmedBefore, before)
    assert.ok(log.first >= before)
  }

  async gate(): Promise<void> {
    const found = this.#anyLog()
    if (found === undefined) return
    const { model, log, group } = found
    try {
      const end = await log.gate()
      assert.ok(end >= model.toldEnd || group.deletion !== 'no')
      assert.equal(log.next, end)
    } catch (error) {
      expected(error)
    } finally {
      log.release()
    }
  }

  advance(): void {
    const size = this.#random.integer(10)
    this.clock.advance(size === 0 ? 4_000_000 : this.#random.integer(size < 5 ? 3 : 1000))
  }

  async roll(): Promise<void> {
    try {
      await this.engine.roll()
    } catch (error) {
      expected(error)
    }
  }

  #newTexts(): string[] {
    const { label = '' } = this.#options
    const kind = this.#random.integer(20)
    const count = kind === 0 ? 30 : 1 + this.#random.integer(3)
    return Array.from({ length: count }, () => {
      const length = kind === 1 ? this.#random.integer(9000) : this.#random.integer(80)
      return `${label}${this.#texts++};`.padEnd(length, 'abcdefg')
    })
  }

  #anyGroup(): GroupModel | undefined {
    const live = [...this.#promises.groups.values()].filter((group) => group.isLive)
    return live[this.#random.integer(live.length)]
  }

  #anyLog(): { group: GroupModel; model: LogModel; log: Log } | undefined {
    const group = this.#anyGroup()
    if (group === undefined) return undefined
    const logs = [...group.logs].filter(([, { isSure }]) => isSure)
    const [logId, model] = logs[this.#random.integer(logs.length)] ?? []
    if (logId === undefined || model === undefined) return undefined
    return { group, model, log: this.engine.openGroup(group.id).log(logId) }
  }
}

/** Errors that an engine may answer with on a disk that fails or fills up. */
function expected(error: unknown): void {
  if (error instanceof StorageError && error.code !== 'damaged') return
  throw error
}
