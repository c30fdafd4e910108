// The AWS SDK for Java v2, unchanged: CBOR over HTTP/1.1 and HTTP/2, plain and TLS (without ALPN).
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { javaClassPath } from '../install.ts'
import { type RunningServer, removeDataFolder, startServer } from '../server.ts'

const run = promisify(execFile)
const PARTS = 7
let server: RunningServer

before(async () => {
  server = await startServer()
})
after(async () => {
  await server.stop()
  removeDataFolder(server.dataFolder)
})

for (const mode of ['h1', 'h2']) {
  for (const scheme of ['http', 'https']) {
    test(`Java SDK v2 (CBOR) over ${mode}, ${scheme}: the seed scenario`, async () => {
      const endpoint = `${scheme}://localhost:${server.port}`
      const args = [
        '-Xmx160m',
        '-cp',
        javaClassPath,
        'Scenario',
        endpoint,
        mode,
        `java-${mode}-${scheme}`,
      ]
      const { stdout } = await run('java', args)
      assert.equal(stdout.match(/^held: /gm)?.length, PARTS, stdout)
    })
  }
}
