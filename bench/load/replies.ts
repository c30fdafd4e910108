// What counts as acknowledged. Some replies are decoded whole and checked member by member; the rest are
// accepted by the exact bytes that a checked reply had, and decoded again as soon as those are missing.
import { decodeCbor } from './cbor.ts'
import type { Codec } from './request.ts'

export class ReplyError extends Error {}

export function decodeReply(codec: Codec, status: number, body: Buffer): Record<string, unknown> {
  let value: unknown
  try {
    value = codec === 'cbor' ? decodeCbor(body) : JSON.parse(body.toString())
  } catch (cause) {
    throw new ReplyError(`an undecodable ${codec} reply, status ${status}: ${excerpt(body)}`, {
      cause,
    })
  }
  if (status !== 200) throw new ReplyError(`status ${status}: ${excerpt(body)}`)
  if (typeof value !== 'object' || value === null) {
    throw new ReplyError(`a reply that is no object: ${excerpt(body)}`)
  }
  return value as Record<string, unknown>
}

/** Throws unless the reply names a shard and a sequence number. */
export function checkPutRecord(reply: Record<string, unknown>): void {
  const { ShardId: shardId, SequenceNumber: sequenceNumber } = reply
  if (typeof shardId !== 'string' || !/^shardId-\d{12}$/.test(shardId)) {
    throw new ReplyError(`ShardId is ${String(shardId)}`)
  }
  if (typeof sequenceNumber !== 'string' || !/^\d+$/.test(sequenceNumber)) {
    throw new ReplyError(`SequenceNumber is ${String(sequenceNumber)}`)
  }
}

/** Throws unless every record of the batch was taken. */
export function checkPutRecords(reply: Record<string, unknown>, recordCount: number): void {
  const { FailedRecordCount: failed, Records: records } = reply
  if (failed !== 0) throw new ReplyError(`FailedRecordCount is ${String(failed)}`)
  if (!Array.isArray(records) || records.length !== recordCount) {
    throw new ReplyError(`Records is not a list of ${recordCount}`)
  }
  const seen = new Set<string>()
  for (const record of records) {
    checkPutRecord(record)
    seen.add(`${record.ShardId} ${record.SequenceNumber}`)
  }
  if (seen.size !== recordCount) throw new ReplyError('two records got one sequence number')
}

/** Records acknowledged by one reply; 0 when it was refused. */
export type Accept = (status: number, body: Buffer) => number

/** Accepts a PutRecord reply; each has exactly one sequence number in it. */
export function acceptPutRecord(codec: Codec): Accept {
  const needle = Buffer.from('SequenceNumber')
  return (status, body) => {
    if (status === 200 && body.includes(needle)) return 1
    checkPutRecord(decodeReply(codec, status, body))
    return 1
  }
}

/** Accepts a PutRecords reply; one with failures counts by its records without an error code
 * (absent, or null as kinesis-mock has it). */
export function acceptPutRecords(codec: Codec, recordCount: number): Accept {
  const needles =
    codec === 'cbor'
      ? [Buffer.from('FailedRecordCount\0', 'latin1')]
      : [Buffer.from('"FailedRecordCount":0'), Buffer.from('"FailedRecordCount": 0')]
  return (status, body) => {
    if (status === 200 && needles.some((needle) => body.includes(needle))) return recordCount
    const { Records: records } = decodeReply(codec, status, body)
    if (!Array.isArray(records)) throw new ReplyError(`no Records in: ${excerpt(body)}`)
    return records.filter((record) => record.ErrorCode == null).length
  }
}

/** Accepts any reply of a server that answers a constant. */
export function acceptConstant(recordCount: number): Accept {
  return (status) => (status === 200 ? recordCount : 0)
}

function excerpt(body: Buffer): string {
  return body.subarray(0, 200).toString().replaceAll(/\s+/g, ' ')
}
