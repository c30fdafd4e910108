// Walks through a shard's sequence numbers and prints them, without a BigInt per record. Neighbours in
// one block differ by 2^80 only, so the decimal digits are kept as eight limbs of seven digits and
// moved by additions with carry; the digits of the upper half seldom change. It promises the same 56
// digits as `formatSequenceNumber`.
import { assert } from '@millrace/base/assert'
import { SEQUENCE_NUMBER_DIGITS, sequenceNumberOf } from './sequence-number.ts'

declare global {
  interface Buffer {
    latin1Slice(start: number, end: number): string
  }
}

const LIMB = 10_000_000
const LIMB_DIGITS = 7
const LIMBS = SEQUENCE_NUMBER_DIGITS / LIMB_DIGITS

/** 2^80, the distance of two counters, in limbs, lowest first. */
const COUNTER_LIMBS = [4_706_176, 1_462_917, 9_258_196, 1208] as const
/** 2^36, the distance of two seconds. */
const SECOND_LIMBS = [9_476_736, 6871] as const
/** A step up to this keeps every product and carry below 2^53. */
const STEP_MAX = 2 ** 28

/** '0000' to '9999', one after the other. */
const FOUR_DIGITS = fourDigits()

export class SequenceCursor {
  readonly #createdSeconds: number
  readonly #shardNumber: number
  #counter = 0
  #timeSeconds = 0
  #isSet = false
  /** Lowest first. */
  readonly #limbs = new Array<number>(LIMBS).fill(0)
  readonly #digits = Buffer.alloc(SEQUENCE_NUMBER_DIGITS)
  /** How many of the lower limbs have digits that are out of date. */
  #stale = 0

  constructor(createdSeconds: number, shardNumber: number) {
    this.#createdSeconds = createdSeconds
    this.#shardNumber = shardNumber
  }

  /** Goes to the number with this counter (a safe integer) and time (seconds); cheap when near ahead. */
  moveTo(counter: number, timeSeconds: number): void {
    const steps = counter - this.#counter
    const seconds = timeSeconds - this.#timeSeconds
    const isNear = steps >= 0 && steps <= STEP_MAX && seconds >= 0 && seconds <= STEP_MAX
    if (!isNear || !this.#isSet) this.#jump(counter, timeSeconds)
    else {
      if (steps > 0) this.#add(COUNTER_LIMBS, steps)
      if (seconds > 0) this.#add(SECOND_LIMBS, seconds)
      this.#counter = counter
      this.#timeSeconds = timeSeconds
    }
  }

  /** Goes to the next counter of the same time. */
  advance(): void {
    this.#counter++
    this.#add(COUNTER_LIMBS, 1)
  }

  /** Writes the 56 digits. */
  writeTo(target: Uint8Array, at: number): void {
    if (this.#stale > 0) this.#print()
    const digits = this.#digits
    for (let i = 0; i < SEQUENCE_NUMBER_DIGITS; i++) target[at + i] = digits[i]!
  }

  toString(): string {
    if (this.#stale > 0) this.#print()
    return this.#digits.latin1Slice(0, SEQUENCE_NUMBER_DIGITS)
  }

  #jump(counter: number, timeSeconds: number): void {
    assert(Number.isSafeInteger(counter) && counter >= 0, 'counters are safe integers')
    const text = sequenceNumberOf({
      createdSeconds: this.#createdSeconds,
      shardNumber: this.#shardNumber,
      counter,
      timeSeconds,
    }).toString()
    assert(text.length === SEQUENCE_NUMBER_DIGITS, 'a sequence number has 56 digits')
    for (let i = 0; i < LIMBS; i++) {
      const end = SEQUENCE_NUMBER_DIGITS - i * LIMB_DIGITS
      this.#limbs[i] = Number(text.slice(end - LIMB_DIGITS, end))
    }
    this.#stale = LIMBS
    this.#counter = counter
    this.#timeSeconds = timeSeconds
    this.#isSet = true
  }

  #add(amount: readonly number[], times: number): void {
    const limbs = this.#limbs
    let carry = 0
    let i = 0
    for (; i < amount.length || carry > 0; i++) {
      let sum = limbs[i]! + carry
      if (i < amount.length) sum += amount[i]! * times
      if (sum < LIMB) carry = 0
      else {
        carry = Math.floor(sum / LIMB)
        sum -= carry * LIMB
      }
      limbs[i] = sum
    }
    if (i > this.#stale) this.#stale = i
  }

  #print(): void {
    for (let i = 0; i < this.#stale; i++) {
      const limb = this.#limbs[i]!
      const at = SEQUENCE_NUMBER_DIGITS - (i + 1) * LIMB_DIGITS
      const upper = (limb / 1000) | 0
      const lower = limb - upper * 1000
      const digits = this.#digits
      digits[at] = FOUR_DIGITS[upper * 4]!
      digits[at + 1] = FOUR_DIGITS[upper * 4 + 1]!
      digits[at + 2] = FOUR_DIGITS[upper * 4 + 2]!
      digits[at + 3] = FOUR_DIGITS[upper * 4 + 3]!
      digits[at + 4] = FOUR_DIGITS[lower * 4 + 1]!
      digits[at + 5] = FOUR_DIGITS[lower * 4 + 2]!
      digits[at + 6] = FOUR_DIGITS[lower * 4 + 3]!
    }
    this.#stale = 0
  }
}

function fourDigits(): Uint8Array {
  const table = new Uint8Array(40_000)
  for (let i = 0; i < 10_000; i++) {
    table[i * 4] = 0x30 + Math.floor(i / 1000)
    table[i * 4 + 1] = 0x30 + (Math.floor(i / 100) % 10)
    table[i * 4 + 2] = 0x30 + (Math.floor(i / 10) % 10)
    table[i * 4 + 3] = 0x30 + (i % 10)
  }
  return table
}
