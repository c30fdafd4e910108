// Sequence numbers: the anatomy behind AWS's 56 digits, both ways. A number of the current version is
// 47 hex digits, printed as decimal:
//
//   2          always
//   9 digits   creation of the shard, seconds since 1970
//   1 digit    lowest four bits of the shard's number
//   16 digits  counter, its top bit clear; 7fffffffffffffff in a shard's EndingSequenceNumber
//   2 digits   00 (meaning unknown)
//   9 digits   time of the record, seconds since 1970
//   8 digits   number of the shard, two's complement
//   1 digit    version, 2
//
// Learned by decoding real numbers of 2013 to 2026; versions 0 and 1 are those of 2013 and 2014. Worked
// example: 49674026002850188218576229259473476449429298564223254594 is shard 3076, created at
// 2026-04-27T19:47:17Z, counter 21689507110, recorded at 20:00:18Z.
import { assert } from '@millrace/base/assert'

export const SEQUENCE_NUMBER_DIGITS = 56
/** The counter in the EndingSequenceNumber of a closed shard. */
export const COUNTER_MAX = (1n << 63n) - 1n

export interface SequenceNumber {
  readonly version: 0 | 1 | 2
  readonly createdSeconds: number
  /** May be negative in numbers nobody gave out. */
  readonly shardNumber: number
  /** Versions 1 and 2. */
  readonly timeSeconds?: number
  /** Version 2. */
  readonly counter?: bigint
  /** The number itself; small ones of version 0 are read as 2^124 + n. */
  readonly value: bigint
}

/** What a number of the current version is made of. */
export interface SequenceNumberParts {
  readonly createdSeconds: number
  readonly shardNumber: number
  readonly counter: bigint | number
  readonly timeSeconds: number
}

const COUNTER_SHIFT = 80n
const TIME_SHIFT = 36n
const CREATED_SHIFT = 148n
const SHARD_NIBBLE_SHIFT = 144n
const SHARD_SHIFT = 4n
const FIRST_DIGIT = 2n << 184n
const SECONDS_END = 1n << 36n
const DECIMAL = /^\d{1,129}$/

/** Numbers below are of version 0; those under SMALL_END lack its leading 1. */
const VERSION_0_END = 1n << 129n
const SMALL_END = 1n << 124n
/** 47 hex digits that begin with 2 lie between these, both exclusive. */
const CURRENT_START = 2n << 184n
const CURRENT_END = 3n << 184n
/** Creation times from here on are refused (observed). */
const CREATED_SECONDS_END = 16_025_175_000

/** The number as a bigint; `sequence-cursor.ts` prints runs of them faster. */
export function sequenceNumberOf(parts: SequenceNumberParts): bigint {
  const { createdSeconds, shardNumber, timeSeconds } = parts
  const counter = BigInt(parts.counter)
  assert(isSeconds(createdSeconds) && isSeconds(timeSeconds), 'seconds take 36 bits')
  assert(counter >= 0n && counter <= COUNTER_MAX, 'a counter takes 63 bits')
  return (
    FIRST_DIGIT |
    (BigInt(createdSeconds) << CREATED_SHIFT) |
    (BigInt(shardNumber & 0xf) << SHARD_NIBBLE_SHIFT) |
    (counter << COUNTER_SHIFT) |
    (BigInt(timeSeconds) << TIME_SHIFT) |
    (BigInt(shardNumber >>> 0) << SHARD_SHIFT) |
    2n
  )
}

export function formatSequenceNumber(parts: SequenceNumberParts): string {
  return sequenceNumberOf(parts).toString()
}

/** Below every record of a shard: counter 0 at the time of its creation. */
export function startingSequenceNumber(createdSeconds: number, shardNumber: number): string {
  const counter = 0
  return formatSequenceNumber({ createdSeconds, shardNumber, counter, timeSeconds: createdSeconds })
}

/** Above every record of a closed shard: the highest counter at the time it was closed. */
export function endingSequenceNumber(
  createdSeconds: number,
  closedSeconds: number,
  shardNumber: number,
): string {
  const counter = COUNTER_MAX
  return formatSequenceNumber({ createdSeconds, shardNumber, counter, timeSeconds: closedSeconds })
}

/** Takes a decimal number apart; undefined when it is none that AWS would accept. */
export function parseSequenceNumber(text: string): SequenceNumber | undefined {
  if (!DECIMAL.test(text)) return undefined
  const given = BigInt(text)
  const value = given < SMALL_END ? given + SMALL_END : given
  if (value < VERSION_0_END) return parseVersion0(value)
  if (value <= CURRENT_START || value >= CURRENT_END) return undefined
  const hex = value.toString(16)
  const createdSeconds = hexAt(hex, 1, 10)
  if (createdSeconds >= CREATED_SECONDS_END) return undefined
  const version = hex.slice(46)
  if (version === '1') return parseVersion1(value, hex, createdSeconds)
  if (version !== '2' || hexAt(hex, 11, 12) > 7) return undefined
  return {
    version: 2,
    createdSeconds,
    counter: BigInt(`0x${hex.slice(11, 27)}`),
    timeSeconds: hexAt(hex, 29, 38),
    shardNumber: hexAt(hex, 38, 46) | 0,
    value,
  }
}

function parseVersion0(value: bigint): SequenceNumber | undefined {
  const hex = value.toString(16)
  const createdSeconds = hexAt(hex, 1, 10)
  if (createdSeconds >= CREATED_SECONDS_END) return undefined
  return { version: 0, createdSeconds, shardNumber: hexAt(hex, 28, 32), value }
}

function parseVersion1(value: bigint, hex: string, createdSeconds: number): SequenceNumber {
  return {
    version: 1,
    createdSeconds,
    timeSeconds: hexAt(hex, 13, 22),
    shardNumber: hexAt(hex, 38, 46) | 0,
    value,
  }
}

function hexAt(hex: string, start: number, end: number): number {
  return Number.parseInt(hex.slice(start, end), 16)
}

function isSeconds(seconds: number): boolean {
  return Number.isInteger(seconds) && seconds >= 0 && BigInt(seconds) < SECONDS_END
}
