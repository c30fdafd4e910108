import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReplyParser } from './reply-parser.ts'

const replies = {
  length: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello',
  chunks:
    'HTTP/1.1 400 Bad\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=1\r\nlo\r\n0\r\n\r\n',
}

function collector() {
  const seen: { status: number; body: string }[] = []
  const parser = new ReplyParser((status, body) => seen.push({ status, body: body.toString() }))
  return { seen, parser }
}

for (const [name, text] of Object.entries(replies)) {
  test(`a reply by ${name} arrives whole however the bytes are cut`, () => {
    for (let step = 1; step <= text.length; step++) {
      const { seen, parser } = collector()
      for (let round = 0; round < 2; round++) {
        for (let at = 0; at < text.length; at += step) {
          parser.push(Buffer.from(text.slice(at, at + step)))
        }
      }
      const one = { status: name === 'length' ? 200 : 400, body: 'hello' }
      assert.deepEqual(seen, [one, one])
    }
  })
}

test('a reply without a length ends with its connection', () => {
  const { seen, parser } = collector()
  parser.push(Buffer.from('HTTP/1.0 200 OK\r\n\r\nhel'))
  parser.push(Buffer.from('lo'))
  assert.deepEqual(seen, [])
  assert.equal(parser.closes, true)
  assert.equal(parser.end(), true)
  assert.deepEqual(seen, [{ status: 200, body: 'hello' }])
})

test('a connection that ends within a reply says so', () => {
  const { parser } = collector()
  parser.push(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel'))
  assert.equal(parser.end(), false)
})

test('what is not HTTP is refused', () => {
  const { parser } = collector()
  assert.throws(() => parser.push(Buffer.from('SSH-2.0\r\n\r\n')), /not an HTTP reply/)
})

test('bytes behind a reply are refused', () => {
  const { parser } = collector()
  assert.throws(() => parser.push(Buffer.from(`${replies.length}!`)), /behind the end/)
})
