// One API operation: its contract, and what it means. `operation()` takes its types from the contract,
// so a missing output member is a type error. What the wire owes (codec, constraints, signature,
// policy, metrics, audit) has happened before the handler runs, or happens after it.
import type { MaybePromise } from '@millrace/storage/engine'
import type { OperationContract, ServiceContract } from '@millrace/wire/contract'

/** What is known of the caller and the moment, apart from the input. */
export interface RequestContext {
  readonly requestId: string
  /** 12 digits. */
  readonly account: string
  readonly region: string
  readonly accessKeyId: string
  /** What is asked for, e.g. `PutRecord`. */
  readonly operation: string
  /** Service time when the request was taken up, ms. */
  readonly nowMs: number
}

export interface Call<I> {
  readonly input: I
  readonly context: RequestContext
}

/**
 * An answer that a hot operation has shaped by hand; it must equal what the model's encoder would
 * write. Bytes aren't copied on their way to the socket: nobody writes to them again.
 */
export interface PreparedReply {
  readonly isPrepared: true
  encode(protocol: 'json' | 'cbor'): string | Uint8Array
}

/** An answer that goes on: an event stream. Its chunks are pulled as the socket drains. */
export interface StreamedReply {
  readonly isStreamed: true
  /** As answered, e.g. `application/vnd.amazon.eventstream`. */
  readonly contentType: string
  open(protocol: 'json' | 'cbor'): AsyncIterable<Uint8Array>
}

export type Handler<I, O, D> = (
  call: Call<I>,
  parts: D,
) => MaybePromise<O | PreparedReply | StreamedReply>

export interface Operation<D> {
  readonly contract: OperationContract<unknown, unknown>
  run(call: Call<unknown>, parts: D): MaybePromise<unknown>
}

export function operation<I, O, D>(
  contract: OperationContract<I, O>,
  run: Handler<I, O, D>,
): Operation<D> {
  return {
    contract: contract as OperationContract<unknown, unknown>,
    run: run as Handler<unknown, unknown, D>,
  }
}

/** A service as the dispatcher sees it: its contract, and the operations that are built. */
export interface Service {
  readonly contract: ServiceContract
  /** By operation name. An operation of the contract that isn't here is not built yet. */
  readonly operations: ReadonlyMap<string, (call: Call<unknown>) => MaybePromise<unknown>>
}

/** Joins the operations with the parts they work on. */
export function service<D>(
  contract: ServiceContract,
  operations: readonly Operation<D>[],
  parts: D,
): Service {
  return {
    contract,
    operations: new Map(
      operations.map((each) => [each.contract.name, (call) => each.run(call, parts)]),
    ),
  }
}
