// The process's first lines, and nothing else: what has to be set before any other code is loaded.
// The thread pool must leave room for reads beside the commits and the zeroing of files, and is sized
// when it is first used; the compile cache spares most of the start's time from the second start on.
// bin/millrace.mjs does the same in plain JavaScript and starts quicker.
import { enableCompileCache, flushCompileCache } from 'node:module'

process.env.UV_THREADPOOL_SIZE ??= '12'
enableCompileCache()

const { run } = await import('./run.ts')
await run()
// Otherwise it is written at exit, which a killed process never comes to.
setImmediate(flushCompileCache)
