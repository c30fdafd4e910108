// The worker thread that folds one snapshot of the catalog and hands its bytes back; see snapshot-fold.ts.
import { parentPort, workerData } from 'node:worker_threads'
import type { SnapshotInput } from './catalog.ts'
import type { Fold } from './fold.ts'
import { foldSnapshot } from './snapshot-fold.ts'

const { foldsModule, input } = workerData as { foldsModule: string; input: SnapshotInput }
const { makeFolds } = (await import(foldsModule)) as { makeFolds: () => Fold[] }
const bytes = new Uint8Array(foldSnapshot(makeFolds(), input))
parentPort?.postMessage(bytes, [bytes.buffer])
