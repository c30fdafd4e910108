// What the slice adds to a GetRecords: from storage's buffers to the body of the answer. Run it with
//   node packages/server/src/services/kinesis/get-records.bench.ts
// Figures are the best of many rounds (machines are noisy): compare those of one run only.
import { ServiceClock } from '@millrace/base/clock'
import { MemoryEngine } from '@millrace/storage/memory-engine'
import { PageReply } from './page-reply.ts'
import { Shard } from './shard.ts'
import { BatchBlock, ShardBatch } from './shard-batch.ts'
import { bytes } from './testing/data.ts'

const ROUNDS = 150
const COUNT = 10_000
const CREATED_SECONDS = 1_777_000_000

for (const dataBytes of [100, 1000]) {
  for (const perBlock of [500, 1]) {
    const clock = new ServiceClock({ wall: () => CREATED_SECONDS * 1000 + 123 })
    const engine = new MemoryEngine({ clock })
    const log = (await engine.createGroup(1, [0])).log(0)
    const facts = {
      number: 0,
      startingHashKey: '0',
      endingHashKey: '1',
      createdSeconds: CREATED_SECONDS,
      baseOffset: 0,
    }
    const owner = { name: 's', account: '123456789012', horizonMs: () => 0 }
    const shard = new Shard(owner, facts, log, { limits: 'none' }, clock)
    const Data = bytes(Buffer.alloc(dataBytes, 'some bytes of data'))
    for (let done = 0; done < COUNT; done += perBlock) {
      const batch = new ShardBatch()
      const records = Array.from({ length: perBlock }, (_, i) => ({
        Data,
        PartitionKey: `partition-key-${String(done + i).padStart(6, '0')}`,
      }))
      batch.begin(records)
      for (let i = 0; i < perBlock; i++) batch.add(i, 20, dataBytes)
      await engine.append([new BatchBlock(shard, batch)])
    }
    const end = {
      nextShardIterator: 'A'.repeat(204),
      millisBehindLatest: 0,
      childShards: undefined,
    }
    for (const protocol of ['json', 'cbor'] as const) {
      let read = Infinity
      let encode = Infinity
      let length = 0
      for (let round = 0; round < ROUNDS; round++) {
        const start = process.hrtime.bigint()
        const page = await shard.read(0, COUNT, clock.now())
        const found = process.hrtime.bigint()
        length = new PageReply(shard, page, end).encode(protocol).length
        const done = process.hrtime.bigint()
        read = Math.min(read, Number(found - start))
        encode = Math.min(encode, Number(done - found))
      }
      const total = read + encode
      console.log(
        `${protocol} 10 000 × ${dataBytes} B in blocks of ${perBlock}`.padEnd(42),
        `${((COUNT * dataBytes * 1000) / total).toFixed(0).padStart(5)} MB/s of data, body ${(length / 1e6).toFixed(1)} MB, ` +
          `ns per record: read ${(read / COUNT).toFixed(0)}, encode ${(encode / COUNT).toFixed(0)}`,
      )
    }
  }
}
