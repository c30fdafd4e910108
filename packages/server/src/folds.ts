// All that the catalog keeps, slice by slice: fresh folds for a start, and for the worker that makes
// snapshots (platform/snapshot-worker.ts imports this module by its URL).
import type { Fold } from './platform/fold.ts'
import { PlatformFold } from './platform/platform-fold.ts'
import { StreamFold } from './services/kinesis/stream-fold.ts'

export interface Folds {
  readonly platform: PlatformFold
  readonly kinesis: StreamFold
}

export function newFolds(): Folds {
  return { platform: new PlatformFold(), kinesis: new StreamFold() }
}

export function makeFolds(): Fold[] {
  return Object.values(newFolds())
}
