// Real time for sockets: how long a peer may be silent, how long a stop may wait. It has nothing to do
// with service time (a tester's clock must not close connections), and timers enter http/ here only.

/** Runs `due` once after `ms` real milliseconds; returns what cancels it. Keeps no process alive. */
export function after(ms: number, due: () => void): () => void {
  const timer = setTimeout(due, ms)
  timer.unref()
  return () => clearTimeout(timer)
}
