// The records of the crash test: each names its producer and number and carries a filler that follows
// from them, so that a torn or mixed-up record cannot pass for a whole one.
import { createHash } from 'node:crypto'

const FILLER_BYTES_MAX = 3000

/** The one right content of a producer's n-th record. */
export function recordData(producer, number) {
  const name = `${producer}:${number}:`
  const digest = createHash('sha256').update(name).digest()
  const length = digest.readUInt32LE(0) % FILLER_BYTES_MAX
  return Buffer.concat([Buffer.from(name), Buffer.alloc(length, digest)])
}

/** Which record this is, or undefined when the bytes are not exactly those of a record. */
export function recordName(data) {
  const bytes = Buffer.from(data)
  const match = /^([a-z0-9-]+):(\d+):/.exec(bytes.subarray(0, 64).toString('latin1'))
  if (match === null) return undefined
  return bytes.equals(recordData(match[1], Number(match[2])))
    ? `${match[1]}:${match[2]}`
    : undefined
}
