// Plays histories against the product on simulated disks and clocks, with crashes, and checks what was
// promised: `npm run sim -- --seed N --rounds R [words]`. Each round has the seed before it plus one; what
// breaks a promise is printed with the command that plays that very round again. Words choose
// simulations by their names.
import { parseArgs } from 'node:util'
import { cutEverywhere, randomHistory } from './storage/history.ts'

interface Simulation {
  readonly name: string
  /** Plays only one round in so many, because a round is long. */
  readonly oneIn: number
  /** Throws when a promise is broken; gives a few counts to print. */
  play(seed: number): Promise<{ readonly steps: number }>
}

const SIMULATIONS: readonly Simulation[] = [
  { name: 'storage-history', oneIn: 1, play: randomHistory },
  { name: 'storage-cut-everywhere', oneIn: 20, play: (seed) => cutEverywhere(seed, 1) },
]

const { values, positionals } = parseArgs({
  options: { seed: { type: 'string' }, rounds: { type: 'string', default: '20' } },
  allowPositionals: true,
})
const firstSeed = whole('seed', values.seed ?? String(Date.now() % 2 ** 31))
const rounds = whole('rounds', values.rounds)
const chosen = SIMULATIONS.filter(
  ({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
)
if (chosen.length === 0) throw new Error('there is no simulation whose name holds these words')

console.log(`seed ${firstSeed}, ${rounds} rounds each`)
for (const { name, oneIn, play } of chosen) {
  let isKept = true
  let steps = 0
  for (let seed = firstSeed; isKept && seed < firstSeed + rounds; seed += oneIn) {
    try {
      steps += (await play(seed)).steps
    } catch (error) {
      console.error(`${name}: again with npm run sim -- --seed ${seed} --rounds 1 ${name}`)
      console.error(error)
      process.exitCode = 1
      isKept = false
    }
  }
  if (isKept) console.log(`${name}: every promise kept, ${steps} disk steps`)
}

function whole(name: string, text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new Error(`--${name} takes a whole number, not ${text}`)
  return Number(text)
}
