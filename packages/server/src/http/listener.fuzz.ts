// Throws bytes at the socket entrance: garbage, HTTP/1.1 and HTTP/2 with things wrong in them, TLS cut
// anywhere, bodies that don't come. Whatever is sent, the server lives on, holds nothing afterwards,
// answers the next good request, and never says InternalFailure.
//
// `node packages/server/src/http/listener.fuzz.ts --seed N [--seconds S]`
import { strict as assert } from 'node:assert'
import { constants } from 'node:http2'
import { parseArgs } from 'node:util'
import { ServiceClock } from '@millrace/base/clock'
import { type Random, seededRandom } from '@millrace/base/random'
import { kinesis } from '@millrace/wire/services/kinesis'
import { createAccess } from '../access/access.ts'
import { operation, service } from '../platform/operation.ts'
import { noFaults, noObserver } from '../platform/ports.ts'
import { createDispatcher } from './dispatcher.ts'
import { toHttpRequest } from './inject.ts'
import { LISTENER_LIMITS } from './listener-limits.ts'
import { after } from './socket-time.ts'
import { dial, post, recordingLogger, startListener, talk, until } from './testing.ts'

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
/** How many peers misbehave at the same time. */
const PEERS = 100

export async function fuzz(seed: number, seconds: number): Promise<void> {
  const random = seededRandom(seed)
  const clock = new ServiceClock()
  const logger = recordingLogger()
  const put = operation(kinesis.PutRecord, () => ({ ShardId: 's', SequenceNumber: '1' }))
  const dispatch = createDispatcher({
    services: [service(kinesis.service, [put], undefined)],
    access: createAccess({ mode: 'open', account: '000000000000', clock }),
    clock,
    random,
    logger,
    observe: noObserver,
    faults: noFaults,
    controls: () => undefined,
  })
  const limits = {
    ...LISTENER_LIMITS,
    bodyBytesMax: 4096,
    silenceMs: 50,
    headMs: 50,
    requestMs: 50,
    keepAliveMs: 20,
    stallMs: 50,
    sessionIdleMs: 50,
  }
  await using listener = await startListener({ handle: dispatch, logger, limits })
  const untilMs = clock.monotonicMs() + seconds * 1000
  let rounds = 0
  while (clock.monotonicMs() < untilMs) {
    const heard = await Promise.all(
      Array.from({ length: PEERS }, () => misbehave(listener.port, random)),
    )
    for (const text of heard) assert.doesNotMatch(text, /InternalFailure/)
    assert.deepEqual(logger.errors, [])
    rounds++
  }
  await until(() => {
    const { connectionsOpen, requestsInFlight, bodyBytesHeld } = listener.metrics()
    return connectionsOpen + requestsInFlight + bodyBytesHeld === 0
  })
  assert.match(await talk(listener.port, goodRequest('close')), /"ShardId":"s"/)
  assert.ok(rounds > 0)
}

/** One peer's life; resolves with what the server said to it. */
async function misbehave(port: number, random: Random): Promise<string> {
  const socket = await dial(port)
  let seen = ''
  socket.setEncoding('latin1')
  socket.on('data', (chunk) => {
    seen += chunk
  })
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  const bytes = mutated(pick(random, MAKERS)(random), random)
  for (let at = 0; at < bytes.byteLength && !socket.destroyed; ) {
    const length = random.integer(4) === 0 ? random.integer(20) + 1 : bytes.byteLength
    socket.write(bytes.subarray(at, at + length))
    at += length
    if (random.integer(3) === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  const leave = random.integer(4)
  if (leave === 0) socket.destroy()
  else if (leave === 1) socket.resetAndDestroy()
  else if (leave === 2) socket.end()
  // Those who stay silent are the server's to cut; that it does so is part of what is tested.
  const cancel = after(5000, () => socket.emit('error', new Error('the server let a peer stay')))
  await closed
  cancel()
  return seen
}

type Maker = (random: Random) => Buffer

const MAKERS: readonly Maker[] = [
  (random) => noise(random, random.integer(300)),
  () => Buffer.from(goodRequest('keep-alive')),
  (random) => Buffer.from(goodRequest('keep-alive').repeat(1 + random.integer(5))),
  (random) => Buffer.from(post('x'.repeat(random.integer(9000)))),
  (random) => Buffer.concat([Buffer.from([0x16, 3, 1]), noise(random, random.integer(400))]),
  (random) =>
    Buffer.from(`POST ${noise(random, 30).toString('latin1')} HTTP/1.1\r\n\r\n`, 'latin1'),
  (random) =>
    Buffer.from(
      `POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${random.integer(99).toString(16)}\r\n${'x'.repeat(random.integer(99))}\r\n0\r\n\r\n`,
    ),
  (random) =>
    Buffer.concat([
      PREFACE,
      frame(constants.NGHTTP2_FLAG_NONE, 4, 0, Buffer.alloc(0)),
      ...Array.from({ length: random.integer(10) }, () =>
        frame(
          random.integer(256),
          random.integer(12),
          random.integer(8),
          noise(random, random.integer(80)),
        ),
      ),
    ]),
  (random) => Buffer.concat([PREFACE, noise(random, random.integer(300))]),
]

function goodRequest(connection: string): string {
  const { headers, body } = toHttpRequest({
    operation: 'PutRecord',
    body: { StreamName: 'orders', PartitionKey: 'k', Data: 'aGk=' },
    // `post` writes these two itself.
    headers: { host: undefined, 'content-length': undefined },
  })
  const known = Object.entries(headers).filter(([, value]) => value !== undefined)
  const fields = Object.fromEntries(known) as Record<string, string>
  return post(body.toString(), { ...fields, connection })
}

function frame(flags: number, type: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.byteLength, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** Some bytes changed, dropped, doubled or put in; half of the time none. */
function mutated(bytes: Buffer, random: Random): Buffer {
  let result = bytes
  for (let changes = random.integer(2) * random.integer(6); changes > 0; changes--) {
    const at = random.integer(result.byteLength + 1)
    const length = random.integer(8)
    const middle = pick(random, [
      () => noise(random, length),
      () => Buffer.alloc(0),
      () => result.subarray(at, at + length * 2),
    ])()
    result = Buffer.concat([result.subarray(0, at), middle, result.subarray(at + length)])
  }
  return result
}

function noise(random: Random, length: number): Buffer {
  return random.fill(Buffer.alloc(length))
}

function pick<T>(random: Random, from: readonly T[]): T {
  const found = from[random.integer(from.length)]
  assert.ok(found !== undefined)
  return found
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { seed: { type: 'string' }, seconds: { type: 'string' } },
  })
  const seed = Number(values.seed ?? 1)
  console.log(`seed ${seed}`)
  await fuzz(seed, Number(values.seconds ?? 10))
}
