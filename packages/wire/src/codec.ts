// Bytes ↔ values for one API: a body's text or bytes become typed input, output becomes a body. The steps
// are separate because the real service answers between them: parse, authenticate, types, constraints.
// Everything is compiled once per operation from its shapes; nothing is built from strings.

import { constraintMessage } from './constraint-messages.ts'
import { ConstraintChecks } from './constraints.ts'
import type { OperationContract, ServiceModel } from './contract.ts'
import { WireError } from './errors.ts'
import { payloadFault } from './payload-faults.ts'
import { parseCbor } from './protocols/cbor.ts'
import { CborSink, CborWriters, type ToCbor, writeAny } from './protocols/cbor-writer.ts'
import { JsonWriters, parseJson } from './protocols/json.ts'
import { scanPutRecords } from './protocols/put-records-scan.ts'
import { type Shape, type StructureShape, structureOf } from './shape.ts'
import { TypeReaders } from './types.ts'

export type Protocol = 'json' | 'cbor'

export interface OperationCodec<I, O> {
  /**
   * Types a parsed body, in place: from here on it is the input. Throws a SerializationException when
   * it can't be; the body is spoilt then. What base64 stands for is looked at when it is written only.
   */
  readTypes(value: Record<string, unknown>, protocol: Protocol): I
  /**
   * The SerializationException of the first data in an input that isn't base64. It comes before any other
   * answer: ask when a request ends before all its data has been written.
   */
  payloadFault(input: I): WireError | undefined
  /** Throws the ValidationException that names what the model doesn't allow. */
  checkConstraints(input: I): void
  /** The answer's body; `''` when the operation has no output. An event stream isn't part of it. */
  encode(output: O, protocol: Protocol): string | Uint8Array
  /** The payload of one event of the output's stream, by the event's name. */
  encodeEvent(name: string, event: unknown, protocol: Protocol): string | Uint8Array
}

/**
 * The object that a body holds; undefined when it can't be parsed to one. `target` is the request's
 * X-Amz-Target: with it, only that operation's codec can read the object.
 */
export function parseBody(
  protocol: Protocol,
  body: Buffer,
  target?: string,
): Record<string, unknown> | undefined {
  if (protocol === 'cbor') return parseCbor(body)
  return (target === PUT_RECORDS ? scanPutRecords(body) : undefined) ?? parseJson(body)
}

const PUT_RECORDS = 'Kinesis_20131202.PutRecords'

const codecs = new WeakMap<OperationContract<unknown, unknown>, OperationCodec<unknown, unknown>>()

/** The codec of an operation; made at the first call. */
export function codecOf<I, O>(contract: OperationContract<I, O>): OperationCodec<I, O> {
  const key = contract as OperationContract<unknown, unknown>
  let codec = codecs.get(key)
  if (codec === undefined) {
    codec = makeCodec(key)
    codecs.set(key, codec)
  }
  return codec as OperationCodec<I, O>
}

/**
 * The body of an error's answer. SerializationException alone says `Message` with a capital, as the real
 * service does; an error without a message has no member for it.
 */
export function encodeError(error: WireError, protocol: Protocol): string | Uint8Array {
  const body: Record<string, unknown> = { __type: error.type }
  if (error.message !== '') {
    body[error.type === 'SerializationException' ? 'Message' : 'message'] = error.message
  }
  Object.assign(body, error.members)
  if (protocol === 'json') return JSON.stringify(body)
  return written((sink) => writeAny(sink, body))
}

interface Compilers {
  readonly json: TypeReaders
  readonly cbor: TypeReaders
  readonly checks: ConstraintChecks
  readonly toJson: JsonWriters
  readonly toCbor: CborWriters
}

/** Operations of a service share what is compiled for the shapes they share. */
const compilers = new WeakMap<ServiceModel, Compilers>()

function compilersOf(model: ServiceModel): Compilers {
  let found = compilers.get(model)
  if (found === undefined) {
    found = {
      json: new TypeReaders('seconds'),
      cbor: new TypeReaders('milliseconds'),
      checks: new ConstraintChecks(),
      toJson: new JsonWriters(),
      toCbor: new CborWriters(),
    }
    compilers.set(model, found)
  }
  return found
}

const emptyStructure: StructureShape = {
  kind: 'structure',
  name: 'Empty',
  members: [],
  isEventStream: false,
}

function makeCodec(
  contract: OperationContract<unknown, unknown>,
): OperationCodec<unknown, unknown> {
  const { model } = contract.service
  const compiled = compilersOf(model)
  const input =
    contract.model.in === undefined ? emptyStructure : structureOf(model, contract.model.in)
  const readJson = compiled.json.of(input)
  const readCbor = compiled.cbor.of(input)
  const check = compiled.checks.of(input)
  const output =
    contract.model.out === undefined ? undefined : structureOf(model, contract.model.out)
  const events = output === undefined ? [] : eventsOf(output)

  const encodeAs = (shape: Shape, value: unknown, protocol: Protocol): string | Uint8Array => {
    if (protocol === 'json') return JSON.stringify(compiled.toJson.of(shape)(value))
    return writtenAs(compiled.toCbor.of(shape), value)
  }

  return {
    readTypes(value, protocol) {
      try {
        return protocol === 'json' ? readJson(value) : readCbor(value)
      } catch (error) {
        throw payloadFault(input, value) ?? error
      }
    },
    payloadFault: (value) => payloadFault(input, value),
    checkConstraints(value) {
      if (check === undefined || check(value)) return
      const message = constraintMessage(input, value, javaPackage(model))
      if (message === undefined) throw new Error(`${contract.name}: refused without a reason`)
      throw new WireError('ValidationException', message)
    },
    encode: (value, protocol) => (output === undefined ? '' : encodeAs(output, value, protocol)),
    encodeEvent(name, event, protocol) {
      const shape = events.find((member) => member.name === name)?.shape
      if (shape === undefined) throw new Error(`${contract.name} has no event ${name}`)
      return encodeAs(shape, event, protocol)
    },
  }
}

function eventsOf(output: StructureShape): StructureShape['members'] {
  return output.members.flatMap(({ shape }) =>
    shape.kind === 'structure' && shape.isEventStream ? shape.members : [],
  )
}

/** `com.amazonaws.kinesis.v20131202`: how the service's own classes print in messages. */
function javaPackage(model: ServiceModel): string {
  const { service, apiVersion } = model.metadata
  return `com.amazonaws.${service}.v${apiVersion.replaceAll('-', '')}`
}

const sink = new CborSink()

function writtenAs(toCbor: ToCbor, value: unknown): Uint8Array {
  return written(() => toCbor(sink, value))
}

/** One sink serves everyone: writing is synchronous. */
function written(write: (sink: CborSink) => void): Uint8Array {
  try {
    write(sink)
    return sink.take()
  } catch (error) {
    sink.drop()
    throw error
  }
}
