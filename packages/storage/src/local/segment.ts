// A segment is what the sealer makes of one journal file for one group: the group's blocks sorted by
// log and offset, so that one log is read in one sweep, and an index of them. Once it has its name it
// never changes; `DATA/segments/<group>/<journal sequence in 20 digits>.segment`.
//
//   head, 64 bytes                                 blocks, from byte 64, each on a multiple of 8
//     0   u32  magic "MLSG"                          0   u32  bytes of the block
//     4   u16  format version                        4   u32  CRC of the block
//     6   u16  zero                                  8   u32  CRC of these 8 bytes, begun with the
//     8   u32  group                                          segment's identity; u32 zero
//     12  u32  count of blocks                       16  the block as block.ts lays it out
//     16  f64  journal sequence                      …   zeros up to the next multiple of 8
//     24  u64  generation of the journal file
//     32  f64  where the blocks end                index (segment-index.ts)
//     40  u32  count of logs                       foot, 64 bytes: the head again, magic "MLSF"
//     44  u32  zero
//     48  f64  newest time of an entry, ms
//     56  u32  zero
//     60  u32  CRC of the first 60 bytes
//
// All numbers are little endian. Every place in the file follows from the counts and the end of the
// blocks, so the head alone opens a segment, and the foot stands in for a damaged head. What stands
// before each block lets the index be made again from the blocks; the identity, a CRC of bytes 8 to
// 59 of the head with their 64 random bits, keeps entries that look like blocks from passing for some.
// Worked example: one block of 43 bytes lies at 80, the blocks end at 128, its index takes 8 + 32,
// 8 + 48 and 8 + 4 bytes, the foot lies at 236, and the file has 300 bytes.
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { assert } from '@millrace/base/assert'

export const SEGMENT_SUFFIX = '.segment'
/** What a segment is called until it is whole and durable. */
export const UNFINISHED_SUFFIX = '.new'
export const SEGMENT_VERSION = 1
export const SEGMENT_HEAD_BYTES = 64
/** What stands before each block. */
export const BLOCK_PREFIX_BYTES = 16
/** Positions in a segment are unsigned 32-bit; a journal file is far smaller. */
export const SEGMENT_BYTES_MAX = 0xffff_ffff

const HEAD_MAGIC = 0x47534c4d
const FOOT_MAGIC = 0x46534c4d

/** What the head says. */
export interface SegmentFacts {
  readonly groupId: number
  readonly sequence: number
  readonly generation: bigint
  readonly blockCount: number
  readonly logCount: number
  /** Position after the last block and its padding. */
  readonly blocksEnd: number
  readonly newestMs: number
}

/** A block's place in a segment, as its index has it. */
export interface BlockPlace {
  readonly firstOffset: number
  readonly timeMs: number
  readonly count: number
  /** Where the block itself begins, behind its prefix. */
  readonly position: number
  readonly bytes: number
  readonly crc: number
}

export function groupPath(directory: string, groupId: number): string {
  return join(directory, String(groupId))
}

export function segmentName(sequence: number): string {
  return `${String(sequence).padStart(20, '0')}${SEGMENT_SUFFIX}`
}

export function segmentPath(directory: string, groupId: number, sequence: number): string {
  return join(directory, String(groupId), segmentName(sequence))
}

/** The journal sequence in a segment's name, or undefined when the name is another. */
export function segmentSequenceOf(name: string): number | undefined {
  const sequence = Number(name.slice(0, 20))
  return /^\d{20}\.segment$/.test(name) && Number.isSafeInteger(sequence) && sequence > 0
    ? sequence
    : undefined
}

/** Where the next block's prefix begins after a block that ends here. */
export function alignBlock(position: number): number {
  return Math.ceil(position / 8) * 8
}

export function writeHead(target: Buffer, at: number, facts: SegmentFacts): void {
  writeFacts(target, at, facts, HEAD_MAGIC)
}

export function writeFoot(target: Buffer, at: number, facts: SegmentFacts): void {
  writeFacts(target, at, facts, FOOT_MAGIC)
}

export function readHead(source: Buffer, at: number): SegmentFacts | undefined {
  return readFacts(source, at, HEAD_MAGIC)
}

export function readFoot(source: Buffer, at: number): SegmentFacts | undefined {
  return readFacts(source, at, FOOT_MAGIC)
}

/** A number that prefixes and index pages of this very segment are checked with. */
export function identityOf(facts: SegmentFacts): number {
  const head = Buffer.alloc(SEGMENT_HEAD_BYTES)
  writeHead(head, 0, facts)
  return crc32(head.subarray(8, 60))
}

/** Puts the prefix before a block that lies `BLOCK_PREFIX_BYTES` further on. */
export function writeBlockPrefix(
  target: Buffer,
  at: number,
  identity: number,
  bytes: number,
  crc: number,
): void {
  target.writeUInt32LE(bytes, at)
  target.writeUInt32LE(crc, at + 4)
  target.writeUInt32LE(crc32(target.subarray(at, at + 8), identity), at + 8)
  target.writeUInt32LE(0, at + 12)
}

/** The length and CRC in the prefix at `at`, or undefined when it is no prefix of this segment. */
export function readBlockPrefix(
  source: Buffer,
  at: number,
  identity: number,
): { bytes: number; crc: number } | undefined {
  if (crc32(source.subarray(at, at + 8), identity) !== source.readUInt32LE(at + 8)) return undefined
  return { bytes: source.readUInt32LE(at), crc: source.readUInt32LE(at + 4) }
}

function writeFacts(target: Buffer, at: number, facts: SegmentFacts, magic: number): void {
  assert(facts.blocksEnd <= SEGMENT_BYTES_MAX, 'a segment is small enough for its positions')
  target.writeUInt32LE(magic, at)
  target.writeUInt16LE(SEGMENT_VERSION, at + 4)
  target.writeUInt16LE(0, at + 6)
  target.writeUInt32LE(facts.groupId, at + 8)
  target.writeUInt32LE(facts.blockCount, at + 12)
  target.writeDoubleLE(facts.sequence, at + 16)
  target.writeBigUInt64LE(facts.generation, at + 24)
  target.writeDoubleLE(facts.blocksEnd, at + 32)
  target.writeUInt32LE(facts.logCount, at + 40)
  target.writeUInt32LE(0, at + 44)
  target.writeDoubleLE(facts.newestMs, at + 48)
  target.writeUInt32LE(0, at + 56)
  target.writeUInt32LE(crc32(target.subarray(at, at + 60)), at + 60)
}

function readFacts(source: Buffer, at: number, magic: number): SegmentFacts | undefined {
  if (at < 0 || at + SEGMENT_HEAD_BYTES > source.length) return undefined
  if (source.readUInt32LE(at) !== magic) return undefined
  if (crc32(source.subarray(at, at + 60)) !== source.readUInt32LE(at + 60)) return undefined
  if (source.readUInt16LE(at + 4) !== SEGMENT_VERSION) return undefined
  return {
    groupId: source.readUInt32LE(at + 8),
    blockCount: source.readUInt32LE(at + 12),
    sequence: source.readDoubleLE(at + 16),
    generation: source.readBigUInt64LE(at + 24),
    blocksEnd: source.readDoubleLE(at + 32),
    logCount: source.readUInt32LE(at + 40),
    newestMs: source.readDoubleLE(at + 48),
  }
}
