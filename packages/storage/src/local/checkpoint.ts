// What the engine writes for itself, as group 0. Log 0 holds *control records*, one JSON entry each:
//
//   {"kind":"group-created","group":5,"logs":[[0,999]]}      log ids as ranges, both ends included
//   {"kind":"logs-added","group":5,"logs":[[1000,1003]]}
//   {"kind":"group-deleted","group":5}
//   {"kind":"trimmed","groups":[[5,1767225600000]],"logs":[[7,0,42]]}   group and time; group, log, offset
//   {"kind":"sealed","sequence":7,"segments":[[5,8192,1767225600000]]}
//                               the journal file is no longer needed; group, bytes and newest time of each
//                               segment made of it
//   {"kind":"freed","group":5,"before":7}      segments of journal files before this one were let go
//
// Log 1 holds *checkpoints*: the first frame of every journal file is one, a single block with a
// single entry, and says all that must be known without the files before it:
//
//   0   u32  layout, 2                          28  u32  chain of the previous file's last frame
//   4   u32  1 when the file was used before    32  f64  next offset of log 0
//   8   f64  sequence of this file              40  f64  last time of log 0, ms
//   16  f64  sequence of the previous file, 0   48  u32  count of used ranges of group ids
//            when there is none                 52  u32  count of groups
//   24  u32  bytes used in the previous file    56  f64  files up to this sequence are sealed
//   used ranges: u32 first, u32 last
//   groups: u32 id, u32 count of logs, f64 trimmed before, ms, u32 count of segments, u32 zero;
//     then its segments: f64 sequence, f64 bytes, f64 newest time, ms
//     then its logs: u32 id, f64 next offset, f64 first retained offset, f64 last time, ms
//
// So a log whose entries have all expired still knows its next offset, a group number that was ever
// used stays used, and a segment that is missing is missed. Layout 1, which is still read, has neither
// the sequence at 56 nor segments. All numbers are little endian.
import { assert } from '@millrace/base/assert'

export const CONTROL_GROUP = 0
export const CONTROL_LOG = 0
export const CHECKPOINT_LOG = 1

const LAYOUT = 2
const LAYOUT_WITHOUT_SEGMENTS = 1
const HEAD_BYTES = 64
const HEAD_BYTES_1 = 56
const RANGE_BYTES = 8
const GROUP_BYTES = 24
const GROUP_BYTES_1 = 16
const SEGMENT_BYTES = 24
const LOG_BYTES = 28

/** First and last number of a run, both included. */
export type IdRange = readonly [number, number]

export type ControlRecord =
  | { readonly kind: 'group-created'; readonly group: number; readonly logs: readonly IdRange[] }
  | { readonly kind: 'logs-added'; readonly group: number; readonly logs: readonly IdRange[] }
  | { readonly kind: 'group-deleted'; readonly group: number }
  | {
      readonly kind: 'trimmed'
      readonly groups: readonly (readonly [number, number])[]
      readonly logs: readonly (readonly [number, number, number])[]
    }
  | {
      readonly kind: 'sealed'
      readonly sequence: number
      readonly segments: readonly (readonly [number, number, number])[]
    }
  | { readonly kind: 'freed'; readonly group: number; readonly before: number }

export interface CheckpointLog {
  readonly id: number
  readonly next: number
  readonly firstKept: number
  readonly lastTimeMs: number
}

/** A segment that has to be there. */
export interface KnownSegment {
  readonly sequence: number
  readonly bytes: number
  /** Newest time of an entry, ms. */
  readonly newestMs: number
}

export interface CheckpointGroup {
  readonly id: number
  readonly trimMs: number
  /** By rising sequence. */
  readonly segments: readonly KnownSegment[]
  readonly logCount: number
  eachLog(visit: (log: CheckpointLog) => void): void
}

/** Which file came before, and where its frames end. */
export interface PreviousFile {
  readonly sequence: number
  readonly usedBytes: number
  readonly chain: number
}

export interface Checkpoint {
  readonly sequence: number
  readonly isReused: boolean
  readonly previous: PreviousFile | undefined
  readonly controlNext: number
  readonly controlTimeMs: number
  /** All journal files up to this one are sealed; undefined when nobody wrote it down. */
  readonly sealedThrough: number | undefined
  readonly usedGroupIds: readonly IdRange[]
  readonly groups: Iterable<CheckpointGroup>
}

export function encodeControl(record: ControlRecord): Buffer {
  return Buffer.from(JSON.stringify(record))
}

export function decodeControl(source: Buffer, start: number, end: number): ControlRecord {
  return JSON.parse(source.toString('utf8', start, end)) as ControlRecord
}

/** Rising ids as ranges. */
export function rangesOf(ids: readonly number[]): IdRange[] {
  const ranges: [number, number][] = []
  for (const id of [...ids].sort((a, b) => a - b)) {
    const last = ranges.at(-1)
    if (last !== undefined && id === last[1] + 1) last[1] = id
    else ranges.push([id, id])
  }
  return ranges
}

export function idsIn(ranges: readonly IdRange[]): number[] {
  const ids: number[] = []
  for (const [first, last] of ranges) for (let id = first; id <= last; id++) ids.push(id)
  return ids
}

/** Bytes of a checkpoint of so many groups and logs, before it is written. */
export function checkpointBytes(counts: {
  ranges: number
  groups: number
  segments: number
  logs: number
}): number {
  const { ranges, groups, segments, logs } = counts
  const groupBytes = groups * GROUP_BYTES + segments * SEGMENT_BYTES + logs * LOG_BYTES
  return HEAD_BYTES + ranges * RANGE_BYTES + groupBytes
}

export function encodeCheckpoint(checkpoint: Checkpoint): Buffer {
  const groups = [...checkpoint.groups]
  let logs = 0
  let segments = 0
  for (const group of groups) {
    logs += group.logCount
    segments += group.segments.length
  }
  const { usedGroupIds, previous } = checkpoint
  const counts = { ranges: usedGroupIds.length, groups: groups.length, segments, logs }
  const target = Buffer.allocUnsafe(checkpointBytes(counts))
  target.writeUInt32LE(LAYOUT, 0)
  target.writeUInt32LE(checkpoint.isReused ? 1 : 0, 4)
  target.writeDoubleLE(checkpoint.sequence, 8)
  target.writeDoubleLE(previous?.sequence ?? 0, 16)
  target.writeUInt32LE(previous?.usedBytes ?? 0, 24)
  target.writeUInt32LE(previous?.chain ?? 0, 28)
  target.writeDoubleLE(checkpoint.controlNext, 32)
  target.writeDoubleLE(checkpoint.controlTimeMs, 40)
  target.writeUInt32LE(usedGroupIds.length, 48)
  target.writeUInt32LE(groups.length, 52)
  target.writeDoubleLE(checkpoint.sealedThrough ?? 0, 56)
  let at = HEAD_BYTES
  for (const [first, last] of usedGroupIds) {
    target.writeUInt32LE(first, at)
    target.writeUInt32LE(last, at + 4)
    at += RANGE_BYTES
  }
  for (const group of groups) {
    target.writeUInt32LE(group.id, at)
    target.writeUInt32LE(group.logCount, at + 4)
    target.writeDoubleLE(group.trimMs, at + 8)
    target.writeUInt32LE(group.segments.length, at + 16)
    target.writeUInt32LE(0, at + 20)
    at += GROUP_BYTES
    for (const { sequence, bytes, newestMs } of group.segments) {
      target.writeDoubleLE(sequence, at)
      target.writeDoubleLE(bytes, at + 8)
      target.writeDoubleLE(newestMs, at + 16)
      at += SEGMENT_BYTES
    }
    group.eachLog((log) => {
      target.writeUInt32LE(log.id, at)
      target.writeDoubleLE(log.next, at + 4)
      target.writeDoubleLE(log.firstKept, at + 12)
      target.writeDoubleLE(log.lastTimeMs, at + 20)
      at += LOG_BYTES
    })
  }
  assert(at === target.length, 'a checkpoint is as long as its counts say')
  return target
}

/** Undefined when the bytes are no checkpoint of a layout that this program knows. */
export function decodeCheckpoint(source: Buffer): Checkpoint | undefined {
  if (source.length < HEAD_BYTES_1) return undefined
  const layout = source.readUInt32LE(0)
  if (layout !== LAYOUT && layout !== LAYOUT_WITHOUT_SEGMENTS) return undefined
  const hasSegments = layout === LAYOUT
  const usedGroupIds: IdRange[] = []
  let at = hasSegments ? HEAD_BYTES : HEAD_BYTES_1
  const rangeCount = source.readUInt32LE(48)
  for (let i = 0; i < rangeCount; i++, at += RANGE_BYTES) {
    usedGroupIds.push([source.readUInt32LE(at), source.readUInt32LE(at + 4)])
  }
  const groups: CheckpointGroup[] = []
  const groupCount = source.readUInt32LE(52)
  for (let i = 0; i < groupCount; i++) {
    const logCount = source.readUInt32LE(at + 4)
    const segmentCount = hasSegments ? source.readUInt32LE(at + 16) : 0
    const segmentsAt = at + (hasSegments ? GROUP_BYTES : GROUP_BYTES_1)
    const logsAt = segmentsAt + segmentCount * SEGMENT_BYTES
    groups.push({
      id: source.readUInt32LE(at),
      trimMs: source.readDoubleLE(at + 8),
      segments: Array.from({ length: segmentCount }, (_, index) =>
        readSegment(source, segmentsAt + index * SEGMENT_BYTES),
      ),
      logCount,
      eachLog(visit) {
        for (let to = logsAt; to < logsAt + logCount * LOG_BYTES; to += LOG_BYTES) {
          visit({
            id: source.readUInt32LE(to),
            next: source.readDoubleLE(to + 4),
            firstKept: source.readDoubleLE(to + 12),
            lastTimeMs: source.readDoubleLE(to + 20),
          })
        }
      },
    })
    at = logsAt + logCount * LOG_BYTES
  }
  if (at !== source.length) return undefined
  const previousSequence = source.readDoubleLE(16)
  return {
    sequence: source.readDoubleLE(8),
    isReused: source.readUInt32LE(4) === 1,
    previous:
      previousSequence === 0
        ? undefined
        : {
            sequence: previousSequence,
            usedBytes: source.readUInt32LE(24),
            chain: source.readUInt32LE(28),
          },
    controlNext: source.readDoubleLE(32),
    controlTimeMs: source.readDoubleLE(40),
    sealedThrough: hasSegments ? source.readDoubleLE(56) : undefined,
    usedGroupIds,
    groups,
  }
}

function readSegment(source: Buffer, at: number): KnownSegment {
  return {
    sequence: source.readDoubleLE(at),
    bytes: source.readDoubleLE(at + 8),
    newestMs: source.readDoubleLE(at + 16),
  }
}
