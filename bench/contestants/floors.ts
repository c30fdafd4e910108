// The floors: what Node and the disk can do at most, or what anyone would write first. They tell how much
// of a figure is Millrace and how much is the machine.
import path from 'node:path'
import { benchDir } from '../paths.ts'
import type { Contestant, Place } from './contestant.ts'

function floor(file: string) {
  return ({ port, dataDir }: Place) => ({
    file: process.execPath,
    args: [path.join(benchDir, 'floors', file), String(port), dataDir],
  })
}

export const naiveFloor: Contestant = {
  name: 'naive',
  title: 'naive durable floor',
  kind: 'floor',
  durability: 'synced',
  abilities: ['http1', 'put'],
  missing: () => undefined,
  launch: floor('naive-durable.ts'),
}

export const bareHttp1Floor: Contestant = {
  name: 'bare-http',
  title: 'bare node:http, constant answer',
  kind: 'floor',
  durability: 'none',
  abilities: ['http1', 'cbor', 'put', 'get'],
  isConstant: true,
  missing: () => undefined,
  launch: floor('bare-http1.ts'),
}

export const bareHttp2Floor: Contestant = {
  name: 'bare-http2',
  title: 'bare node:http2, tuned windows',
  kind: 'floor',
  durability: 'none',
  abilities: ['http2', 'put'],
  isConstant: true,
  missing: () => undefined,
  launch: floor('bare-http2.ts'),
}

export const diskFloor: Contestant = {
  name: 'disk',
  title: 'the disk itself',
  kind: 'floor',
  durability: 'synced',
  abilities: ['disk'],
  missing: () => undefined,
  launch: () => {
    throw new Error('the disk is not a server')
  },
}
