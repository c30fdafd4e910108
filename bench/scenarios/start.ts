// How soon a server with data is of use: from spawning the process to the first acknowledged write, after
// a clean stop and after SIGKILL, with so much data retained.

import { ReplyError } from '../load/replies.ts'
import { median } from '../report/statistics.ts'
import { diskBytes } from './disk-bytes.ts'
import { fill } from './fill.ts'
import type { Run } from './run.ts'
import type { Scenario } from './scenario.ts'

const stream = 'start'
const repetitions = 5
const fillPatienceMs = 30 * 60_000

export const start: Scenario = {
  name: 'start',
  title: 'Spawn → first acknowledged write',
  unit: 'ms',
  better: 'lower',
  needs: ['put', 'retains'],
  isHeavy: true,
  measure: async (run) => {
    await run.start()
    await run.createStream(stream, run.options.shardCount)
    const filled = await fill(run, stream, {
      bytes: run.options.retainedGigabytes * 1e9,
      patienceMs: fillPatienceMs,
    })
    const stopMs = await run.stop()
    const clean = await restarts(run, 'gracefully')
    const killed = await restarts(run, 'kill')
    return {
      value: median(clean.map(({ writtenMs }) => writtenMs)),
      details: {
        readyMs: median(clean.map(({ readyMs }) => readyMs)),
        afterKillMs: median(killed.map(({ writtenMs }) => writtenMs)),
        stopMs,
        retainedMb: filled.megabytes,
        diskMb: diskBytes(run.dataDir) / 1e6,
      },
    }
  },
}

type Restart = { readyMs: number; writtenMs: number }

async function restarts(run: Run, how: 'gracefully' | 'kill'): Promise<Restart[]> {
  const all: Restart[] = []
  for (let count = 0; count < repetitions; count++) {
    all.push(await timeToFirstWrite(run, stream))
    await run.stop(how)
  }
  return all
}

/** Starts the server on what is in its folder and puts one record into a stream that is there. */
export async function timeToFirstWrite(run: Run, streamName: string): Promise<Restart> {
  const server = await run.start()
  const reply = await run.api.call('PutRecord', {
    StreamName: streamName,
    Data: 'Zmlyc3Q=',
    PartitionKey: 'first',
  })
  const writtenMs = performance.now() - server.spawnedAt
  if (typeof reply.SequenceNumber !== 'string')
    throw new ReplyError('the write was not acknowledged')
  return { readyMs: server.readyMs, writtenMs }
}
