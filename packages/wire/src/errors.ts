// What a service answers when it can't do what was asked: the wire's one kind of expected error. The
// type is the short name clients match on; status and fault follow from the model unless given.

export class WireError extends Error {
  override readonly name = 'WireError'
  /** Short name as in `__type`, e.g. `ResourceNotFoundException`. */
  readonly type: string
  readonly status: number
  /** Further members of the error's shape, beside its message. */
  readonly members: Readonly<Record<string, unknown>> | undefined

  /** `message` undefined means that AWS sends none for this error. */
  constructor(
    type: string,
    message: string | undefined,
    options: {
      status?: number
      members?: Readonly<Record<string, unknown>>
      cause?: unknown
    } = {},
  ) {
    super(message ?? '', options.cause === undefined ? undefined : { cause: options.cause })
    this.type = type
    this.status = options.status ?? STATUS[type] ?? 400
    this.members = options.members
  }
}

/** Types that aren't the client's fault, or have a status of their own. Everything else is 400. */
const STATUS: Readonly<Record<string, number>> = {
  InternalFailure: 500,
  InternalFailureException: 500,
  ServiceUnavailable: 503,
  ServiceUnavailableException: 503,
}
