// A service's shapes with their references resolved: what the compiled readers, checks and encoders are
// made from. Linking happens once per service; recursive shapes link to themselves.
import type { MemberModel, ServiceModel, ShapeModel } from './contract.ts'

export type Shape =
  | StringShape
  | NumberShape
  | BooleanShape
  | TimestampShape
  | BlobShape
  | ListShape
  | MapShape
  | StructureShape

export interface StringShape {
  readonly kind: 'string'
  readonly name: string
  readonly lengthMin: number | undefined
  readonly lengthMax: number | undefined
  readonly pattern: string | undefined
  readonly values: readonly string[] | undefined
}

export interface NumberShape {
  readonly kind: 'integer' | 'long' | 'double' | 'float'
  readonly name: string
  readonly min: number | undefined
  readonly max: number | undefined
}

export interface BooleanShape {
  readonly kind: 'boolean'
  readonly name: string
}

export interface TimestampShape {
  readonly kind: 'timestamp'
  readonly name: string
}

export interface BlobShape {
  readonly kind: 'blob'
  readonly name: string
  readonly lengthMin: number | undefined
  readonly lengthMax: number | undefined
}

export interface ListShape {
  readonly kind: 'list'
  readonly name: string
  readonly item: Shape
  readonly lengthMin: number | undefined
  readonly lengthMax: number | undefined
}

export interface MapShape {
  readonly kind: 'map'
  readonly name: string
  readonly key: Shape
  readonly value: Shape
  readonly lengthMin: number | undefined
  readonly lengthMax: number | undefined
}

export interface StructureShape {
  readonly kind: 'structure'
  readonly name: string
  /** In the model's order. */
  readonly members: readonly Member[]
  readonly isEventStream: boolean
}

export interface Member {
  readonly name: string
  readonly shape: Shape
  readonly isRequired: boolean
}

const linked = new WeakMap<ServiceModel, Map<string, Shape>>()

/** The linked shape of that name; throws when the model has none. */
export function shapeOf(model: ServiceModel, name: string): Shape {
  let shapes = linked.get(model)
  if (shapes === undefined) {
    shapes = new Map()
    linked.set(model, shapes)
  }
  return link(model, shapes, name)
}

/** The linked structure of that name; throws when the model has none, or another kind. */
export function structureOf(model: ServiceModel, name: string): StructureShape {
  const shape = shapeOf(model, name)
  if (shape.kind !== 'structure') throw new Error(`shape ${name} is a ${shape.kind}`)
  return shape
}

function link(model: ServiceModel, shapes: Map<string, Shape>, name: string): Shape {
  const known = shapes.get(name)
  if (known !== undefined) return known
  const source = model.shapes[name]
  if (source === undefined) throw new Error(`${model.metadata.service} has no shape ${name}`)
  return compose(model, shapes, name, typeof source === 'string' ? { type: source } : source)
}

function compose(
  model: ServiceModel,
  shapes: Map<string, Shape>,
  name: string,
  source: Exclude<ShapeModel, string>,
): Shape {
  const keep = <S extends Shape>(shape: S): S => {
    shapes.set(name, shape)
    return shape
  }
  switch (source.type) {
    case 'string':
      return keep({
        kind: 'string',
        name,
        lengthMin: source.min,
        lengthMax: source.max,
        pattern: source.pattern,
        values: source.enum,
      })
    case 'integer':
    case 'long':
    case 'double':
    case 'float':
      return keep({ kind: source.type, name, min: source.min, max: source.max })
    case 'boolean':
    case 'timestamp':
      return keep({ kind: source.type, name })
    case 'blob':
      return keep({ kind: 'blob', name, lengthMin: source.min, lengthMax: source.max })
    case 'list': {
      const bounds = { lengthMin: source.min, lengthMax: source.max }
      return laterLinked(keep, { kind: 'list', name, ...bounds } as ListShape, (list) => {
        Object.assign(list, { item: link(model, shapes, shapeName(source.of)) })
      })
    }
    case 'map': {
      const bounds = { lengthMin: source.min, lengthMax: source.max }
      return laterLinked(keep, { kind: 'map', name, ...bounds } as MapShape, (map) => {
        Object.assign(map, {
          key: link(model, shapes, shapeName(source.key)),
          value: link(model, shapes, shapeName(source.value)),
        })
      })
    }
    case 'structure': {
      const members: Member[] = []
      const shape = keep({
        kind: 'structure',
        name,
        members,
        isEventStream: source.eventstream === true,
      } satisfies StructureShape)
      for (const [member, reference] of Object.entries(source.members)) {
        // Readers look members up by name on objects that have Object.prototype.
        if (member in Object.prototype) throw new Error(`${name} has a member ${member}`)
        members.push({
          name: member,
          shape: link(model, shapes, shapeName(reference)),
          isRequired: source.required?.includes(member) ?? false,
        })
      }
      return shape
    }
  }
}

/** Registers a shape before what it refers to is linked, so that it may refer to itself. */
function laterLinked<S extends Shape>(
  keep: (shape: S) => S,
  shape: S,
  complete: (shape: S) => void,
): S {
  keep(shape)
  complete(shape)
  return shape
}

function shapeName(reference: string | MemberModel): string {
  return typeof reference === 'string' ? reference : reference.shape
}
