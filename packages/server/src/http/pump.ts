// Carries an event stream's chunks to a socket: the next one is pulled only when the socket has taken
// the last, so nothing gathers in between. When the peer goes away, or the server stops, the iterator is
// told at once (`return`), also while it waits for its next chunk.
import type { Writable } from 'node:stream'

export interface Pumping {
  /** Ends the stream in good order; what was pulled has been written. */
  stop(): void
  /** Settles when the last chunk has been handed over; rejects with what the iterator threw. */
  readonly done: Promise<void>
}

export function pump(chunks: AsyncIterable<Uint8Array>, out: Writable): Pumping {
  const iterator = chunks[Symbol.asyncIterator]()
  let isStopped = false
  let wake = (): void => {}
  const stop = (): void => {
    if (isStopped) return
    isStopped = true
    wake()
    // A generator that waits answers only when it is resumed; nobody has to wait for that.
    iterator.return?.().then(undefined, () => {})
  }
  // Each wait has its own promise: a race against one long-lived promise would gather reactions on it.
  const nextChunk = (): Promise<Uint8Array | undefined> =>
    new Promise((resolve, reject) => {
      wake = () => resolve(undefined)
      iterator.next().then(({ done, value }) => resolve(done ? undefined : value), reject)
    })
  const drained = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve
      out.once('drain', resolve)
    })
  const carry = async (): Promise<void> => {
    out.once('close', stop)
    try {
      while (!isStopped) {
        const chunk = await nextChunk()
        if (chunk === undefined || isStopped) break
        if (!out.write(chunk)) await drained()
      }
    } finally {
      out.off('close', stop)
      isStopped = true
    }
    if (!out.destroyed) out.end()
  }
  return { stop, done: carry() }
}
