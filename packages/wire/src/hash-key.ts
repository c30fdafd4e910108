// Hash keys: where a record belongs on the ring of 2^128. A partition key's hash key is the MD5 of its
// UTF-8 bytes read as a big-endian number; an explicit one is given as decimal text. The hot path works
// on four big-endian unsigned 32-bit words (most significant first) and never makes a BigInt.
import { MD5_BLOCK_BYTES, mixMd5, startMd5 } from './md5.ts'

export const HASH_KEY_MAX = (1n << 128n) - 1n

/** Bytes of the last block that hold a message's end mark and its length in bits. */
const TAIL_BYTES = 9
/** Partition keys have up to 256 characters, of up to 3 bytes in UTF-8 each; with the tail, 13 blocks. */
const SCRATCH_BYTES = 16 * MD5_BLOCK_BYTES
/** Four decimal digits times half a word stay below 2^31. */
const CHUNK_DIGITS = 4

const state = new Int32Array(4)
const block = new Int32Array(MD5_BLOCK_BYTES / 4)
const scratch = Buffer.alloc(SCRATCH_BYTES)
/** A number of 128 bits in halves of words, lowest first. */
const halves = new Int32Array(8)

/**
 * Puts the hash key of a partition key into the first four of `words`. Gives the key's length in
 * UTF-8 bytes.
 */
export function hashPartitionKey(key: string, words: Uint32Array): number {
  const length = key.length
  if (length > MD5_BLOCK_BYTES - TAIL_BYTES) return hashLong(key, words)
  let seen = 0
  let word = 0
  let i = 0
  for (; i + 3 < length; i += 4) {
    const a = key.charCodeAt(i)
    const b = key.charCodeAt(i + 1)
    const c = key.charCodeAt(i + 2)
    const d = key.charCodeAt(i + 3)
    seen |= a | b | c | d
    block[word++] = a | (b << 8) | (c << 16) | (d << 24)
  }
  let last = 0x80 << ((length & 3) << 3)
  for (; i < length; i++) {
    const code = key.charCodeAt(i)
    seen |= code
    last |= code << ((i & 3) << 3)
  }
  if (seen > 0x7f) return hashLong(key, words)
  block[word++] = last
  while (word < 14) block[word++] = 0
  block[14] = length << 3
  block[15] = 0
  startMd5(state)
  mixMd5(state, block)
  putState(words)
  return length
}

/**
 * Puts an explicit hash key (decimal digits) into the first four of `words`; false when it is 2^128
 * or more, or isn't a decimal number.
 */
export function readHashKey(text: string, words: Uint32Array): boolean {
  const { length } = text
  if (length === 0 || length > 39) return false
  let used = 0
  let at = 0
  while (at < length) {
    const end = Math.min(at + CHUNK_DIGITS, length)
    let carry = 0
    let scale = 1
    for (; at < end; at++) {
      const digit = text.charCodeAt(at) - 0x30
      if (digit < 0 || digit > 9) return false
      carry = carry * 10 + digit
      scale *= 10
    }
    for (let i = 0; i < used; i++) {
      const value = halves[i]! * scale + carry
      halves[i] = value & 0xffff
      carry = value >>> 16
    }
    if (carry === 0) continue
    if (used === halves.length) return false
    halves[used++] = carry
  }
  for (let i = used; i < halves.length; i++) halves[i] = 0
  for (let i = 0; i < 4; i++) words[3 - i] = halves[2 * i]! | (halves[2 * i + 1]! << 16)
  return true
}

/** The four words as one number. */
export function hashKeyOf(words: Uint32Array): bigint {
  let key = 0n
  for (let i = 0; i < 4; i++) key = (key << 32n) | BigInt(words[i] ?? 0)
  return key
}

/** The hash key of a partition key, for callers off the hot path. */
export function hashKeyOfPartitionKey(key: string): bigint {
  const words = new Uint32Array(4)
  hashPartitionKey(key, words)
  return hashKeyOf(words)
}

function hashLong(key: string, words: Uint32Array): number {
  const length = Buffer.byteLength(key)
  const blocks = Math.ceil((length + TAIL_BYTES) / MD5_BLOCK_BYTES)
  const bytesMax = blocks * MD5_BLOCK_BYTES
  const message = bytesMax <= SCRATCH_BYTES ? scratch : Buffer.alloc(bytesMax)
  message.fill(0, length, bytesMax)
  message.write(key, 0, length, 'utf8')
  message[length] = 0x80
  message.writeUInt32LE((length << 3) >>> 0, bytesMax - 8)
  startMd5(state)
  for (let at = 0; at < bytesMax; at += MD5_BLOCK_BYTES) {
    for (let i = 0; i < block.length; i++) block[i] = message.readInt32LE(at + i * 4)
    mixMd5(state, block)
  }
  putState(words)
  return length
}

/** The digest's bytes are the state's words, little endian; as a number it is read big endian. */
function putState(words: Uint32Array): void {
  for (let i = 0; i < 4; i++) words[i] = swapBytes(state[i] ?? 0)
}

function swapBytes(word: number): number {
  return ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)
}
