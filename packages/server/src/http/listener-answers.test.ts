// What the listener answers by itself, before or instead of the handler.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectH2, constants } from 'node:http2'
import { test } from 'node:test'
import { undeterminedReply } from './replies.ts'
import { post, startListener, talk } from './testing.ts'

const ID = /\r\nx-amzn-RequestId: [0-9a-f-]{36}\r\nx-amz-id-2: \S{96}\r\n/

test('every answer of the listener itself carries the ids, and browsers may read it', async () => {
  const limits = { bodyBytesMax: 10, waitingMax: 0 }
  let isPressed = false
  await using listener = await startListener({
    limits,
    isPressed: () => isPressed,
    handle: () => {
      throw new Error('a defect')
    },
  })
  const close = { Connection: 'close' }
  const { port } = listener
  const withOrigin = post('x'.repeat(11), { ...close, Origin: 'https://example.com' })
  const tooLarge = await talk(port, withOrigin)
  const unexpected = await talk(port, post('', { ...close, Expect: 'cake' }))
  const failed = await talk(port, post('x', close))
  isPressed = true
  const refused = await talk(port, post('x', close))
  const answers = [tooLarge, unexpected, failed, refused]
  assert.deepEqual(
    answers.map((text) => text.slice(9, 12)),
    ['413', '417', '500', '503'],
  )
  for (const text of answers) assert.match(text, ID)
  assert.match(tooLarge, /\r\nAccess-Control-Allow-Origin: \*\r\n/)
  const session = connectH2(`http://127.0.0.1:${port}`)
  const stream = session.request({ ':method': 'POST', ':path': '/', 'content-length': '11' })
  stream.on('error', () => {})
  const [headers] = await once(stream, 'response')
  assert.equal(headers[':status'], 413)
  assert.match(headers['x-amzn-requestid'], /^[0-9a-f-]{36}$/)
  session.destroy()
})

test('CONNECT is answered as any method that is not POST, and the connection ends', async () => {
  const methods: string[] = []
  await using listener = await startListener({
    handle: async ({ method, target }) => {
      methods.push(`${method} ${target}`)
      return undeterminedReply({})
    },
  })
  const answer = await talk(
    listener.port,
    'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n',
  )
  assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\n[\s\S]*<AccessDeniedException>[\s\S]*\n$/)
  assert.match(answer, /\r\nConnection: close\r\n/)
  const session = connectH2(`http://127.0.0.1:${listener.port}`)
  session.on('error', () => {})
  const stream = session.request({
    ':method': 'CONNECT',
    [constants.HTTP2_HEADER_AUTHORITY]: 'example.com:443',
  })
  stream.on('error', () => {})
  const [headers] = await once(stream, 'response')
  assert.equal(headers[':status'], 403)
  session.destroy()
  assert.deepEqual(methods, ['CONNECT example.com:443', 'CONNECT /'])
})
