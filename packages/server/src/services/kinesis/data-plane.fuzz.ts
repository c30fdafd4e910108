// Plays random histories against the data plane, on the local engine over a simulated disk, until the time
// is up: longer ones than the tests have, and as many as fit.
import fc from 'fast-check'
import { localKinesis, withStream } from './testing/data.ts'
import { anyHistory, DataPlane } from './testing/history.ts'

const RUNS_MAX = 1_000_000

export async function fuzz(seed: number, seconds: number): Promise<void> {
  const histories = fc.array(anyHistory, { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 9 }), histories, async (shardCount, parts) => {
      const { kinesis, restart, close } = await localKinesis()
      await withStream(kinesis, shardCount)
      await new DataPlane(kinesis, shardCount, restart).play(parts.flat())
      await close()
    }),
    { seed, numRuns: RUNS_MAX, interruptAfterTimeLimit: seconds * 1000 },
  )
}
