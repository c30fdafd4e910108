// What a storage engine has promised so far, kept beside it: which groups, logs and entries must be
// there, which may be, and which must not. After each opening the engine's answers are held against
// it, and what was in doubt is settled by what is found.
import assert from 'node:assert/strict'

export interface Found {
  readonly offset: number
  readonly timeMs: number
  readonly text: string
}

/** One block of one append call. */
export interface BlockModel {
  readonly texts: readonly string[]
  /** `asked`: the call is under way, or failed in a way that leaves it open whether it was stored. */
  state: 'asked' | 'acknowledged' | 'absent'
  /** Once acknowledged. */
  firstOffset: number
  timeMs: number
  /** What had been told of the log when the call was made: offsets and times are not below. */
  readonly since: { readonly offset: number; readonly timeMs: number }
}

/** What an engine may answer after the end of the process before. */
export interface Leeway {
  /** Acknowledged blocks at the end of a log, and what was done last to groups, may be lost. */
  readonly mayLose: boolean
  /** They may be lost from anywhere: a lost deletion brings a group back without what it held. */
  readonly mayLoseAny: boolean
  /** Offsets may be skipped. */
  readonly maySkip: boolean
  /** The process before closed the engine: all that was let go stays away. */
  readonly wasClosed: boolean
}

export class LogModel {
  readonly name: string
  /** Whether the log is certain to be there, if its group is. */
  isSure: boolean
  /** In the order of the calls. */
  blocks: BlockModel[] = []
  /** Past every offset that anyone was told; none below may ever be given again. */
  toldEnd = 0
  lastTimeMs = 0
  /** Entries below this offset can't be read by this process; below the other one they may be gone. */
  trimmedBefore = 0
  mayBeTrimmedBefore = 0
  /** Offsets that were let go and not there when this process looked; they may still come back. */
  #hidden = new Set<number>()

  constructor(name: string, isSure: boolean) {
    this.name = name
    this.isSure = isSure
  }

  copy(): LogModel {
    const blocks = this.blocks.map((block) => ({ ...block }))
    const copy = Object.assign(new LogModel(this.name, this.isSure), this, { blocks })
    copy.#hidden = new Set(this.#hidden)
    return copy
  }

  asked(texts: readonly string[]): BlockModel {
    const since = { offset: this.toldEnd, timeMs: this.lastTimeMs }
    const block: BlockModel = { texts, state: 'asked', firstOffset: -1, timeMs: 0, since }
    this.blocks.push(block)
    return block
  }

  acknowledged(block: BlockModel, firstOffset: number, timeMs: number): void {
    const { since } = block
    assert.ok(firstOffset >= since.offset, `${this.name}: offset ${firstOffset} was given before`)
    assert.ok(timeMs >= since.timeMs, `${this.name}: time ${timeMs} fell`)
    this.#settle(block, firstOffset, timeMs)
  }

  absent(block: BlockModel): void {
    block.state = 'absent'
    this.blocks = this.blocks.filter((one) => one !== block)
  }

  #settle(block: BlockModel, firstOffset: number, timeMs: number): void {
    block.state = 'acknowledged'
    block.firstOffset = firstOffset
    block.timeMs = timeMs
    this.toldEnd = Math.max(this.toldEnd, firstOffset + block.texts.length)
    this.lastTimeMs = Math.max(this.lastTimeMs, timeMs)
  }

  /** What a read from `from` must give now; undefined offsets are in doubt and left out. */
  acknowledgedFrom(from: number, trimMs: number): Found[] {
    const entries: Found[] = []
    for (const { state, firstOffset, timeMs, texts } of this.blocks) {
      if (state !== 'acknowledged' || timeMs < trimMs) continue
      for (const [i, text] of texts.entries()) {
        const offset = firstOffset + i
        const isHidden = offset < this.trimmedBefore || this.#hidden.has(offset)
        if (offset >= from && !isHidden) entries.push({ offset, timeMs, text })
      }
    }
    return entries
  }

  /**
   * Holds what a newly opened engine gives against what was promised, and settles what was in doubt.
   */
  settle(
    found: readonly Found[],
    ends: { first: number; next: number; lastTimeMs: number },
    trims: { trimMs: number; mayBeTrimmedMs: number },
    leeway: Leeway,
  ): void {
    const { name } = this
    if (leeway.wasClosed) {
      assert.ok(ends.first >= this.trimmedBefore, `${name}: let go, and back`)
      assert.ok(
        found.every(({ timeMs }) => timeMs >= trims.trimMs),
        `${name}: let go by time, and back`,
      )
    }
    const byText = new Map(found.map((entry) => [entry.text, entry]))
    assert.equal(byText.size, found.length, `${name}: an entry is there twice`)
    this.#hidden = new Set()
    let taken = 0
    let hasLost = false
    for (const block of this.blocks) {
      const there = block.texts.flatMap((text) => byText.get(text) ?? [])
      taken += there.length
      const isKept =
        block.state === 'acknowledged'
          ? this.#checkAcknowledged(block, there, trims.mayBeTrimmedMs)
          : this.#checkAsked(block, there, ends.first)
      if (block.state === 'acknowledged' && !isKept) {
        assert.ok(leeway.mayLose, `${name}: acknowledged entry ${block.texts[0]} is gone`)
        hasLost = true
      } else if (block.state === 'acknowledged' && there.length > 0) {
        assert.ok(
          !hasLost || leeway.mayLoseAny,
          `${name}: entries are gone before others that are there`,
        )
      }
      if (!isKept) block.state = 'absent'
    }
    assert.equal(taken, found.length, `${name}: entries that nobody appended`)
    this.blocks = this.blocks.filter(({ state }) => state === 'acknowledged')
    this.#checkOrder(found, ends, leeway)
    this.toldEnd = Math.max(this.toldEnd, ends.next)
    if (leeway.mayLose || ends.lastTimeMs > this.lastTimeMs) this.lastTimeMs = ends.lastTimeMs
    this.trimmedBefore = ends.first
  }

  /** Whether the block is still there, but for what may have been let go. */
  #checkAcknowledged(
    { texts, firstOffset, timeMs }: BlockModel,
    there: readonly Found[],
    mayBeTrimmedMs: number,
  ): boolean {
    const found = new Set(there.map(({ text }) => text))
    for (const entry of there) {
      const offset = firstOffset + texts.indexOf(entry.text)
      assert.deepEqual(entry, { offset, timeMs, text: entry.text }, `${this.name}: moved`)
    }
    return texts.every((text, i) => {
      const offset = firstOffset + i
      if (found.has(text)) return true
      if (offset >= this.mayBeTrimmedBefore && timeMs >= mayBeTrimmedMs) return false
      this.#hidden.add(offset)
      return true
    })
  }

  /** Whether a block in doubt turns out to be there; it is whole, or absent. */
  #checkAsked(block: BlockModel, there: readonly Found[], first: number): boolean {
    const [head] = there
    const last = there.at(-1)
    if (head === undefined || last === undefined) return false
    const firstOffset = last.offset - (block.texts.length - 1)
    assert.equal(there.length, last.offset - Math.max(first, firstOffset) + 1, `${this.name}: torn`)
    assert.deepEqual(
      there.map(({ text, offset }) => [text, offset - firstOffset]),
      block.texts.map((text, i) => [text, i]).slice(-there.length),
      `${this.name}: a block in doubt is not as it was asked`,
    )
    assert.ok(firstOffset >= 0)
    this.#settle(block, firstOffset, head.timeMs)
    return true
  }

  #checkOrder(
    found: readonly Found[],
    { first, next, lastTimeMs }: { first: number; next: number; lastTimeMs: number },
    { mayLose, maySkip }: Leeway,
  ): void {
    const { name } = this
    let end = first
    let timeMs = 0
    for (const entry of found) {
      assert.ok(entry.offset >= end, `${name}: offsets rise`)
      if (!maySkip) this.#assertHidden(end, entry.offset)
      assert.ok(entry.timeMs >= timeMs, `${name}: times don't fall`)
      end = entry.offset + 1
      timeMs = entry.timeMs
    }
    assert.ok(next >= end && next >= this.toldEnd, `${name}: the end fell to ${next}`)
    if (!maySkip) this.#assertHidden(end, next)
    assert.ok(lastTimeMs >= this.lastTimeMs || mayLose, `${name}: the last time fell`)
  }

  /** Offsets that nothing was found at may only be those of entries let go. */
  #assertHidden(from: number, to: number): void {
    for (let offset = from; offset < to; offset++) {
      assert.ok(this.#hidden.has(offset), `${this.name}: there is a gap at ${offset}`)
    }
  }
}

export class GroupModel {
  readonly id: number
  readonly logs = new Map<number, LogModel>()
  creation: 'asked' | 'done'
  deletion: 'no' | 'asked' | 'done' = 'no'
  /** Entries older than this can't be read by this process; older than the other they may be gone. */
  trimMs = 0
  mayBeTrimmedMs = 0

  constructor(id: number, logIds: readonly number[]) {
    this.id = id
    this.creation = 'asked'
    for (const logId of logIds) this.addLog(logId, true)
  }

  copy(): GroupModel {
    const logs = new Map([...this.logs].map(([id, log]) => [id, log.copy()]))
    return Object.assign(new GroupModel(this.id, []), this, { logs })
  }

  get isLive(): boolean {
    return this.creation === 'done' && this.deletion === 'no'
  }

  addLog(logId: number, isSure: boolean): LogModel {
    const log = new LogModel(`log ${logId} of group ${this.id}`, isSure)
    this.logs.set(logId, log)
    return log
  }
}
