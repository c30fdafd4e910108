// Resident memory: idle with one stream, and after writing much more than a cache should keep.
import { setTimeout as delay } from 'node:timers/promises'
import { residentBytes } from '../proc.ts'
import { fill } from './fill.ts'
import type { Scenario } from './scenario.ts'

const stream = 'memory'
const settleMs = 2000
/** What keeps its data in memory must not take the machine's. */
const keptInMemoryBytesMax = 1e9

export const memory: Scenario = {
  name: 'memory',
  title: 'Resident memory after writing',
  unit: 'MB',
  better: 'lower',
  needs: ['put', 'http1', 'streams'],
  isHeavy: true,
  measure: async (run) => {
    await run.start()
    await run.createStream(stream, run.options.shardCount)
    await delay(settleMs)
    const { pid } = run.server
    const idle = residentBytes(pid).now
    const wanted = run.options.memoryGigabytes * 1e9
    const retains = run.contestant.abilities.includes('retains')
    const filled = await fill(run, stream, {
      bytes: retains ? wanted : Math.min(wanted, keptInMemoryBytesMax),
      patienceMs: retains ? 30 * 60_000 : 60_000,
    })
    await delay(settleMs)
    const { now, peak } = residentBytes(pid)
    return {
      value: now / 1e6,
      details: { idleMb: idle / 1e6, peakMb: peak / 1e6, writtenMb: filled.megabytes },
    }
  },
}
