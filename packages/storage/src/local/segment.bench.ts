// What sealing and cold reading cost on the real disk: a journal file of 128 MiB with blocks of 1 KB
// spread over many logs is sealed in a thread, then logs are replayed from the segment, page cache
// warm. Run with `node packages/storage/src/local/segment.bench.ts [--directory DIR] [--here]`; with the
// latter it is sealed in the main thread, for a profiler.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { silentLogger } from '@millrace/base/logger'
import { nodeDisk } from '../node-disk.ts'
import { sealInWorker } from './seal-in-worker.ts'
import { sealHere } from './sealer.ts'
import { SegmentStore } from './segment-store.ts'
import {
  type SampleBlock,
  type SampleJournal,
  writeSampleJournal,
} from './testing/sample-journal.ts'

const MIB = 1024 * 1024
const FILE_BYTES = 128 * MIB
const FRAME_BLOCKS = 500

const { values } = parseArgs({
  options: {
    directory: { type: 'string', default: tmpdir() },
    here: { type: 'boolean', default: false },
  },
})
const folder = mkdtempSync(join(values.directory, 'millrace-segment-bench-'))
try {
  for (const [groups, logs, entryBytes] of [
    [1, 1, 1000],
    [1, 10_000, 1000],
    [1000, 1, 1000],
    [1, 100, 250_000],
  ] as const) {
    await measure(groups, logs, entryBytes)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function measure(groups: number, logs: number, entryBytes: number): Promise<void> {
  const directory = join(folder, `${groups}-${logs}-${entryBytes}`)
  const disk = nodeDisk()
  await disk.makeDirectory(directory)
  const journal = await makeJournal(directory, groups, logs, entryBytes)
  const store = await SegmentStore.open({
    disk,
    directory: join(directory, 'segments'),
    orphans: join(directory, 'orphans'),
    logger: silentLogger,
    cacheBytesMax: 32 * MIB,
    isLive: () => true,
    seal: values.here ? sealHere(disk) : sealInWorker,
  })
  const sealMs = await timed(async () => {
    await store.seal({ ...journal, skipGroups: [] })
  })
  let bytes = 0
  let reads = 0
  const readMs = await timed(async () => {
    const step = Math.max(1, Math.floor((groups * logs) / 200))
    for (let i = 0; i < groups * logs; i += step) {
      for (let from = 0; ; ) {
        const bounds = { entriesMax: 10_000, bytesMax: 10 * MIB }
        const read = await store.read(
          1 + (i % groups),
          Math.floor(i / groups),
          from,
          2 ** 50,
          bounds,
        )
        if (read === undefined) break
        from = read.next
        reads++
        for (const batch of read.batches) bytes += batch.count * entryBytes
        read.release()
      }
    }
  })
  await store.close()
  console.log(
    `${groups} groups × ${logs} logs, entries of ${entryBytes} B: sealed ${((journal.usedBytes / MIB / sealMs) * 1000) | 0} MB/s (${sealMs | 0} ms), ` +
      `replayed ${((bytes / MIB / readMs) * 1000) | 0} MB/s in ${reads} reads of ${(bytes / reads) | 0} B`,
  )
  rmSync(directory, { recursive: true, force: true })
}

async function makeJournal(
  directory: string,
  groups: number,
  logs: number,
  entryBytes: number,
): Promise<SampleJournal> {
  const entry = Buffer.alloc(entryBytes, 'x')
  const offsets = new Map<number, number>()
  const blocks = Math.floor(FILE_BYTES / (entryBytes + 100))
  const frames: SampleBlock[][] = []
  for (let i = 0; i < blocks; i++) {
    if (i % FRAME_BLOCKS === 0) frames.push([])
    const place = (i * 7919) % (groups * logs)
    const firstOffset = offsets.get(place) ?? 0
    offsets.set(place, firstOffset + 1)
    const groupId = 1 + (place % groups)
    const logId = Math.floor(place / groups)
    frames.at(-1)?.push({ groupId, logId, firstOffset, timeMs: 1, entries: [entry] })
  }
  return await writeSampleJournal(nodeDisk(), join(directory, '1.journal'), 1, frames)
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedMs = performance.now()
  await work()
  return performance.now() - startedMs
}
