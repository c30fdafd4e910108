// What of a journal file may still be read, and how much room its segments take. A file in which
// nothing is live can go without being sealed.
import type { GroupTable } from './group-table.ts'
import type { JournalFile } from './journal-file.ts'

export interface Live {
  /** Groups with at least one entry in the file that may still be read. */
  readonly groups: ReadonlySet<number>
  /** Blocks of these groups, and their bytes. */
  readonly blockCount: number
  readonly bytes: number
}

/** Bytes in a segment beside each block, at most: its prefix, its padding and its place in the index. */
const BYTES_PER_BLOCK = 96
/** Of a segment beside its blocks: head, foot, what is left of its last page, and its folder. */
const BYTES_PER_SEGMENT = 8192

export function liveIn({ index }: JournalFile, groups: GroupTable): Live {
  const live = new Set<number>()
  for (let block = index.firstBlock; block < index.endBlock; block++) {
    const groupId = index.groupId(block)
    if (live.has(groupId)) continue
    const group = groups.group(groupId)
    const log = group?.find(index.logId(block))
    if (group === undefined || log === undefined) continue
    const isKept = index.timeMs(block) >= group.trimMs && index.endOffset(block) > log.firstKept
    if (isKept) live.add(groupId)
  }
  let blockCount = 0
  let bytes = 0
  for (let block = index.firstBlock; block < index.endBlock; block++) {
    if (!live.has(index.groupId(block))) continue
    blockCount++
    bytes += index.bytes(block)
  }
  return { groups: live, blockCount, bytes }
}

/** An upper bound of what segments of these blocks take on disk. */
export function segmentBytesOf({ groups, blockCount, bytes }: Live): number {
  return bytes + blockCount * BYTES_PER_BLOCK + groups.size * BYTES_PER_SEGMENT
}
