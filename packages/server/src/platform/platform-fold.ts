// What the platform itself keeps in the catalog: how far service time has been moved ahead of wall
// time (the offset only grows, so that service time never runs backwards, whatever is replayed), and
// the key that seals tokens, made once at first start so that tokens outlive a restart.
import { assert } from '@millrace/base/assert'
import type { Command, Fold } from './fold.ts'

interface ClockAdvanced extends Command {
  readonly kind: 'platform.clock-advanced'
  /** The whole offset from now on, ms. */
  readonly offsetMs: number
}

interface SealKeyMade extends Command {
  readonly kind: 'platform.seal-key-made'
  /** 32 bytes, base64. */
  readonly key: string
}

export const SEAL_KEY_BYTES = 32

export function clockAdvanced(offsetMs: number): ClockAdvanced {
  return { kind: 'platform.clock-advanced', version: 1, offsetMs }
}

export function sealKeyMade(key: Uint8Array): SealKeyMade {
  assert(key.byteLength === SEAL_KEY_BYTES, 'a seal key has 32 bytes')
  return { kind: 'platform.seal-key-made', version: 1, key: Buffer.from(key).toString('base64') }
}

export class PlatformFold implements Fold {
  readonly name = 'platform'
  readonly versions = { 'platform.clock-advanced': 1, 'platform.seal-key-made': 1 }
  #clockOffsetMs = 0
  #sealKey: string | undefined

  /** Service time minus wall time, ms. */
  get clockOffsetMs(): number {
    return this.#clockOffsetMs
  }

  /** Undefined before the first start has made it. */
  get sealKey(): Buffer | undefined {
    return this.#sealKey === undefined ? undefined : Buffer.from(this.#sealKey, 'base64')
  }

  /** A clock command loses to one that moved it as far or farther, a key to the first one. */
  apply(command: Command): boolean {
    const known = command as ClockAdvanced | SealKeyMade
    if (known.kind === 'platform.clock-advanced') {
      if (known.offsetMs <= this.#clockOffsetMs) return false
      this.#clockOffsetMs = known.offsetMs
      return true
    }
    if (this.#sealKey !== undefined) return false
    this.#sealKey = known.key
    return true
  }

  snapshot(): unknown {
    return { clockOffsetMs: this.#clockOffsetMs, sealKey: this.#sealKey }
  }

  restore(snapshot: unknown): void {
    const { clockOffsetMs, sealKey } = snapshot as { clockOffsetMs: number; sealKey?: string }
    this.#clockOffsetMs = clockOffsetMs
    this.#sealKey = sealKey
  }
}
