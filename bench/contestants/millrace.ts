// Millrace itself, from its sources, with what a benchmark of a durable server must not leave open said
// explicitly: limits lifted, every acknowledgement synced.
import { existsSync } from 'node:fs'
import path from 'node:path'
import { rootDir } from '../paths.ts'
import type { Contestant } from './contestant.ts'

const main = path.join(rootDir, 'packages', 'server', 'bin', 'millrace.mjs')

export const millrace: Contestant = {
  name: 'millrace',
  title: 'Millrace',
  kind: 'millrace',
  durability: 'synced',
  abilities: ['http1', 'http2', 'cbor', 'put', 'get', 'streams', 'retains'],
  missing: () => (existsSync(main) ? undefined : 'packages/server/bin/millrace.mjs is not there'),
  launch: ({ dataDir }) => ({
    file: process.execPath,
    args: [main, '--port', '0', '--data', dataDir, '--limits', 'none'],
    readyLine: /^Millrace ready on http:\/\/127\.0\.0\.1:(\d+)$/m,
  }),
}
