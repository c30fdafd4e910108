// The HTTP/2 floor: bare node:http2 by prior knowledge, core stream API, windows wide enough for a whole
// batch; reads the body and answers a constant. Arguments: port.
import http2 from 'node:http2'
import { putReply } from './constant-reply.ts'

const port = Number(process.argv[2] ?? 0)
const server = http2.createServer({ settings: { initialWindowSize: 1024 * 1024 } })
server.on('session', (session) => session.setLocalWindowSize(8 * 1024 * 1024))
server.on('stream', (stream: http2.ServerHttp2Stream) => {
  stream.on('data', () => {})
  stream.on('end', () => {
    stream.respond({
      ':status': 200,
      'content-type': 'application/x-amz-json-1.1',
      'content-length': putReply.length,
    })
    stream.end(putReply)
  })
})
server.listen(port, '127.0.0.1')
