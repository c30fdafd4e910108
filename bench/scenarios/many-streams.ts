// A thousand streams with one record each: the seconds to make them, what they take on the disk and in
// memory, and how soon a restarted server acknowledges a write and has every record.
import { residentBytes } from '../proc.ts'
import { diskBytes } from './disk-bytes.ts'
import type { Run } from './run.ts'
import type { Scenario } from './scenario.ts'
import { timeToFirstWrite } from './start.ts'

const streamCount = 1000
const shardId = 'shardId-000000000000'

export const manyStreams: Scenario = {
  name: 'many-streams',
  title: '1000 streams with one record each, to create',
  unit: 's',
  better: 'lower',
  needs: ['put', 'streams', 'http1'],
  isHeavy: true,
  measure: async (run) => {
    await run.start()
    const names = Array.from({ length: streamCount }, (_, index) => `one-${index}`)
    const startedAt = performance.now()
    for (const name of names) {
      await run.api.createStream(name, 1)
      await run.api.untilActive(name)
      await run.api.call('PutRecord', { StreamName: name, Data: 'b25l', PartitionKey: name })
    }
    const value = (performance.now() - startedAt) / 1000
    const rss = residentBytes(run.server.pid).now / 1e6
    if (!run.contestant.abilities.includes('retains')) return { value, details: { rssMb: rss } }
    const stopMs = await run.stop()
    const restart = await timeToFirstWrite(run, names[0]!)
    await checkRecords(run, names)
    return {
      value,
      details: {
        rssMb: rss,
        stopMs,
        diskMb: diskBytes(run.dataDir) / 1e6,
        restartReadyMs: restart.readyMs,
        restartFirstWriteMs: restart.writtenMs,
      },
    }
  },
}

async function checkRecords(run: Run, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const iterator = await run.api.iterator(name, shardId, 'TRIM_HORIZON')
    const page = await run.api.call('GetRecords', { ShardIterator: iterator })
    const keys = (page.Records as { PartitionKey: string }[]).map((record) => record.PartitionKey)
    if (keys[0] !== name) throw new Error(`the record of ${name} is gone after a restart`)
  }
}
