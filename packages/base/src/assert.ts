// What must hold, or the program is wrong. A broken assertion is never answered to a client as its
// own mistake: the dispatcher turns it into InternalFailure and logs it.

export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}
