// The two names that every answer carries: `x-amzn-RequestId` (a UUID) and `x-amz-id-2` (72 bytes in
// base64). Both are a random head that is renewed now and then, and a tail that steps through all
// 48-bit numbers, so that no two under one head are equal. The tail is put together from a table:
// printing a 48-bit number in hex costs ten times as much, a third of a small request.
import type { Random } from '@millrace/base/random'

const HALF = 2 ** 24
/** Odd, hence the lower half visits all its values before it repeats and the upper one moves on. */
const STEP = 0x9e3779
/** After so many ids the heads are drawn anew. */
const HEAD_LIFETIME = 1 << 20

const THREE_DIGITS = Array.from({ length: 4096 }, (_, i) => i.toString(16).padStart(3, '0'))

export interface RequestId {
  readonly uuid: string
  readonly id2: string
}

export class RequestIds {
  readonly #random: Random
  #uuidHead = ''
  #id2Head = ''
  #high = 0
  #low = 0
  #left = 0

  constructor(random: Random) {
    this.#random = random
  }

  next(): RequestId {
    if (this.#left === 0) this.#renew()
    this.#left--
    this.#low += STEP
    if (this.#low >= HALF) {
      this.#low -= HALF
      this.#high = (this.#high + 1) % HALF
    }
    const tail = sixDigits(this.#high) + sixDigits(this.#low)
    return { uuid: this.#uuidHead + tail, id2: this.#id2Head + tail }
  }

  #renew(): void {
    const hex = Buffer.from(this.#random.fill(new Uint8Array(10))).toString('hex')
    const variant = '89ab'[this.#random.integer(4)]
    this.#uuidHead = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(12, 15)}-${variant}${hex.slice(15, 18)}-`
    // 63 bytes are 84 characters; the tail's 12 hex digits are base64 characters too: 96 in all.
    this.#id2Head = Buffer.from(this.#random.fill(new Uint8Array(63))).toString('base64')
    this.#high = this.#random.integer(HALF)
    this.#low = this.#random.integer(HALF)
    this.#left = HEAD_LIFETIME
  }
}

/** A 24-bit number in hex. */
function sixDigits(value: number): string {
  return (THREE_DIGITS[value >>> 12] ?? '') + (THREE_DIGITS[value & 0xfff] ?? '')
}
