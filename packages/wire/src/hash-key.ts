// Hash keys: where a record belongs on the ring of 2^128. A partition key's hash key is the MD5 of its
// UTF-8 bytes read as a big-endian number; an explicit one is given as decimal text. The hot path works
// on four big-endian unsigned 32-bit words (most significant first) and never makes a BigInt.
import { MD5_BLOCK_BYTES, mixMd5, startMd5 } from './md5.ts'

export const HASH_KEY_MAX = (1n << 128n) - 1n

/** Bytes of the last block that hold a message's end mark and its length in bits. */
const TAIL_BYTES = 9
/** Partition keys have up to 256 characters, of up to 3 bytes in UTF-8 each; with the tail, 13 blocks. */
const SCRATCH_BYTES = 16 * MD5_BLOCK_BYTES
/** Six decimal digits times a 32-bit word stay a safe integer. */
const CHUNK_DIGITS = 6

const state = new Int32Array(4)
const block = new Int32Array(MD5_BLOCK_BYTES / 4)
const scratch = Buffer.alloc(SCRATCH_BYTES)

/**
 * Puts the hash key of a partition key into the first four of `words`. Gives the key's length in
 * UTF-8 bytes.
 */
export function hashPartitionKey(key: string, words: Uint32Array): number {
  const length = key.length
  if (length > MD5_BLOCK_BYTES - TAIL_BYTES) return hashLong(key, words)
  block.fill(0)
  for (let i = 0; i < length; i++) {
    const code = key.charCodeAt(i)
    if (code > 0x7f) return hashLong(key, words)
    block[i >> 2]! |= code << ((i & 3) << 3)
  }
  block[length >> 2]! |= 0x80 << ((length & 3) << 3)
  block[14] = length << 3
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
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  const { length } = text
  if (length === 0 || length > 39) return false
  let at = 0
  while (at < length) {
    const end = Math.min(at + CHUNK_DIGITS, length)
    let chunk = 0
    let scale = 1
    for (; at < end; at++) {
      const digit = text.charCodeAt(at) - 0x30
      if (digit < 0 || digit > 9) return false
      chunk = chunk * 10 + digit
      scale *= 10
    }
    d = d * scale + chunk
    c = c * scale + Math.floor(d / 0x1_0000_0000)
    b = b * scale + Math.floor(c / 0x1_0000_0000)
    a = a * scale + Math.floor(b / 0x1_0000_0000)
    if (a > 0xffff_ffff) return false
    d %= 0x1_0000_0000
    c %= 0x1_0000_0000
    b %= 0x1_0000_0000
  }
  words[0] = a
  words[1] = b
  words[2] = c
  words[3] = d
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
