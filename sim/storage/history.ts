// Histories of one world: by chance, each process ended at a moment that chance chooses, and one
// history that is cut at every step, each time with a look at what the next process finds.
import { type Random, seededRandom } from '@millrace/base/random'
import { StorageError } from '@millrace/storage/engine'
import { type DiskOperation, SimulatedDisk } from '@millrace/storage/simulated-disk'
import { type ProcessEnd, World } from './world.ts'

/** Calls under way at once. */
const CALLS_MAX = 6
const CALLS_PER_PROCESS = 120
const PROCESSES = 7
/** Turns of the event loop between two calls. */
const TURNS_MAX = 60

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
  const hasTrouble = random.integer(3) === 0
  let world = new World(disk, random, { durability, hasTrouble })
  const trouble = hasTrouble ? new Trouble(random) : undefined
  let before: ProcessEnd = 'first'
  let steps = 0
  let span = 600
  for (let process = 0; process < PROCESSES; process++) {
    const end = (['close', 'kill', 'kill', 'power cut', 'power cut'] as const)[random.integer(5)]
    const lastStep = end === 'close' ? Number.POSITIVE_INFINITY : 1 + random.integer(span)
    const { disk } = world
    const isStopped = await runProcess(world, lastStep, async () => {
      await openEvenFull(world, before)
      await work(world, random, trouble)
      await world.close()
    })
    steps += disk.steps
    span = Math.max(40, Math.floor((span + disk.steps) / 2))
    before = isStopped ? (end ?? 'kill') : 'close'
    world = world.next(before === 'power cut' ? disk.afterPowerCut() : disk.afterKill())
    trouble?.next(world.disk)
  }
  world.disk.capacityBytes = 2 ** 40
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
      ends.push({ before, world: world.next(left, chance, { label: 'after ' }) })
    }
  }
  await world.open('first')
  await work(world, random)
  await world.close()
  disk.onStep = undefined
  const processes = 1 + ends.length
  for (let end = ends.pop(); end !== undefined; end = ends.pop()) {
    await lookAfter(end.world, end.before)
  }
  return { processes, steps: disk.steps }
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
  const next = world.next(isStopped ? world.disk.afterPowerCut() : world.disk.afterKill())
  await next.open(isStopped ? 'power cut' : 'close')
  await next.append()
  await next.close()
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

/** A start may be refused on a full disk, with a clear error; with room it succeeds. */
async function openEvenFull(world: World, before: ProcessEnd): Promise<void> {
  try {
    await world.open(before)
  } catch (error) {
    const isFull = error instanceof StorageError && `${error.cause}`.includes('ENOSPC')
    if (!isFull) throw error
    world.disk.capacityBytes = 2 ** 40
    await world.open(before)
  }
}

/** A disk that now and then is slow, full, or fails a call, as chance wants it. */
class Trouble {
  readonly #random: Random
  #ends: (() => void)[] = []

  constructor(random: Random) {
    this.#random = random
  }

  /** Perhaps begins some trouble, perhaps ends what there is. */
  stir(disk: SimulatedDisk): void {
    const chance = this.#random.integer(60)
    if (chance === 0) this.#stall(disk, ['write'])
    else if (chance === 1) this.#stall(disk, ['sync', 'syncDirectory'])
    else if (chance <= 3) this.#fill(disk)
    else if (chance === 4) this.#fail(disk)
    else if (chance >= 45) this.end()
  }

  end(): void {
    for (const end of this.#ends.splice(0)) end()
  }

  /** The process is gone, and what stalled in it; its disk may be as full as it was. */
  next(disk: SimulatedDisk): void {
    this.#ends = []
    if (this.#random.integer(2) === 0) disk.capacityBytes = 2 ** 40
  }

  #stall(disk: SimulatedDisk, operations: DiskOperation[]): void {
    this.#ends.push(disk.stall({ operations }))
  }

  #fill(disk: SimulatedDisk): void {
    disk.capacityBytes = disk.usedBytes + this.#random.integer(6) * 4096
    this.#ends.push(() => {
      disk.capacityBytes = 2 ** 40
    })
  }

  #fail(disk: SimulatedDisk): void {
    const operations = (['write', 'sync', 'open', 'rename', 'remove'] as const).filter(
      () => this.#random.integer(3) === 0,
    )
    this.#ends.push(disk.fail({ operations, code: 'EIO', times: 1 }))
  }
}

async function work(world: World, random: Random, trouble?: Trouble): Promise<void> {
  const running = new Set<Promise<void>>()
  const failures: unknown[] = []
  for (let calls = 0; calls < CALLS_PER_PROCESS; calls++) {
    // The process was stopped: whoever waits for it must not be told anything any more.
    if (world.disk.isHalted) await never
    trouble?.stir(world.disk)
    const call = start(world, random)
    if (call !== undefined) {
      const tracked: Promise<void> = call
        .catch((error: unknown) => void failures.push(error))
        .finally(() => running.delete(tracked))
      running.add(tracked)
    }
    await breathe(random.integer(TURNS_MAX))
    // With a stalled disk nothing under way ends before the stall does.
    if (running.size >= CALLS_MAX && trouble !== undefined) await breathe(10 * TURNS_MAX)
    if (running.size >= CALLS_MAX) trouble?.end()
    if (running.size >= CALLS_MAX) await Promise.race(running)
    if (failures.length > 0) throw failures[0]
  }
  trouble?.end()
  await Promise.all(running)
  if (failures.length > 0) throw failures[0]
}

const never = new Promise<never>(() => {})

/** Lets what is under way go on for some turns. */
async function breathe(turns: number): Promise<void> {
  for (let left = turns; left > 0; left--) await undefined
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
