// The two names that every answer carries: `x-amzn-RequestId` (a UUID) and `x-amz-id-2` (72 bytes in
// base64). Both are a random head that is renewed now and then, and a tail that steps through all
// 48-bit numbers, so that no two of a process are equal and one costs a string concatenation.
import type { Random } from '@millrace/base/random'

const TAILS = 2 ** 48
/** Odd, hence the steps visit every tail once before they repeat. */
const STEP = 0x5bd1_e995_9d37
/** After so many ids the heads are drawn anew. */
const HEAD_LIFETIME = 1 << 20

export interface RequestId {
  readonly uuid: string
  readonly id2: string
}

export class RequestIds {
  readonly #random: Random
  #uuidHead = ''
  #id2Head = ''
  #tail = 0
  #left = 0

  constructor(random: Random) {
    this.#random = random
  }

  next(): RequestId {
    if (this.#left === 0) this.#renew()
    this.#left--
    this.#tail = (this.#tail + STEP) % TAILS
    const tail = this.#tail.toString(16).padStart(12, '0')
    return { uuid: this.#uuidHead + tail, id2: this.#id2Head + tail }
  }

  #renew(): void {
    const hex = Buffer.from(this.#random.fill(new Uint8Array(10))).toString('hex')
    const variant = '89ab'[this.#random.integer(4)]
    this.#uuidHead = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(12, 15)}-${variant}${hex.slice(15, 18)}-`
    // 63 bytes are 84 characters; the tail's 12 hex digits are base64 characters too: 96 in all.
    this.#id2Head = Buffer.from(this.#random.fill(new Uint8Array(63))).toString('base64')
    this.#tail = Math.floor(this.#random.float() * TAILS)
    this.#left = HEAD_LIFETIME
  }
}
