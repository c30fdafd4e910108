// An API as data. `models/*.json` hold the operations, shapes, constraints and errors; the generated
// `services/*.ts` give them types; this file is the form both share and the door to a loaded model.

/** A scalar without constraints is just its name. */
export type ShapeModel = ScalarName | ScalarModel | StructureModel | ListModel | MapModel

export type ScalarName =
  | 'string'
  | 'integer'
  | 'long'
  | 'boolean'
  | 'double'
  | 'float'
  | 'timestamp'
  | 'blob'

export interface ScalarModel {
  readonly type: ScalarName
  readonly min?: number
  readonly max?: number
  readonly pattern?: string
  readonly enum?: readonly string[]
}

export interface StructureModel {
  readonly type: 'structure'
  readonly members: Readonly<Record<string, string | MemberModel>>
  readonly required?: readonly string[]
  readonly payload?: string
  readonly error?: boolean
  readonly status?: number
  readonly code?: string
  readonly fault?: 'server'
  readonly eventstream?: boolean
}

export interface MemberModel {
  readonly shape: string
  readonly loc?: 'uri' | 'header' | 'headers' | 'querystring' | 'statusCode'
  readonly name?: string
  readonly event?: boolean
}

export interface ListModel {
  readonly type: 'list'
  readonly of: string | MemberModel
  readonly min?: number
  readonly max?: number
}

export interface MapModel {
  readonly type: 'map'
  readonly key: string | MemberModel
  readonly value: string | MemberModel
  readonly min?: number
  readonly max?: number
}

export interface OperationModel {
  readonly http?: string
  readonly in?: string
  readonly out?: string
  readonly errors?: readonly string[]
  readonly op?: string
}

export interface ServiceModel {
  readonly metadata: {
    readonly service: string
    /** What the model was derived from. */
    readonly source: string
    readonly protocol: string
    readonly targetPrefix?: string
    readonly apiVersion: string
    readonly signingName?: string
    readonly [name: string]: unknown
  }
  readonly operations: Readonly<Record<string, OperationModel>>
  readonly shapes: Readonly<Record<string, ShapeModel>>
}

/**
 * One operation of an API. `I` and `O` exist for the type checker alone: inputs as the codec gives
 * them (blobs are `Payload`, timestamps are milliseconds), outputs as the codec takes them.
 */
export interface OperationContract<I, O> {
  readonly service: ServiceContract
  readonly name: string
  readonly model: OperationModel
  readonly types?: { readonly input: I; readonly output: O }
}

export interface ServiceContract {
  readonly name: string
  readonly model: ServiceModel
}

/** The named operation of a service; generated tables are made of these. */
export function operationContract<I, O>(
  service: ServiceContract,
  name: string,
): OperationContract<I, O> {
  const model = service.model.operations[name]
  if (model === undefined) throw new Error(`${service.name} has no operation ${name}`)
  return { service, name, model }
}
