import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '@millrace/base/logger'
import { seededRandom } from '@millrace/base/random'
import { SimulatedDisk } from '../simulated-disk.ts'
import { journalPath } from './journal-file.ts'
import { NextFile } from './next-file.ts'

async function nextFile(): Promise<{ disk: SimulatedDisk; next: NextFile }> {
  const disk = new SimulatedDisk({ random: seededRandom(1) })
  await disk.makeDirectory('/journal')
  const next = new NextFile({
    disk,
    directory: '/journal',
    random: seededRandom(2),
    logger: silentLogger,
    isSynced: true,
    fileBytesMax: 64 * 1024,
    sparesMax: 1,
    reserveBytes: () => 4096,
    spares: [],
    isFull: () => false,
  })
  return { disk, next }
}

test('a ready file has its name and its space, durable before it is taken', async () => {
  const { disk, next } = await nextFile()
  await Promise.all([next.prepare(3), next.prepare(3)])
  assert.ok(next.isReady)
  const after = disk.afterPowerCut()
  const file = await next.take(3)
  assert.equal(file.sequence, 3)
  assert.equal(after.files().get(journalPath('/journal', 3)), file.sizeBytes)
})

test('a file that was taken is not made ready a second time', async () => {
  const { next } = await nextFile()
  await next.take(3)
  await next.prepare(3)
  assert.ok(!next.isReady)
  assert.equal((await next.take(4)).sequence, 4)
})

test('a file whose beginning failed can be taken again', async () => {
  const { disk, next } = await nextFile()
  const first = await next.take(3)
  await first.writer?.close()
  await first.plain.close()
  await disk.remove(first.path)
  const second = await next.take(3)
  assert.equal(second.path, first.path)
  assert.notEqual(second.generation, first.generation)
})
