// How often control operations may be called. Wrapped around the operations where the service is put
// together, so that no operation has to think of it.
import { TokenBucket } from '@millrace/base/token-bucket'
import { parseArn } from '@millrace/wire/arn'
import type { Operation, RequestContext } from '../../platform/operation.ts'
import { CALL_RATES, type CallRate } from './limits.ts'
import { limitExceeded } from './stream-errors.ts'

/** Accounts and regions are the caller's choice: buckets that are full again are dropped past this. */
const BUCKETS_MAX = 10_000
const FULL_AFTER_MS = 1000

interface RatedInput {
  readonly StreamName?: string
  readonly StreamARN?: string
  readonly ResourceARN?: string
}

export class ControlRates {
  readonly #buckets = new Map<string, { readonly bucket: TokenBucket; usedMs: number }>()

  get bucketCount(): number {
    return this.#buckets.size
  }

  /** Throws LimitExceededException when the operation is called too often. */
  take(operation: string, input: unknown, context: RequestContext): void {
    const rate = CALL_RATES[operation]
    if (rate === undefined) return
    const name = streamNameOf((input ?? {}) as RatedInput)
    const bucket = this.#bucket(rate, operation, name, context)
    if (!bucket.isOpen(context.nowMs)) throw rateExceeded(name, context.account)
    bucket.take(1)
  }

  #bucket(
    rate: CallRate,
    operation: string,
    name: string | undefined,
    { account, region, nowMs }: RequestContext,
  ): TokenBucket {
    const key = `${operation} ${account} ${region} ${rate.per === 'stream' ? (name ?? '') : ''}`
    const known = this.#buckets.get(key)
    if (known !== undefined) {
      known.usedMs = nowMs
      return known.bucket
    }
    if (this.#buckets.size >= BUCKETS_MAX) this.#drop(nowMs)
    const bucket = new TokenBucket(rate.perSecond, nowMs)
    this.#buckets.set(key, { bucket, usedMs: nowMs })
    return bucket
  }

  #drop(nowMs: number): void {
    for (const [key, { usedMs }] of this.#buckets) {
      if (nowMs - usedMs >= FULL_AFTER_MS) this.#buckets.delete(key)
    }
  }
}

/** The same operation, called no more often than AWS lets it be called. */
export function rated<D>(each: Operation<D>, rates: ControlRates): Operation<D> {
  const { name } = each.contract
  if (CALL_RATES[name] === undefined) return each
  return {
    contract: each.contract,
    run(call, parts) {
      rates.take(name, call.input, call.context)
      return each.run(call, parts)
    },
  }
}

function streamNameOf({ StreamName, StreamARN, ResourceARN }: RatedInput): string | undefined {
  if (StreamName !== undefined) return StreamName
  const arn = StreamARN ?? ResourceARN
  return arn === undefined ? undefined : parseArn(arn)?.resource.split('/')[1]
}

/** With the stream's name as AWS prints it (seen in logs); without one, the account alone. */
function rateExceeded(name: string | undefined, account: string): Error {
  return limitExceeded(
    name === undefined
      ? `Rate exceeded for account ${account}.`
      : `Rate exceeded for stream ${name} under account ${account}.`,
  )
}
