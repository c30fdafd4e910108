// `npm run compat [-- python js java]`: drives a real server with unchanged AWS clients. Brings what
// is missing, then runs each client's tests one after the other.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { type Client, install } from './install.ts'

const CLIENTS: readonly Client[] = ['python', 'js', 'java']
const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !CLIENTS.some((client) => client === name))
if (asked.includes('--help') || unknown.length > 0) {
  if (unknown.length > 0)
    process.stderr.write(`compat: no client is called ${unknown.join(', ')}\n`)
  process.stderr.write(
    `usage: npm run compat [-- ${CLIENTS.join(' ')}]   (all when none is named)\n`,
  )
  process.exit(asked.includes('--help') ? 0 : 2)
}

const clients = CLIENTS.filter((client) => asked.length === 0 || asked.includes(client))
for (const client of clients) install(client)
const files = clients.flatMap((client) => {
  const folder = path.join(import.meta.dirname, client)
  return readdirSync(folder)
    .filter((name) => /\.test\.(ts|mjs)$/.test(name))
    .map((name) => path.join(folder, name))
})
const { status } = spawnSync(
  process.execPath,
  ['--test', '--test-concurrency=1', '--test-timeout=300000', ...files],
  { stdio: 'inherit' },
)
process.exit(status ?? 1)
