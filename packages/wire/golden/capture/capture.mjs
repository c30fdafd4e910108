// Writes the bodies that the AWS SDK for JavaScript v3 sends, as they are: js-<operation>.json into the
// folder that is given. Run as README.md says.
import { createServer } from 'node:http'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const [folder, modules] = process.argv.slice(2)
const require = createRequire(join(modules, 'x.js'))
const sdk = require('@aws-sdk/client-kinesis')
const { NodeHttpHandler } = require('@smithy/node-http-handler')

const server = createServer(async (request, response) => {
  const operation = request.headers['x-amz-target'].split('.')[1]
  const type = request.headers['content-type']
  const body = Buffer.concat(await request.toArray())
  writeFileSync(join(folder, `js-${operation}.${type.includes('cbor') ? 'cbor' : 'json'}`), body)
  response.writeHead(400, { 'content-type': type }).end()
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const client = new sdk.KinesisClient({
  endpoint: `http://127.0.0.1:${server.address().port}`,
  region: 'us-east-1',
  credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
  maxAttempts: 1,
  requestHandler: new NodeHttpHandler(),
})
const send = (command) => client.send(command).catch(() => undefined) // The server only listens.
await send(
  new sdk.PutRecordsCommand({
    StreamName: 'orders',
    Records: [
      { PartitionKey: 'ключ', Data: Buffer.from('one') },
      {
        PartitionKey: 'b',
        ExplicitHashKey: '170141183460469231731687303715884105728',
        Data: new Uint8Array(300),
      },
    ],
  }),
)
await send(
  new sdk.GetShardIteratorCommand({
    StreamName: 'orders',
    ShardId: 'shardId-000000000000',
    ShardIteratorType: 'AT_TIMESTAMP',
    Timestamp: new Date(1700000000123),
  }),
)
server.close()
