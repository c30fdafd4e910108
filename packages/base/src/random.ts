// Chance as an argument: the system's for production, a seeded one for tests and simulation, so that
// every run can be played again from its seed.
import { randomFillSync } from 'node:crypto'

export interface Random {
  /** A float in [0, 1). */
  float(): number
  /** An integer in [0, below). */
  integer(below: number): number
  /** Fills the array and returns it. */
  fill<T extends Uint8Array>(target: T): T
}

export const systemRandom: Random = {
  float: () => integerBelow32() / 0x1_0000_0000,
  integer: (below) => Math.floor(systemRandom.float() * below),
  fill: (target) => randomFillSync(target),
}

const pool = new Uint32Array(256)
let poolAt = pool.length

function integerBelow32(): number {
  if (poolAt === pool.length) {
    randomFillSync(pool)
    poolAt = 0
  }
  return pool[poolAt++]!
}

/** xoshiro128** seeded by splitmix32: quick, well spread, and the same on every machine. */
export function seededRandom(seed: number): Random {
  let mixed = seed >>> 0
  const next = (): number => {
    mixed = (mixed + 0x9e3779b9) >>> 0
    let z = mixed
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return (z ^ (z >>> 15)) >>> 0
  }
  let [a, b, c, d] = [next(), next(), next(), next()]
  const integer32 = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotate(d, 11)
    return result
  }
  return {
    float: () => integer32() / 0x1_0000_0000,
    integer: (below) => Math.floor((integer32() / 0x1_0000_0000) * below),
    fill(target) {
      for (let i = 0; i < target.length; i++) target[i] = integer32() & 0xff
      return target
    },
  }
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by))
}
