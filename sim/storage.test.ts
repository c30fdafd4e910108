// A short run of the storage simulation, the same every time; `npm run sim` plays more.
import { test } from 'node:test'
import { cutEverywhere, randomHistory } from './storage/history.ts'

for (let seed = 1; seed <= 6; seed++) {
  test(`storage keeps its promises through processes and their ends, seed ${seed}`, async () => {
    await randomHistory(seed)
  })
}

test('storage keeps its promises when it is cut at any step', async () => {
  await cutEverywhere(2, 29)
})
