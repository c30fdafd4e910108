// Histories of one world: by chance, each process ended at a moment that chance chooses, and one
// history that is cut at every step, each time with a look at what the next process finds.
import { type Random, seededRandom } from '@millrace/base/random'
import { SimulatedDisk } from '@millrace/storage/simulated-disk'
import { copyPromises } from './checks.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { type ProcessEnd, World } from './world.ts'

/** Calls under way at once. */
const CALLS_MAX = 6
const CALLS_PER_PROCESS = 120
const PROCESSES = 7

export interface HistoryCounts {
  readonly processes: number
  readonly steps: number
}

/** Several processes one after the other on one disk. Throws when a promise is broken. */
export async function randomHistory(seed: number): Promise<HistoryCounts> {
  const random = seededRandom(seed)
  const durability = random.integer(4) === 0 ? 'os' : 'sync'
  const disk = new SimulatedDisk({
    random: seededRandom(random.integer(2 ** 31)),
    tearsWithinSectors: random.integer(2) === 0,
    writeBackEvery: [0, 4, 16][random.integer(3)] ?? 16,
  })
  const world = new World(disk, random, { durability })
  let before: ProcessEnd = 'first'
  let steps = 0
  let span = 600
  for (let process = 0; process < PROCESSES; process++) {
    const end = (['close', 'kill', 'kill', 'power cut', 'power cut'] as const)[random.integer(5)]
    const lastStep = end === 'close' ? Number.POSITIVE_INFINITY : 1 + random.integer(span)
    const isStopped = await runProcess(world, lastStep, async () => {
      await world.open(before)
      await work(world, random)
      await world.close()
    })
    steps += world.disk.steps
    span = Math.max(40, Math.floor((span + world.disk.steps) / 2))
    before = isStopped ? (end ?? 'kill') : 'close'
    world.disk = before === 'power cut' ? world.disk.afterPowerCut() : world.disk.afterKill()
    const jumpMs = [0, 1, 5000, 86_400_000, -3_600_000][random.integer(5)] ?? 0
    world.clock = new SimulatedClock(world.clock.now() + jumpMs)
  }
  await world.open(before)
  await world.close()
  return { processes: PROCESSES + 1, steps }
}

/** One process of chance, and at every `stride`th step of it what a kill and a power cut leave. */
export async function cutEverywhere(seed: number, stride: number): Promise<HistoryCounts> {
  const random = seededRandom(seed)
  const disk = new SimulatedDisk({
    random: seededRandom(random.integer(2 ** 31)),
    tearsWithinSectors: true,
  })
  const world = new World(disk, random, { durability: 'sync' })
  const ends: { before: 'kill' | 'power cut'; world: World }[] = []
  disk.onStep = ({ number }) => {
    if (number % stride !== seed % stride) return
    for (const before of ['kill', 'power cut'] as const) {
      const chance = seededRandom(number)
      const left = before === 'kill' ? disk.afterKill(chance) : disk.afterPowerCut(chance)
      const next = new World(left, chance, { durability: 'sync', label: 'after ' })
      next.promises = copyPromises(world.promises)
      next.clock = new SimulatedClock(world.clock.now())
      ends.push({ before, world: next })
    }
  }
  await world.open('first')
  await work(world, random)
  await world.close()
  disk.onStep = undefined
  for (const { before, world: next } of ends) await lookAfter(next, before)
  return { processes: 1 + ends.length, steps: disk.steps }
}

/** Opens what an end left, perhaps ending once more on the way, works a little and opens it again. */
async function lookAfter(world: World, before: 'kill' | 'power cut'): Promise<void> {
  const random = seededRandom(world.disk.files().size)
  const again = random.integer(3) === 0 ? 1 + random.integer(12) : Number.POSITIVE_INFINITY
  const isStopped = await runProcess(world, again, async () => {
    await world.open(before)
    for (let i = 0; i < 3; i++) await world.append()
    await world.close()
  })
  if (isStopped) world.disk = world.disk.afterPowerCut()
  await world.open(isStopped ? 'power cut' : 'close')
  await world.append()
  await world.close()
}

/** Runs `life` unless the disk passes `lastStep`: then the process ends there. Gives whether it did. */
async function runProcess(
  world: World,
  lastStep: number,
  life: () => Promise<void>,
): Promise<boolean> {
  const { disk } = world
  const stopped = new Promise<true>((resolve) => {
    disk.onStep = ({ number }) => {
      if (number !== lastStep) return
      disk.halt()
      resolve(true)
    }
  })
  return await Promise.race([stopped, life().then(() => false)])
}

async function work(world: World, random: Random): Promise<void> {
  const running = new Set<Promise<void>>()
  for (let calls = 0; calls < CALLS_PER_PROCESS; calls++) {
    const call = start(world, random)
    if (call !== undefined) {
      const tracked: Promise<void> = call.finally(() => running.delete(tracked))
      running.add(tracked)
    }
    const isBusy = running.size >= CALLS_MAX || random.integer(3) === 0
    if (isBusy && running.size > 0) await Promise.race(running)
  }
  await Promise.all(running)
}

function start(world: World, random: Random): Promise<void> | undefined {
  const chance = random.integer(100)
  if (chance < 50) return world.append()
  if (chance < 68) return world.read()
  if (chance < 76) return world.createGroup()
  if (chance < 79) return world.addLog()
  if (chance < 82) return world.deleteGroup()
  if (chance < 85) return world.gate()
  if (chance < 87) return world.roll()
  if (chance < 89) world.trimTime()
  else if (chance < 91) world.trimOffset()
  else world.advance()
  return undefined
}
