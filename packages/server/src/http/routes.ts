// Which operation a request means. The JSON services name it in `X-Amz-Target`
// (`Kinesis_20131202.PutRecord`); all targets are known at the start, so a request costs one lookup.
import type { MaybePromise } from '@millrace/storage/engine'
import { codecOf, type OperationCodec, type Protocol } from '@millrace/wire/codec'
import type { OperationContract, OperationModel } from '@millrace/wire/contract'
import type { Call, Service } from '../platform/operation.ts'

export interface Route {
  readonly service: string
  readonly operation: string
  /** The service's name in a credential scope. */
  readonly signingName: string
  readonly model: OperationModel
  /** Made at first use: compiling all of them would cost time at the start. */
  codec(): OperationCodec<unknown, unknown>
  /** undefined: the operation is known but not built yet. */
  readonly run: ((call: Call<unknown>) => MaybePromise<unknown>) | undefined
}

export type Routes = ReadonlyMap<string, Route>

export function routesOf(services: readonly Service[]): Routes {
  const routes = new Map<string, Route>()
  for (const { contract, operations } of services) {
    const { metadata } = contract.model
    for (const [operation, model] of Object.entries(contract.model.operations)) {
      const operationContract: OperationContract<unknown, unknown> = {
        service: contract,
        name: operation,
        model,
      }
      let codec: OperationCodec<unknown, unknown> | undefined
      routes.set(`${metadata.targetPrefix}.${operation}`, {
        service: contract.name,
        operation,
        signingName: metadata.signingName ?? contract.name,
        model,
        codec: () => {
          codec ??= codecOf(operationContract)
          return codec
        },
        run: operations.get(operation),
      })
    }
  }
  return routes
}

/** What the body is written in, by media type; these are the types that AWS's JSON 1.1 services take. */
export const PROTOCOLS: ReadonlyMap<string, Protocol> = new Map([
  ['application/x-amz-json-1.1', 'json'],
  ['application/x-amz-cbor-1.1', 'cbor'],
])

export const LEGACY_MEDIA_TYPE = 'application/json'

/** The media type without parameters and blanks: `application/x-amz-json-1.1 ;charset=x`. */
export function mediaType(header: string | undefined): string {
  if (header === undefined) return ''
  if (PROTOCOLS.has(header)) return header
  const end = header.indexOf(';')
  return (end < 0 ? header : header.slice(0, end)).trim().toLowerCase()
}

/** Whether a target names a service and an operation, known or not. */
export function isWholeTarget(target: string | undefined): boolean {
  if (target === undefined) return false
  const dot = target.indexOf('.')
  return dot > 0 && dot < target.length - 1
}

/** The path of a request target, which may be a whole URL, without its query. */
export function pathOf(target: string): string {
  let from = 0
  if (target.charCodeAt(0) !== 0x2f) {
    const authority = target.indexOf('://')
    if (authority < 0) return target
    from = target.indexOf('/', authority + 3)
    if (from < 0) return '/'
  }
  const query = target.indexOf('?', from)
  return query < 0 ? target.slice(from) : target.slice(from, query)
}
