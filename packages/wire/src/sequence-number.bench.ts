// What sequence numbers and hash keys cost per record, beside the plain ways. Run it with
//   node packages/wire/src/sequence-number.bench.ts
// Figures are the best of many rounds (machines are noisy): compare those of one run only.
import { hash } from 'node:crypto'
import { hashPartitionKey, readHashKey } from './hash-key.ts'
import { SequenceCursor } from './sequence-cursor.ts'
import { formatSequenceNumber, parseSequenceNumber } from './sequence-number.ts'

const COUNT = 10_000
const ROUNDS = 100
const CREATED_SECONDS = 1_777_000_000

/** Keeps results alive, so that no round can be optimised away. */
let kept = 0

function measure(name: string, run: (index: number) => number): void {
  let best = Infinity
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint()
    for (let i = 0; i < COUNT; i++) kept = (kept + run(i)) | 0
    best = Math.min(best, Number(process.hrtime.bigint() - start))
  }
  const ns = best / COUNT
  console.log(`${name.padEnd(52)} ${ns.toFixed(0).padStart(5)} ns  ${(1000 / ns).toFixed(1)} M/s`)
}

const cursor = new SequenceCursor(CREATED_SECONDS, 7)
const target = Buffer.alloc(56)
const words = new Uint32Array(4)
const keys = Array.from({ length: COUNT }, (_, i) => `partition-key-${i}`)
const longKeys = keys.map((key) => key.repeat(5))
const wideKeys = keys.map((key) => `clé-${key}`)
const numbers = Array.from({ length: COUNT }, (_, i) =>
  formatSequenceNumber({
    createdSeconds: CREATED_SECONDS,
    shardNumber: 7,
    counter: i + 1,
    timeSeconds: CREATED_SECONDS,
  }),
)

cursor.moveTo(1, CREATED_SECONDS)
measure('numbers of a block, written into a buffer', () => {
  cursor.advance()
  cursor.writeTo(target, 0)
  return target[55] ?? 0
})
measure('numbers of single records, as text', (i) => {
  cursor.moveTo(i + 1, CREATED_SECONDS + (i >> 6))
  return cursor.toString().length
})
measure('the same by BigInt', (i) => {
  const parts = { createdSeconds: CREATED_SECONDS, shardNumber: 7, counter: i + 1 }
  return formatSequenceNumber({ ...parts, timeSeconds: CREATED_SECONDS }).length
})
measure('take a number apart', (i) => parseSequenceNumber(numbers[i] ?? '')?.shardNumber ?? 0)
measure('hash a key of 15 to 18 characters', (i) => hashPartitionKey(keys[i] ?? '', words))
measure('the same by node:crypto', (i) => hash('md5', keys[i] ?? '', 'hex').length)
measure('hash a key of 75 to 90 characters', (i) => hashPartitionKey(longKeys[i] ?? '', words))
measure('hash a key beyond ASCII', (i) => hashPartitionKey(wideKeys[i] ?? '', words))
measure('read an explicit hash key of 39 digits', () =>
  readHashKey('340282366920938463463374607431768211455', words) ? 1 : 0,
)
console.log(kept === 0 ? ' ' : '')
