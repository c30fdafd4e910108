// Shard iterators: positions in shards as sealed tokens, so that the server keeps no state for them and
// nobody can forge one. A token is base64 of
//
//   8 bytes   0000000000000001, as in AWS's tokens
//   12 bytes  nonce
//   …         AES-256-GCM of the position, padded
//   16 bytes  tag
//
// and the position is, little endian: u8 version (1), f64 time issued (ms), u32 group of the stream, u32
// shard, f64 offset, u8 length and text of the account, u8 length and text of the stream's name. The
// group's number is never used again, so a token of a deleted stream never reads another of its name; the
// names serve error messages. The whole is as long as AWS's tokens are (observed: 152 bytes, and 16 more
// for each 16 characters of the name), hence at most 376 characters.
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { assert } from '@millrace/base/assert'
import type { Random } from '@millrace/base/random'
import { WireError } from '@millrace/wire/errors'
import { BOUNDS } from './limits.ts'
import { invalidArgument } from './stream-errors.ts'

export interface IteratorPosition {
  /** When it was handed out, service time in ms. */
  readonly issuedMs: number
  readonly groupId: number
  readonly shardNumber: number
  /** The next record read is the first one at or after this offset. */
  readonly offset: number
  readonly account: string
  readonly streamName: string
}

const MARK = Buffer.from('0000000000000001', 'hex')
const NONCE_BYTES = 12
const TAG_BYTES = 16
const SEALED_AT = MARK.length + NONCE_BYTES
const POSITION_VERSION = 1
const FIXED_BYTES = 25
const CIPHER = 'aes-256-gcm'
const TOKEN_BYTES_MIN = 152
const BLOCK_BYTES = 16
/** Nonces drawn from chance at once. */
const NONCES = 128

/** Seals and opens iterators with one 32-byte key. */
export class Iterators {
  readonly #key: Buffer
  readonly #random: Random
  readonly #nonces = new Uint8Array(NONCES * NONCE_BYTES)
  #nonceAt = NONCES * NONCE_BYTES

  constructor(key: Buffer, random: Random) {
    assert(key.length === 32, 'the key of iterators has 32 bytes')
    this.#key = key
    this.#random = random
  }

  /** A token for the position; two for the same position differ. */
  seal(position: IteratorPosition): string {
    const length = tokenBytes(position.streamName)
    const token = Buffer.alloc(length)
    MARK.copy(token)
    token.set(this.#nonce(), MARK.length)
    const plain = Buffer.alloc(length - SEALED_AT - TAG_BYTES)
    writePosition(plain, position)
    const nonce = token.subarray(MARK.length, SEALED_AT)
    const cipher = createCipheriv(CIPHER, this.#key, nonce)
    const sealed = cipher.update(plain)
    cipher.final()
    sealed.copy(token, SEALED_AT)
    cipher.getAuthTag().copy(token, length - TAG_BYTES)
    return token.toString('base64')
  }

  /**
   * The position of a token. InvalidArgumentException when it wasn't sealed here,
   * ExpiredIteratorException when it is older than five minutes.
   */
  open(text: string, nowMs: number): IteratorPosition {
    const position = this.#unseal(unquoted(text))
    if (position === undefined || position.issuedMs > nowMs) throw invalidIterator()
    if (nowMs - position.issuedMs > BOUNDS.shardIteratorLifeMs) {
      throw expiredIterator(position.issuedMs, nowMs)
    }
    return position
  }

  /** The name of the stream that a token of ours was sealed for, however old it is. */
  streamOf(text: string): string | undefined {
    return this.#unseal(unquoted(text))?.streamName
  }

  #unseal(text: string): IteratorPosition | undefined {
    const token = Buffer.from(text, 'base64')
    if (token.length < TOKEN_BYTES_MIN || token.toString('base64') !== text) return undefined
    if (MARK.compare(token, 0, MARK.length) !== 0) return undefined
    const nonce = token.subarray(MARK.length, SEALED_AT)
    const tagAt = token.length - TAG_BYTES
    const opener = createDecipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG_BYTES })
    opener.setAuthTag(token.subarray(tagAt))
    const plain = opener.update(token.subarray(SEALED_AT, tagAt))
    try {
      opener.final()
    } catch {
      // The one way `final` fails: the tag doesn't match, so the token wasn't sealed here.
      return undefined
    }
    return readPosition(plain)
  }

  #nonce(): Uint8Array {
    if (this.#nonceAt === this.#nonces.length) {
      this.#random.fill(this.#nonces)
      this.#nonceAt = 0
    }
    this.#nonceAt += NONCE_BYTES
    return this.#nonces.subarray(this.#nonceAt - NONCE_BYTES, this.#nonceAt)
  }
}

export function invalidIterator(): WireError {
  return invalidArgument('Invalid ShardIterator.')
}

function expiredIterator(issuedMs: number, nowMs: number): WireError {
  return new WireError(
    'ExpiredIteratorException',
    `Iterator expired. The iterator was created at time ${javaDate(issuedMs)} while right now it is ${javaDate(nowMs)} which is further in the future than the tolerated delay of ${BOUNDS.shardIteratorLifeMs} milliseconds.`,
  )
}

/** As Java prints a date, `Thu Jan 22 01:22:02 UTC 2015`, out of `Thu, 22 Jan 2015 01:22:02 GMT`. */
function javaDate(timeMs: number): string {
  const [weekday = '', day, month, year, time] = new Date(timeMs).toUTCString().split(' ')
  return `${weekday.slice(0, 3)} ${month} ${day} ${time} UTC ${year}`
}

/** Some shells and clients hand the token on in quotes; AWS reads it all the same (observed). */
function unquoted(text: string): string {
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text
}

function tokenBytes(streamName: string): number {
  return TOKEN_BYTES_MIN + Math.floor((streamName.length + 2) / BLOCK_BYTES) * BLOCK_BYTES
}

function writePosition(target: Buffer, position: IteratorPosition): void {
  const { account, streamName } = position
  const bytes = FIXED_BYTES + 2 + account.length + streamName.length
  assert(bytes <= target.length, 'a position fits into its token')
  target[0] = POSITION_VERSION
  target.writeDoubleLE(position.issuedMs, 1)
  target.writeUInt32LE(position.groupId, 9)
  target.writeUInt32LE(position.shardNumber, 13)
  target.writeDoubleLE(position.offset, 17)
  writeText(target, writeText(target, FIXED_BYTES, account), streamName)
}

/** Undefined when a later version of this program sealed it in another form. */
function readPosition(plain: Buffer): IteratorPosition | undefined {
  if (plain[0] !== POSITION_VERSION) return undefined
  const accountEnd = FIXED_BYTES + 1 + plain.readUInt8(FIXED_BYTES)
  const nameEnd = accountEnd + 1 + plain.readUInt8(accountEnd)
  return {
    issuedMs: plain.readDoubleLE(1),
    groupId: plain.readUInt32LE(9),
    shardNumber: plain.readUInt32LE(13),
    offset: plain.readDoubleLE(17),
    account: plain.toString('latin1', FIXED_BYTES + 1, accountEnd),
    streamName: plain.toString('latin1', accountEnd + 1, nameEnd),
  }
}

function writeText(target: Buffer, at: number, text: string): number {
  target[at] = text.length
  return at + 1 + target.write(text, at + 1, 'latin1')
}
