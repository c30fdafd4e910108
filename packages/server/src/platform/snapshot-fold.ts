// Makes the next snapshot of the catalog out of the previous one and the commands behind it: pure, so
// that it runs in a worker thread in production (snapshot-worker.ts) and in place in simulation.
import type { SnapshotFold, SnapshotInput } from './catalog.ts'
import type { Fold } from './fold.ts'
import { FoldSet } from './fold-set.ts'
import { encodeSnapshot } from './snapshot-store.ts'

/** The snapshot file at `input.offset`, folded by fresh folds. */
export function foldSnapshot(fresh: readonly Fold[], input: SnapshotInput): Uint8Array {
  const folds = new FoldSet(fresh)
  if (input.previous !== undefined)
    folds.restore(JSON.parse(Buffer.from(input.previous).toString()))
  for (const page of input.pages) {
    if (page === '') continue
    for (const line of page.split('\n')) folds.apply(JSON.parse(line))
  }
  const body = Buffer.from(JSON.stringify(folds.state()))
  return encodeSnapshot({ offset: input.offset, body })
}

/** Folds in place: everything else waits meanwhile. */
export function foldInline(makeFolds: () => readonly Fold[]): SnapshotFold {
  return async (input) => foldSnapshot(makeFolds(), input)
}

/**
 * Folds in a worker thread, which lives for one snapshot. `foldsModule` is the URL of a module that
 * exports `makeFolds(): Fold[]`.
 */
export function foldInWorker(foldsModule: URL): SnapshotFold {
  return async (input) => {
    const { Worker } = await import('node:worker_threads')
    const worker = new Worker(new URL('./snapshot-worker.ts', import.meta.url), {
      workerData: { foldsModule: foldsModule.href, input },
      name: 'catalog-snapshot',
    })
    return new Promise<Uint8Array>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', (code) => {
        reject(new Error(`the snapshot's worker ended with ${code} and no snapshot`))
      })
    })
  }
}
