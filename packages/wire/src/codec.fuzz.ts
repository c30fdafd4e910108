// Throws bodies at every operation: random bytes, valid bodies with bytes changed, cut, doubled and moved.
// Whatever comes in, an object comes out, or nothing, or a WireError; what is read from JSON and from CBOR
// alike passes its checks or says why not.
import fc from 'fast-check'
import { codecOf, type Protocol, parseBody } from './codec.ts'
import type { OperationContract } from './contract.ts'
import { WireError } from './errors.ts'
import { CborSink, CborWriters } from './protocols/cbor-writer.ts'
import { JsonWriters } from './protocols/json.ts'
import { kinesis } from './services/kinesis.ts'
import { structureOf } from './shape.ts'
import { valuesOf } from './testing/values.ts'

const { service, ...contracts } = kinesis
const operations = Object.values(contracts) as readonly OperationContract<unknown, unknown>[]
const toJson = new JsonWriters()
const toCbor = new CborWriters()

/** Bodies of one round; many, so that operations are warmed up seldom. */
const BODIES_A_ROUND = 200

export async function fuzz(seed: number, seconds: number): Promise<void> {
  const until = Date.now() + seconds * 1000
  for (let round = 0; Date.now() < until; round++) {
    const contract = operations[(seed + round) % operations.length] as (typeof operations)[number]
    fuzzOperation(contract, (seed + round) | 0, BODIES_A_ROUND)
  }
}

/** Some bodies for one operation. Throws what it finds, with the body as it came. */
export function fuzzOperation(
  contract: OperationContract<unknown, unknown>,
  seed: number,
  bodies: number,
): void {
  fc.assert(
    fc.property(bodiesOf(contract), ([protocol, body]) => {
      feed(contract, protocol, body)
    }),
    { seed, numRuns: bodies },
  )
}

function feed(
  contract: OperationContract<unknown, unknown>,
  protocol: Protocol,
  body: Buffer,
): void {
  const codec = codecOf(contract)
  const value = parseBody(protocol, body)
  if (value === undefined) return
  try {
    codec.checkConstraints(codec.readTypes(value, protocol))
  } catch (error) {
    if (error instanceof WireError && error.message !== '') return
    throw new Error(`${contract.name}, ${protocol}: ${body.toString('hex')}`, { cause: error })
  }
}

function bodiesOf(
  contract: OperationContract<unknown, unknown>,
): fc.Arbitrary<readonly [Protocol, Buffer]> {
  const shape = structureOf(service.model, contract.model.in ?? '')
  const protocols = fc.constantFrom<Protocol>('json', 'cbor')
  const random = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
  const valid = fc.tuple(protocols, valuesOf(shape)).map(([protocol, value]) => {
    if (protocol === 'json') return [protocol, Buffer.from(JSON.stringify(toJson.of(shape)(value)))]
    const sink = new CborSink()
    toCbor.of(shape)(sink, value)
    return [protocol, Buffer.from(sink.take())]
  }) as fc.Arbitrary<[Protocol, Buffer]>
  const changes = fc.array(changesOf(), { maxLength: 6 })
  return fc.oneof(
    { weight: 1, arbitrary: fc.tuple(protocols, random) },
    {
      weight: 8,
      arbitrary: fc.tuple(valid, changes).map(([[protocol, body], list]) => {
        return [protocol, list.reduce((changed, change) => change(changed), body)] as const
      }),
    },
  )
}

/** One change of a body; places are given as fractions of its length. */
function changesOf(): fc.Arbitrary<(body: Buffer) => Buffer> {
  const place = fc.double({ min: 0, max: 1, noNaN: true })
  const at = (body: Buffer, where: number): number => Math.floor(where * body.length)
  const interesting = fc.constantFrom(0x00, 0x1b, 0x5f, 0x7f, 0x9f, 0xbf, 0xc1, 0xf6, 0xfb, 0xff)
  const characters = fc
    .constantFrom(...'"\\{}[]:,-0159.eEtfn=+/ ')
    .map((each) => each.charCodeAt(0))
  return fc.oneof(
    fc.tuple(place, fc.oneof(interesting, characters, fc.nat(255))).map(([where, byte]) => {
      return (body: Buffer) => {
        const changed = Buffer.from(body)
        if (body.length > 0) changed[Math.min(at(body, where), body.length - 1)] = byte
        return changed
      }
    }),
    fc.tuple(place, place).map(([from, to]) => {
      return (body: Buffer) =>
        Buffer.concat([body.subarray(0, at(body, from)), body.subarray(at(body, to))])
    }),
    fc.tuple(place, fc.uint8Array({ maxLength: 9 })).map(([where, bytes]) => {
      return (body: Buffer) =>
        Buffer.concat([body.subarray(0, at(body, where)), bytes, body.subarray(at(body, where))])
    }),
  )
}
