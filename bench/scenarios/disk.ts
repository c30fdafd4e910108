// The disk itself: how often it takes 4 KiB with an fdatasync behind them, and how fast it takes 8 MiB
// pieces so. Both into a growing file, in the folder where the servers write.

import { randomBytes } from 'node:crypto'
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Latencies } from '../load/latencies.ts'
import type { Run } from './run.ts'
import type { Measurement, Scenario } from './scenario.ts'

const sequentialBytesMax = 2 * 1024 ** 3

export const disk: readonly Scenario[] = [
  {
    name: 'disk-append',
    title: 'Disk: append 4 KiB + fdatasync',
    unit: 'syncs/s',
    better: 'higher',
    needs: ['disk'],
    measure: async (run) => {
      const { syncs, seconds, latencies } = await appendSynced(run, 4096)
      return { value: syncs / seconds, ...percentiles(latencies) }
    },
  },
  {
    name: 'disk-sequential',
    title: 'Disk: sequential, fdatasync each 8 MiB',
    unit: 'MB/s',
    better: 'higher',
    needs: ['disk'],
    measure: async (run) => {
      const pieceBytes = 8 * 1024 * 1024
      const { syncs, seconds, latencies } = await appendSynced(run, pieceBytes)
      return { value: (syncs * pieceBytes) / 1e6 / seconds, ...percentiles(latencies) }
    },
  },
]

function percentiles(latencies: Latencies): Pick<Measurement, 'p50Ms' | 'p99Ms'> {
  return { p50Ms: latencies.percentile(0.5), p99Ms: latencies.percentile(0.99) }
}

async function appendSynced(run: Run, pieceBytes: number) {
  const latencies = new Latencies()
  const piece = randomBytes(pieceBytes)
  const descriptor = openSync(path.join(run.dataDir, 'log'), 'a')
  const startedAt = performance.now()
  const until = startedAt + run.options.seconds * 1000
  let syncs = 0
  try {
    while (performance.now() < until && syncs * pieceBytes < sequentialBytesMax) {
      const askedAt = performance.now()
      writeSync(descriptor, piece)
      fdatasyncSync(descriptor)
      latencies.add(performance.now() - askedAt)
      syncs++
      if (syncs % 256 === 0) await setImmediate()
    }
    return { syncs, seconds: (performance.now() - startedAt) / 1000, latencies }
  } finally {
    closeSync(descriptor)
  }
}
