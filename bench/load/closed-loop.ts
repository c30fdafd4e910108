// The load loop: each channel sends its next request when its last reply is whole. It runs warm-up and
// measurement without a pause between them, so that what is measured is a steady state.
import type { Channel } from './channel.ts'
import { Latencies } from './latencies.ts'
import type { Accept } from './replies.ts'
import { ReplyError } from './replies.ts'
import type { Prepared } from './request.ts'

export type LoadResult = {
  /** Acknowledged within the window, in the unit of `accept`. */
  readonly acknowledged: number
  readonly requestCount: number
  readonly refusedCount: number
  readonly firstRefusal: string | undefined
  readonly seconds: number
  readonly latencies: Latencies
  /** Share of one core that the generator itself used within the window. */
  readonly generatorBusy: number
}

export type Load = {
  readonly channels: readonly Channel[]
  readonly next: () => Prepared
  readonly accept: Accept
  readonly warmUpMs: number
  /** At least; a server that has hardly answered by then is given up to 30 s. */
  readonly windowMs: number
  /** Called as the window opens and as it closes. */
  readonly onWindow: (edge: 'open' | 'close') => void
  /** Rejects when a channel fails. */
  readonly failure: Promise<never>
}

const slowWindowMsMax = 30_000

/** Resolves when the window has closed and every reply under way has come. */
export function runClosedLoop(load: Load): Promise<LoadResult> {
  return Promise.race([new ClosedLoop(load).run(), load.failure])
}

class ClosedLoop {
  readonly #load: Load
  readonly #latencies = new Latencies()
  #acknowledged = 0
  #requestCount = 0
  #refusedCount = 0
  #firstRefusal: string | undefined
  #isCounting = false
  #isStopping = false
  #underWay = 0
  #onDrained: (() => void) | undefined

  constructor(load: Load) {
    this.#load = load
  }

  async run(): Promise<LoadResult> {
    const { channels, warmUpMs, windowMs, onWindow } = this.#load
    for (const channel of channels) this.#send(channel)
    await delay(warmUpMs)
    this.#isCounting = true
    onWindow('open')
    const cpu = process.cpuUsage()
    const openedAt = performance.now()
    await this.#enough(openedAt, windowMs)
    const seconds = (performance.now() - openedAt) / 1000
    this.#isCounting = false
    const used = process.cpuUsage(cpu)
    onWindow('close')
    this.#isStopping = true
    await new Promise<void>((resolve) => {
      this.#onDrained = resolve
      if (this.#underWay === 0) resolve()
    })
    return {
      acknowledged: this.#acknowledged,
      requestCount: this.#requestCount,
      refusedCount: this.#refusedCount,
      firstRefusal: this.#firstRefusal,
      seconds,
      latencies: this.#latencies,
      generatorBusy: (used.user + used.system) / 1e6 / seconds,
    }
  }

  /** The window's time, and for a server that needs seconds a reply so much more that some came. */
  async #enough(openedAt: number, windowMs: number): Promise<void> {
    await delay(windowMs)
    const wanted = 2 * this.#load.channels.length
    while (this.#requestCount < wanted && performance.now() - openedAt < slowWindowMsMax) {
      await delay(50)
    }
  }

  #send(channel: Channel): void {
    this.#underWay++
    const sentAt = performance.now()
    channel.exchange(this.#load.next(), (status, body) => {
      if (this.#isCounting) this.#count(status, body, performance.now() - sentAt)
      this.#underWay--
      if (!this.#isStopping) this.#send(channel)
      else if (this.#underWay === 0) this.#onDrained?.()
    })
  }

  #count(status: number, body: Buffer, ms: number): void {
    this.#requestCount++
    try {
      const count = this.#load.accept(status, body)
      this.#acknowledged += count
      if (count > 0) this.#latencies.add(ms)
      else this.#refuse('a reply without acknowledged records')
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error
      this.#refuse(error.message)
    }
  }

  #refuse(reason: string): void {
    this.#refusedCount++
    this.#firstRefusal ??= reason
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Requests in rotation, forever. */
export function rotate<T>(items: readonly T[]): () => T {
  let at = 0
  return () => {
    const item = items[at]
    if (item === undefined) throw new Error('nothing to rotate')
    at = at + 1 === items.length ? 0 : at + 1
    return item
  }
}
