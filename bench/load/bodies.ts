// Request bodies with random data: distinct partition keys within a batch, half of the bodies in the
// other member order, so that no server is measured on one favourite text only.
import { randomBytes } from 'node:crypto'
import { encodeCbor } from './cbor.ts'
import type { Codec } from './request.ts'

export type RecordInput = {
  readonly data: Buffer
  readonly partitionKey: string
  /** Decimal; pins the record to the shard that holds it. */
  readonly explicitHashKey?: string
}

/** `variant` makes keys of different bodies differ; the data is fresh each time. */
export function randomRecords(count: number, recordBytes: number, variant: number): RecordInput[] {
  const data = randomBytes(count * recordBytes)
  return Array.from({ length: count }, (_, index) => ({
    data: data.subarray(index * recordBytes, (index + 1) * recordBytes),
    partitionKey: `device-${variant}-${index}`,
  }))
}

export function putRecordsBody(
  stream: string,
  records: readonly RecordInput[],
  form: { codec: Codec; isSwapped: boolean },
): Buffer {
  if (form.codec === 'cbor') {
    const list = records.map((record) => cborRecord(record, form.isSwapped))
    return encodeCbor(
      form.isSwapped
        ? { Records: list, StreamName: stream }
        : { StreamName: stream, Records: list },
    )
  }
  const list = `"Records":[${records.map((record) => `{${jsonRecord(record, form.isSwapped)}}`).join(',')}]`
  const name = `"StreamName":"${stream}"`
  return Buffer.from(form.isSwapped ? `{${list},${name}}` : `{${name},${list}}`)
}

export function putRecordBody(
  stream: string,
  record: RecordInput,
  form: { codec: Codec; isSwapped: boolean },
): Buffer {
  if (form.codec === 'cbor') {
    return encodeCbor({ StreamName: stream, ...cborRecord(record, form.isSwapped) })
  }
  return Buffer.from(`{"StreamName":"${stream}",${jsonRecord(record, form.isSwapped)}}`)
}

function jsonRecord(record: RecordInput, isSwapped: boolean): string {
  const data = `"Data":"${record.data.toString('base64')}"`
  const key = `"PartitionKey":"${record.partitionKey}"`
  const both = isSwapped ? `${key},${data}` : `${data},${key}`
  if (record.explicitHashKey === undefined) return both
  return `${both},"ExplicitHashKey":"${record.explicitHashKey}"`
}

function cborRecord(record: RecordInput, isSwapped: boolean): Record<string, string | Buffer> {
  const { data, partitionKey, explicitHashKey } = record
  return {
    ...(isSwapped
      ? { PartitionKey: partitionKey, Data: data }
      : { Data: data, PartitionKey: partitionKey }),
    ...(explicitHashKey !== undefined && { ExplicitHashKey: explicitHashKey }),
  }
}
