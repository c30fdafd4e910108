// Seals in a thread of its own, on the real disk, one thread per journal file: files roll seldom, and
// a thread that waited for the next would keep its memory.
import { Worker } from 'node:worker_threads'
import { StorageError, type StorageErrorCode } from '../engine.ts'
import type { SealedSegment, SealInput, SealJournal } from './sealer.ts'

export interface SealerTask {
  readonly directory: string
  readonly input: SealInput
}

/** What the thread answers; errors can't cross as they are. */
export type SealerOutcome =
  | { readonly kind: 'sealed'; readonly segments: SealedSegment[] }
  | {
      readonly kind: 'failed'
      readonly message: string
      readonly code?: string
      readonly isStorageError: boolean
    }

/** As `sealHere` over `nodeDisk`; aborting ends the thread. */
export const sealInWorker: SealJournal = async (directory, input, signal) => {
  signal.throwIfAborted()
  const worker = new Worker(new URL('./sealer-worker.ts', import.meta.url), {
    workerData: { directory, input } satisfies SealerTask,
  })
  const stop = (): void => void worker.terminate()
  signal.addEventListener('abort', stop, { once: true })
  try {
    const outcome = await new Promise<SealerOutcome>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', (code) => {
        reject(signal.aborted ? signal.reason : new Error(`the sealer ended with code ${code}`))
      })
    })
    if (outcome.kind === 'sealed') return outcome.segments
    if (outcome.isStorageError) {
      throw new StorageError(outcome.code as StorageErrorCode, outcome.message)
    }
    throw Object.assign(new Error(outcome.message), { code: outcome.code })
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
