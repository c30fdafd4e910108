import { silentLogger } from '@millrace/base/logger'
import { seededRandom } from '@millrace/base/random'
import { engineConformance } from './conformance.ts'
import { type LocalEngineOptions, openLocalEngine } from './open-local-engine.ts'
import { SimulatedDisk } from './simulated-disk.ts'

const disks = new Map<string, SimulatedDisk>()

function diskOf(key: string): SimulatedDisk {
  const disk = disks.get(key) ?? new SimulatedDisk({ random: seededRandom(disks.size + 1) })
  disks.set(key, disk)
  return disk
}

function conformance(name: string, options: Partial<LocalEngineOptions>): void {
  engineConformance(
    name,
    async ({ clock, directoryKey }) => ({
      engine: await openLocalEngine({
        directory: '/data',
        disk: diskOf(directoryKey),
        clock,
        random: seededRandom(7),
        logger: silentLogger,
        durability: 'sync',
        ...options,
      }),
    }),
    { isDurable: true, historiesMax: 25 },
  )
}

conformance('local', {})

// Files of a few blocks and next to no cache, so that every test also rolls, seals and reads from disk.
conformance('local with small files', {
  fileBytesMax: 16 * 1024,
  blocksMax: 8,
  cacheBytesMax: 0,
  segmentCacheBytesMax: 4096,
  reserveBytes: 4096,
})

conformance('local with durability os', { durability: 'os' })
