// The process's first lines, and nothing else: what has to be set before any other code is loaded.
// The thread pool must leave room for reads beside the commits and the zeroing of files, and is sized
// when it is first used; the compile cache spares most of the start's time from the second start on.
import { enableCompileCache } from 'node:module'

process.env.UV_THREADPOOL_SIZE ??= '12'
enableCompileCache()

const { run } = await import('./run.ts')
await run()
