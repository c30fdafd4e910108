// Calls for set-up and checks: JSON in, JSON out, over one HTTP/1.1 connection, errors as exceptions.
import { setTimeout as delay } from 'node:timers/promises'
import { exchangeOnce } from './channel.ts'
import { Http1Channel } from './http1-channel.ts'
import { decodeReply, ReplyError } from './replies.ts'
import { prepare } from './request.ts'

export type Reply = Record<string, unknown>

export type StreamRecord = {
  readonly Data: string
  readonly PartitionKey: string
  readonly SequenceNumber: string
}

export class Api {
  readonly #host: string
  readonly #channel: Http1Channel
  readonly #failure: Promise<never>

  constructor(port: number) {
    this.#host = `127.0.0.1:${port}`
    const { promise, reject } = Promise.withResolvers<never>()
    this.#failure = promise
    this.#failure.catch(() => {})
    this.#channel = new Http1Channel(port, reject)
  }

  /** Throws `ReplyError` on any status but 200. */
  async call(operation: string, input: Reply): Promise<Reply> {
    const body = [Buffer.from(JSON.stringify(input))]
    const request = prepare(this.#host, { operation, codec: 'json', body })
    const reply = await Promise.race([exchangeOnce(this.#channel, request), this.#failure])
    if (reply.status === 200 && reply.body.length === 0) return {}
    try {
      return decodeReply('json', reply.status, reply.body)
    } catch (cause) {
      if (cause instanceof ReplyError) throw new ReplyError(`${operation}: ${cause.message}`)
      throw cause
    }
  }

  /** Retries while the server limits how many streams may be in creation. */
  async createStream(name: string, shardCount: number): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        await this.call('CreateStream', { StreamName: name, ShardCount: shardCount })
        return
      } catch (error) {
        const isLimit = error instanceof ReplyError && error.message.includes('LimitExceeded')
        if (!isLimit || attempt === 200) throw error
        await delay(10)
      }
    }
  }

  /** `patienceMs` bounds the wait. */
  async untilActive(name: string, patienceMs = 120_000): Promise<void> {
    const deadline = performance.now() + patienceMs
    while (true) {
      const reply = await this.call('DescribeStreamSummary', { StreamName: name })
      const { StreamDescriptionSummary: summary } = reply
      const status = (summary as Reply | undefined)?.StreamStatus
      if (status === 'ACTIVE') return
      if (performance.now() > deadline) {
        throw new Error(`stream ${name} is still ${String(status)} after ${patienceMs} ms`)
      }
      await delay(10)
    }
  }

  async iterator(stream: string, shardId: string, type: string): Promise<string> {
    const reply = await this.call('GetShardIterator', {
      StreamName: stream,
      ShardId: shardId,
      ShardIteratorType: type,
    })
    if (typeof reply.ShardIterator !== 'string') throw new ReplyError('no ShardIterator')
    return reply.ShardIterator
  }

  close(): void {
    this.#channel.close()
  }
}
