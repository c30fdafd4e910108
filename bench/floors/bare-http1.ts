// The HTTP/1.1 floor: bare node:http reads the body and answers a constant. For GetRecords the constant
// is a whole page of 10 000 records of 1 KiB, so that a drain shows the reader's own ceiling.
// Arguments: port.
import { randomBytes } from 'node:crypto'
import http from 'node:http'
import { putReply } from './constant-reply.ts'

const port = Number(process.argv[2] ?? 0)
const data = randomBytes(1024).toString('base64')
const page = Buffer.from(
  JSON.stringify({
    MillisBehindLatest: 1,
    NextShardIterator: 'again',
    Records: Array.from({ length: 10_000 }, (_, index) => ({
      ApproximateArrivalTimestamp: 1795000000.123,
      Data: data,
      PartitionKey: `device-0-${index}`,
      SequenceNumber: `4967402600285018821857622925947347644942${String(index).padStart(16, '0')}`,
    })),
  }),
)

const server = http.createServer((request, response) => {
  request.on('data', () => {})
  request.on('end', () => {
    const body = request.headers['x-amz-target'] === 'Kinesis_20131202.GetRecords' ? page : putReply
    response.writeHead(200, {
      'Content-Type': 'application/x-amz-json-1.1',
      'Content-Length': body.length,
    })
    response.end(body)
  })
})
server.keepAliveTimeout = 75_000
server.listen(port, '127.0.0.1')
