// Picks an engine by configuration: one line each.
import type { Clock } from '@millrace/base/clock'
import type { Engine } from './engine.ts'
import { MemoryEngine } from './memory-engine.ts'
import { type LocalEngineOptions, openLocalEngine } from './open-local-engine.ts'

export type EngineOptions =
  | ({ readonly kind: 'local' } & LocalEngineOptions)
  | { readonly kind: 'memory'; readonly clock: Clock; readonly bytesMax?: number }

/** Opens the engine; a local one rejects with a StorageError when its folder can't be used. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  return options.kind === 'memory' ? new MemoryEngine(options) : await openLocalEngine(options)
}
