// The body of the thread that seals one journal file and then ends: sorting and checksums take the
// time of their own core, and its memory goes with it.
import { parentPort, workerData } from 'node:worker_threads'
import { StorageError } from '../engine.ts'
import { nodeDisk } from '../node-disk.ts'
import type { SealerOutcome, SealerTask } from './seal-in-worker.ts'
import { restBetweenPieces } from './seal-pace.ts'
import { sealHere } from './sealer.ts'

const { directory, input } = workerData as SealerTask

function answer(outcome: SealerOutcome): void {
  parentPort?.postMessage(outcome)
}

try {
  const { pace } = input
  const sizes = pace === undefined ? {} : { rest: restBetweenPieces(pace) }
  const segments = await sealHere(nodeDisk(), sizes)(directory, input, new AbortController().signal)
  answer({ kind: 'sealed', segments })
} catch (error) {
  const { message, code } = error as NodeJS.ErrnoException
  const isStorageError = error instanceof StorageError
  answer({ kind: 'failed', message, isStorageError, ...(code === undefined ? {} : { code }) })
}
