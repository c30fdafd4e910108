// Which calls of a simulated disk fail and which wait, as a test has asked for.

export type DiskOperation =
  | 'open'
  | 'rename'
  | 'remove'
  | 'makeDirectory'
  | 'list'
  | 'syncDirectory'
  | 'freeBytes'
  | 'lock'
  | 'size'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate'

/** Which calls a fault or a stall meets: all whose operation and path agree. */
export interface DiskCalls {
  readonly operations: readonly DiskOperation[]
  /** Part of the path; every path unless told. */
  readonly path?: string
}

export interface DiskFault extends DiskCalls {
  readonly code: 'EIO' | 'ENOSPC' | 'EACCES' | 'EROFS'
  /** How many calls fail; all until cleared unless told. */
  readonly times?: number
}

export class Faults {
  readonly #faults = new Set<DiskFault & { left: number }>()
  readonly #stalls = new Set<{ calls: DiskCalls; over: Promise<void> }>()

  /** Makes calls fail until the returned function is called. */
  fail(fault: DiskFault): () => void {
    const entry = { ...fault, left: fault.times ?? Number.POSITIVE_INFINITY }
    this.#faults.add(entry)
    return () => void this.#faults.delete(entry)
  }

  /** Makes calls wait until the returned function is called. */
  stall(calls: DiskCalls): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    const entry = { calls, over: promise }
    this.#stalls.add(entry)
    return () => {
      this.#stalls.delete(entry)
      resolve()
    }
  }

  /** Waits as long as this call is to be stalled. */
  async wait(operation: DiskOperation, path: string): Promise<void> {
    for (const { calls, over } of this.#stalls) if (meets(calls, operation, path)) await over
  }

  /** The error this call is to fail with, if any; counts it. */
  take(operation: DiskOperation, path: string): Error | undefined {
    for (const fault of this.#faults) {
      if (fault.left <= 0 || !meets(fault, operation, path)) continue
      fault.left--
      return diskError(fault.code, operation, path)
    }
    return undefined
  }
}

export function diskError(code: string, operation: DiskOperation, path: string): Error {
  return Object.assign(new Error(`${code}: simulated, ${operation} '${path}'`), { code })
}

function meets(calls: DiskCalls, operation: DiskOperation, path: string): boolean {
  return calls.operations.includes(operation) && path.includes(calls.path ?? '')
}
