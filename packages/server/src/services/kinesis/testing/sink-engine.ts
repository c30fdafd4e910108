// For benchmarks of the slice alone: an engine that writes blocks into one buffer over and over, as a
// commit buffer would take them, and keeps nothing. Reads give the last block again and again.
import type { AppendResult, Block, Engine } from '@millrace/storage/engine'
import { writeBlock } from '@millrace/storage/local/block'
import { MemoryEngine } from '@millrace/storage/memory-engine'

const BUFFER_BYTES = 16 * 1024 * 1024

export class SinkEngine extends MemoryEngine implements Engine {
  readonly #buffer = Buffer.alloc(BUFFER_BYTES)
  #next = 0
  /** Whether appends are thrown away; until then this is the memory engine, for the catalog. */
  isSinking = false

  override append(blocks: readonly Block[]): Promise<AppendResult[]> {
    if (!this.isSinking) return super.append(blocks)
    const results: AppendResult[] = []
    let at = 0
    for (const block of blocks) {
      at = writeBlock(this.#buffer, at, block, this.#next, 1_777_000_000_000)
      results.push({ kind: 'appended', firstOffset: this.#next, timeMs: 1_777_000_000_000 })
      this.#next += block.count
    }
    return Promise.resolve(results)
  }
}
