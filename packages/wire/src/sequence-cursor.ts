// Walks through a shard's sequence numbers and prints them, without a BigInt per record. Neighbours in
// one block differ by 2^80 only, so the decimal digits are kept as eight limbs of seven digits and
// moved by additions with carry. The upper half seldom changes: its digits are kept printed, and who
// writes many numbers may write the lower half alone. It promises the digits of `formatSequenceNumber`.
import { assert } from '@millrace/base/assert'
import { SEQUENCE_NUMBER_DIGITS, sequenceNumberOf } from './sequence-number.ts'

declare global {
  interface Buffer {
    latin1Slice(start: number, end: number): string
  }
}

const LIMB = 10_000_000
const LIMB_DIGITS = 7
const HALF_DIGITS = SEQUENCE_NUMBER_DIGITS / 2
const HALF_LIMBS = HALF_DIGITS / LIMB_DIGITS

/** 2^80, the distance of two counters, in limbs, lowest first. */
const COUNTER_LIMB_0 = 4_706_176
const COUNTER_LIMB_1 = 1_462_917
const COUNTER_LIMB_2 = 9_258_196
const COUNTER_LIMB_3 = 1208
/** 2^36, the distance of two seconds. */
const SECOND_LIMB_0 = 9_476_736
const SECOND_LIMB_1 = 6871
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
  /** The lower half, lowest limb first. */
  #limb0 = 0
  #limb1 = 0
  #limb2 = 0
  #limb3 = 0
  /** The upper half, lowest first; its digits stand printed in `#digits`. */
  readonly #upper = new Array<number>(HALF_LIMBS).fill(0)
  #upperChanges = 0
  readonly #digits = Buffer.allocUnsafe(SEQUENCE_NUMBER_DIGITS)

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
    else if (steps === 1 && seconds === 0) this.advance()
    else {
      this.#step(steps, seconds)
      this.#counter = counter
      this.#timeSeconds = timeSeconds
    }
  }

  /** Goes to the next counter of the same time. */
  advance(): void {
    this.#counter++
    let sum = this.#limb0 + COUNTER_LIMB_0
    let carry = 0
    if (sum >= LIMB) {
      sum -= LIMB
      carry = 1
    }
    this.#limb0 = sum
    sum = this.#limb1 + COUNTER_LIMB_1 + carry
    carry = 0
    if (sum >= LIMB) {
      sum -= LIMB
      carry = 1
    }
    this.#limb1 = sum
    sum = this.#limb2 + COUNTER_LIMB_2 + carry
    carry = 0
    if (sum >= LIMB) {
      sum -= LIMB
      carry = 1
    }
    this.#limb2 = sum
    sum = this.#limb3 + COUNTER_LIMB_3 + carry
    if (sum >= LIMB) {
      sum -= LIMB
      this.#raiseUpper(1)
    }
    this.#limb3 = sum
  }

  /** Rises whenever the upper 28 digits have changed. */
  get upperChanges(): number {
    return this.#upperChanges
  }

  /** Writes the 56 digits. */
  writeTo(target: Uint8Array, at: number): void {
    const digits = this.#digits
    for (let i = 0; i < HALF_DIGITS; i++) target[at + i] = digits[i]!
    this.writeLowerTo(target, at)
  }

  /** Writes the lower 28 of the 56 digits at `at`, for a place that has the upper ones already. */
  writeLowerTo(target: Uint8Array, at: number): void {
    writeLimb(target, at + 28, this.#limb3)
    writeLimb(target, at + 35, this.#limb2)
    writeLimb(target, at + 42, this.#limb1)
    writeLimb(target, at + 49, this.#limb0)
  }

  toString(): string {
    this.writeLowerTo(this.#digits, 0)
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
    this.#limb0 = limbOf(text, 0)
    this.#limb1 = limbOf(text, 1)
    this.#limb2 = limbOf(text, 2)
    this.#limb3 = limbOf(text, 3)
    for (let i = 0; i < HALF_LIMBS; i++) this.#upper[i] = limbOf(text, HALF_LIMBS + i)
    this.#printUpper()
    this.#counter = counter
    this.#timeSeconds = timeSeconds
    this.#isSet = true
  }

  /** Several counters and seconds ahead at once. */
  #step(steps: number, seconds: number): void {
    let sum = this.#limb0 + COUNTER_LIMB_0 * steps
    let carry = Math.floor(sum / LIMB)
    let limb = sum - carry * LIMB + SECOND_LIMB_0 * seconds
    const carryOfSeconds = Math.floor(limb / LIMB)
    this.#limb0 = limb - carryOfSeconds * LIMB
    sum = this.#limb1 + COUNTER_LIMB_1 * steps + carry
    carry = Math.floor(sum / LIMB)
    limb = sum - carry * LIMB + SECOND_LIMB_1 * seconds + carryOfSeconds
    const more = Math.floor(limb / LIMB)
    this.#limb1 = limb - more * LIMB
    sum = this.#limb2 + COUNTER_LIMB_2 * steps + carry + more
    carry = Math.floor(sum / LIMB)
    this.#limb2 = sum - carry * LIMB
    sum = this.#limb3 + COUNTER_LIMB_3 * steps + carry
    carry = Math.floor(sum / LIMB)
    this.#limb3 = sum - carry * LIMB
    if (carry > 0) this.#raiseUpper(carry)
  }

  #raiseUpper(by: number): void {
    let carry = by
    for (let i = 0; carry > 0; i++) {
      assert(i < HALF_LIMBS, 'a sequence number has 56 digits')
      const sum = this.#upper[i]! + carry
      carry = Math.floor(sum / LIMB)
      this.#upper[i] = sum - carry * LIMB
    }
    this.#printUpper()
  }

  #printUpper(): void {
    for (let i = 0; i < HALF_LIMBS; i++) {
      writeLimb(this.#digits, HALF_DIGITS - (i + 1) * LIMB_DIGITS, this.#upper[i]!)
    }
    this.#upperChanges++
  }
}

function writeLimb(target: Uint8Array, at: number, limb: number): void {
  const upper = (limb / 1000) | 0
  const lower = (limb - upper * 1000) << 2
  const upperAt = upper << 2
  target[at] = FOUR_DIGITS[upperAt]!
  target[at + 1] = FOUR_DIGITS[upperAt + 1]!
  target[at + 2] = FOUR_DIGITS[upperAt + 2]!
  target[at + 3] = FOUR_DIGITS[upperAt + 3]!
  target[at + 4] = FOUR_DIGITS[lower + 1]!
  target[at + 5] = FOUR_DIGITS[lower + 2]!
  target[at + 6] = FOUR_DIGITS[lower + 3]!
}

/** The limb of seven digits at this place, counted from the end of the text. */
function limbOf(text: string, place: number): number {
  const end = SEQUENCE_NUMBER_DIGITS - place * LIMB_DIGITS
  return Number(text.slice(end - LIMB_DIGITS, end))
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
