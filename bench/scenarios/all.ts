// Every scenario, in the order in which they run and are printed.
import { disk } from './disk.ts'
import { drain } from './drain.ts'
import { manyStreams } from './many-streams.ts'
import { memory } from './memory.ts'
import { puts } from './puts.ts'
import { replay } from './replay.ts'
import { scale } from './scale.ts'
import type { Scenario } from './scenario.ts'
import { start } from './start.ts'
import { tail } from './tail.ts'

export const scenarios: readonly Scenario[] = [
  ...disk,
  ...puts,
  drain,
  tail,
  start,
  memory,
  ...scale,
  ...replay,
  manyStreams,
]
