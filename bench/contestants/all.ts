// Every contestant, in the order of their turns.
import type { Contestant } from './contestant.ts'
import { bareHttp1Floor, bareHttp2Floor, diskFloor, naiveFloor } from './floors.ts'
import { millrace } from './millrace.ts'
import { ferrokinesisMemory, ferrokinesisState, kinesalite, kinesisMock, moto } from './peers.ts'

export const contestants: readonly Contestant[] = [
  millrace,
  naiveFloor,
  bareHttp1Floor,
  bareHttp2Floor,
  diskFloor,
  ferrokinesisMemory,
  ferrokinesisState,
  kinesalite,
  kinesisMock,
  moto,
]
