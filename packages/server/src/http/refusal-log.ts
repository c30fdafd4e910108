// What is logged when storage can't take requests: a full disk refuses each one, and a line for each,
// with its stack, would fill the disk that logs are on. One line a second per reason says the same.
import type { Clock } from '@millrace/base/clock'
import type { Logger } from '@millrace/base/logger'
import type { StorageError } from '@millrace/storage/engine'

const EVERY_MS = 1000

interface Logged {
  atMs: number
  leftOut: number
}

export class RefusalLog {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #byCode = new Map<string, Logged>()

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock
    this.#logger = logger
  }

  /** `requestId` undefined: it was no API request. */
  refused({ code, message }: StorageError, requestId: string | undefined): void {
    const nowMs = this.#clock.monotonicMs()
    const last = this.#byCode.get(code)
    if (last !== undefined && nowMs - last.atMs < EVERY_MS) {
      last.leftOut++
      return
    }
    this.#byCode.set(code, { atMs: nowMs, leftOut: 0 })
    this.#logger.warn('storage refused a request', {
      ...(requestId === undefined ? {} : { requestId }),
      code,
      reason: message,
      ...(last === undefined || last.leftOut === 0 ? {} : { leftOut: last.leftOut }),
    })
  }
}
