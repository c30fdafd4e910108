// Filling a stream: PutRecords of 500 × 1 KiB at c=4 until so many bytes are acknowledged, or until
// patience ends, because some peers need an hour for what others take in seconds.
import { putRecordsBody, type RecordInput, randomRecords } from '../load/bodies.ts'
import { exchangeOnce } from '../load/channel.ts'
import { rotate } from '../load/closed-loop.ts'
import { acceptPutRecords } from '../load/replies.ts'
import { prepare } from '../load/request.ts'
import type { Run } from './run.ts'

export const fillRecordBytes = 1024
const batchCount = 500
const variants = 16

export type Filled = {
  readonly recordCount: number
  readonly megabytes: number
  /** What was sent, by partition key; each may have been sent many times. */
  readonly dataByKey: ReadonlyMap<string, string>
}

export async function fill(
  run: Run,
  stream: string,
  bounds: { bytes: number; patienceMs: number },
): Promise<Filled> {
  const dataByKey = new Map<string, string>()
  const requests = Array.from({ length: variants }, (_, variant) => {
    const records = randomRecords(batchCount, fillRecordBytes, variant)
    remember(records, dataByKey)
    const body = putRecordsBody(stream, records, { codec: 'json', isSwapped: variant % 2 === 1 })
    return prepare(run.host, { operation: 'PutRecords', codec: 'json', body: [body] })
  })
  const next = rotate(requests)
  const accept = acceptPutRecords('json', batchCount)
  const batches = Math.max(1, Math.ceil(bounds.bytes / (batchCount * fillRecordBytes)))
  const deadline = performance.now() + bounds.patienceMs
  const { channels, failure } = await run.open('http1', 4)
  let sent = 0
  let recordCount = 0
  const lanes = channels.map(async (channel) => {
    while (sent < batches && (sent === 0 || performance.now() < deadline)) {
      sent++
      const { status, body } = await exchangeOnce(channel, next())
      recordCount += accept(status, body)
    }
  })
  await Promise.race([Promise.all(lanes), failure])
  for (const channel of channels) channel.close()
  return { recordCount, megabytes: (recordCount * fillRecordBytes) / 1e6, dataByKey }
}

function remember(records: readonly RecordInput[], dataByKey: Map<string, string>): void {
  for (const { partitionKey, data } of records) dataByKey.set(partitionKey, data.toString('base64'))
}
