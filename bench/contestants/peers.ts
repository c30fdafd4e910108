// The other Kinesis servers that the registries hold, each with its limits lifted, its waiting times at
// their least, its logging quiet, and bound to 127.0.0.1.
import { existsSync } from 'node:fs'
import path from 'node:path'
import { benchDir, cargoDir, loopbackLibrary, loopbackPreload, venvDir } from '../paths.ts'
import type { Contestant, Place } from './contestant.ts'

const howToInstall = 'run: npm run bench -- --install'
const shardLimit = '1000000'

/**
 * The JavaScript peers run on the last Node that both work on. On 26 kinesalite's CBOR library writes one
 * byte of each reply, and kinesis-mock stops reading bodies of a few hundred kilobytes.
 */
const peersNode = path.join(
  benchDir,
  'node_modules',
  `node-${process.platform}-${process.arch}`,
  'bin',
  'node',
)

const ferrokinesisFile = path.join(cargoDir, 'bin', 'ferrokinesis')
const kinesaliteFile = path.join(benchDir, 'node_modules', 'kinesalite', 'cli.js')
const kinesisMockDir = path.join(benchDir, 'node_modules', 'kinesis-local')
const motoFile = path.join(venvDir, 'bin', 'moto_server')

function missing(...files: string[]): string | undefined {
  return files.every((file) => existsSync(file)) ? undefined : `not installed; ${howToInstall}`
}

function ferrokinesis(place: Place, ...more: string[]) {
  return {
    file: ferrokinesisFile,
    args: [
      ...['--port', String(place.port), '--shard-limit', shardLimit, '--log-level', 'off'],
      ...['--create-stream-ms', '0', '--delete-stream-ms', '0', '--update-stream-ms', '0'],
      ...['--max-request-body-mb', '64', '--access-log', 'false', '--enforce-limits', 'false'],
      ...more,
    ],
    env: { LD_PRELOAD: loopbackLibrary },
  }
}

export const ferrokinesisMemory: Contestant = {
  name: 'ferrokinesis',
  title: 'ferrokinesis 0.7, memory',
  kind: 'peer',
  durability: 'none',
  abilities: ['http1', 'http2', 'cbor', 'put', 'get', 'streams'],
  missing: () => missing(ferrokinesisFile, loopbackLibrary),
  launch: (place) => ferrokinesis(place),
}

export const ferrokinesisState: Contestant = {
  name: 'ferrokinesis-state',
  title: 'ferrokinesis 0.7, --state-dir',
  kind: 'peer',
  durability: 'log and snapshots',
  abilities: ['http1', 'http2', 'cbor', 'put', 'get', 'streams'],
  missing: () => missing(ferrokinesisFile, loopbackLibrary),
  launch: (place) => ferrokinesis(place, '--state-dir', place.dataDir),
}

export const kinesalite: Contestant = {
  name: 'kinesalite',
  title: 'kinesalite 3.3, memory',
  kind: 'peer',
  durability: 'none',
  abilities: ['http1', 'cbor', 'put', 'get', 'streams'],
  missing: () => missing(peersNode, kinesaliteFile),
  launch: ({ port }) => ({
    file: peersNode,
    args: [
      ...['-r', loopbackPreload, kinesaliteFile, '--port', String(port)],
      ...['--createStreamMs', '0', '--deleteStreamMs', '0', '--updateStreamMs', '0'],
      ...['--shardLimit', shardLimit],
    ],
  }),
}

export const kinesisMock: Contestant = {
  name: 'kinesis-mock',
  title: 'kinesis-mock 0.6',
  kind: 'peer',
  durability: 'none',
  abilities: ['http1', 'cbor', 'put', 'get', 'streams'],
  missing: () => missing(peersNode, path.join(kinesisMockDir, 'main.js')),
  launch: ({ port }) => ({
    file: peersNode,
    args: ['-r', loopbackPreload, path.join(kinesisMockDir, 'main.js')],
    env: {
      KINESIS_MOCK_PLAIN_PORT: String(port),
      // Its TLS port cannot be turned off: any free one will do.
      KINESIS_MOCK_TLS_PORT: '0',
      KINESIS_MOCK_CERT_PATH: path.join(kinesisMockDir, 'server.json'),
      SHARD_LIMIT: shardLimit,
      ON_DEMAND_STREAM_COUNT_LIMIT: shardLimit,
      CREATE_STREAM_DURATION: '1ms',
      DELETE_STREAM_DURATION: '1ms',
      CATS_EFFECT_CPU_STARVATION_CHECK_INTERVAL: '1h',
      LOG_LEVEL: 'ERROR',
    },
  }),
}

export const moto: Contestant = {
  name: 'moto',
  title: 'moto 5.2',
  kind: 'peer',
  durability: 'none',
  abilities: ['http1', 'put', 'get', 'streams'],
  missing: () => missing(motoFile),
  launch: ({ port }) => ({
    file: motoFile,
    args: ['-H', '127.0.0.1', '-p', String(port)],
  }),
}
