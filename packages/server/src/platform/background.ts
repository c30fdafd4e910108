// The process's periodic works (retention, cleaning up), on service time. Each runs alone: its next
// run is set when the last one has ended, so a slow one is late, never doubled. What one throws is
// logged and counted, and it runs again when its time comes.
//
// When the tester moves the clock by a day, a work of every minute is not run 1440 times: works stand
// aside during the move, then each that has fallen due runs once, before the move is answered.
import { assert } from '@millrace/base/assert'
import type { Clock } from '@millrace/base/clock'
import type { Logger } from '@millrace/base/logger'

export interface Work {
  /** For the log and metrics, e.g. `retention`. */
  readonly name: string
  /** Service time from the end of one run to the next, ms. */
  readonly everyMs: number
  run(): void | Promise<void>
}

export interface WorkMetrics {
  readonly name: string
  readonly runs: number
  readonly failures: number
  /** Service time at which the last run ended, ms; 0 before the first. */
  readonly lastEndedMs: number
}

interface Scheduled {
  readonly work: Work
  dueMs: number
  cancel: () => void
  running: Promise<void> | undefined
  runs: number
  failures: number
  lastEndedMs: number
}

export class Background {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #works: Scheduled[] = []
  #state: 'new' | 'started' | 'aside' | 'stopped' = 'new'

  constructor({ clock, logger }: { clock: Clock; logger: Logger }) {
    this.#clock = clock
    this.#logger = logger
  }

  /** Before `start`. */
  add(work: Work): void {
    assert(this.#state === 'new', 'works are added before they are started')
    this.#works.push({
      work,
      dueMs: 0,
      cancel: () => {},
      running: undefined,
      runs: 0,
      failures: 0,
      lastEndedMs: 0,
    })
  }

  /** The first runs come after one period each. */
  start(): void {
    assert(this.#state === 'new', 'works are started once')
    this.#state = 'started'
    for (const each of this.#works) this.#schedule(each)
  }

  /** Starts nothing more and waits for what runs. */
  async stop(): Promise<void> {
    this.#state = 'stopped'
    for (const { cancel } of this.#works) cancel()
    await Promise.all(this.#works.map(({ running }) => running))
  }

  /** Lets `move` move service time; resolves when the works that have fallen due by it have run. */
  async during(move: () => Promise<void>): Promise<void> {
    if (this.#state === 'started') {
      this.#state = 'aside'
      for (const { cancel } of this.#works) cancel()
    }
    try {
      await move()
    } finally {
      await this.#catchUp()
    }
  }

  metrics(): WorkMetrics[] {
    return this.#works.map(({ work, runs, failures, lastEndedMs }) => ({
      name: work.name,
      runs,
      failures,
      lastEndedMs,
    }))
  }

  async #catchUp(): Promise<void> {
    if (this.#state !== 'aside') return
    const due = this.#works
      .filter(({ dueMs }) => dueMs <= this.#clock.now())
      .sort((a, b) => a.dueMs - b.dueMs)
    for (const each of due) {
      await each.running
      if (this.#state === 'aside') await this.#run(each)
    }
    if (this.#state !== 'aside') return
    this.#state = 'started'
    for (const each of this.#works) if (each.running === undefined) this.#schedule(each)
  }

  #schedule(each: Scheduled): void {
    if (this.#state !== 'started') return
    each.cancel()
    if (each.dueMs <= this.#clock.now()) each.dueMs = this.#clock.now() + each.work.everyMs
    each.cancel = this.#clock.at(each.dueMs, () => this.#run(each))
  }

  #run(each: Scheduled): Promise<void> {
    each.running = this.#runOnce(each).finally(() => {
      each.running = undefined
      this.#schedule(each)
    })
    return each.running
  }

  async #runOnce(each: Scheduled): Promise<void> {
    try {
      await each.work.run()
    } catch (error) {
      each.failures++
      this.#logger.error('a background work failed; it will run again', {
        work: each.work.name,
        error,
      })
    }
    each.runs++
    each.lastEndedMs = this.#clock.now()
  }
}
