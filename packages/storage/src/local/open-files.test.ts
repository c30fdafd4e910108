import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@millrace/base/random'
import type { Disk, DiskFile } from '../disk.ts'
import { SimulatedDisk } from '../simulated-disk.ts'
import { OpenFiles } from './open-files.ts'
import { PageCache } from './page-cache.ts'
import { ReadBuffers } from './read-buffers.ts'

/** A disk with files 0 to 9 that counts what is open. */
async function countingDisk(): Promise<{ disk: Disk; open: Set<DiskFile>; opened: () => number }> {
  const real = new SimulatedDisk({ random: seededRandom(1) })
  for (let i = 0; i < 10; i++) await (await real.open(`/${i}`, { mode: 'create' })).close()
  const open = new Set<DiskFile>()
  let opened = 0
  const disk = Object.assign(Object.create(real) as Disk, {
    open: async (path: string, options: Parameters<Disk['open']>[1]): Promise<DiskFile> => {
      const inner = await real.open(path, options)
      const file = {
        ...inner,
        close: async (): Promise<void> => {
          assert.ok(open.delete(file), 'a file is closed once')
          await inner.close()
        },
      }
      opened++
      open.add(file)
      return file
    },
  })
  return { disk, open, opened: () => opened }
}

test('files stay open up to a number, the last used ones', async () => {
  const { disk, open, opened } = await countingDisk()
  const files = new OpenFiles(disk, 3)
  for (const path of ['/0', '/1', '/2', '/0', '/3', '/0']) await files.use(path, async () => {})
  assert.equal(opened(), 4)
  await files.use('/1', async () => {})
  assert.equal(opened(), 5)
  await files.close()
  assert.equal(open.size, 0)
})

test('a file is not closed while it is used, neither by others nor when it is forgotten', async () => {
  const { disk, open } = await countingDisk()
  const files = new OpenFiles(disk, 1)
  const { promise, resolve } = Promise.withResolvers<void>()
  let used: DiskFile | undefined
  const using = files.use('/0', async (file) => {
    used = file
    await promise
  })
  for (const path of ['/1', '/2', '/3']) await files.use(path, async () => {})
  files.forget('/0')
  assert.ok(used && open.has(used))
  resolve()
  await using
  await files.close()
  assert.equal(open.size, 0)
})

test('a file that cannot be opened is tried again the next time', async () => {
  const { disk } = await countingDisk()
  const files = new OpenFiles(disk, 3)
  await assert.rejects(
    files.use('/new', async () => {}),
    { code: 'ENOENT' },
  )
  await (await disk.open('/new', { mode: 'create' })).close()
  await files.use('/new', async () => {})
  await assert.rejects(
    files.use('/new', async () => {
      throw new Error('of the reader')
    }),
    /of the reader/,
  )
  await files.use('/new', async () => {})
  await files.close()
})

test('pages are forgotten oldest use first, and bytes never pass the bound', () => {
  const pages = new PageCache(100)
  pages.put('a', Buffer.alloc(40))
  pages.put('b', Buffer.alloc(40))
  assert.ok(pages.get('a'))
  pages.put('c', Buffer.alloc(40))
  assert.equal(pages.get('b'), undefined)
  assert.ok(pages.get('a'))
  pages.put('a', Buffer.alloc(10))
  assert.equal(pages.bytes, 50)
  pages.put('d', Buffer.alloc(101))
  assert.equal(pages.bytes, 0)
})

test('buffers are long enough, come back into use, and wait unused only up to a bound', () => {
  const buffers = new ReadBuffers(1024 * 1024)
  for (const length of [1, 4096, 4097, 65_000, 65_536, 100_000, 1_000_000, 4_194_304, 9_999_999]) {
    const buffer = buffers.take(length)
    assert.ok(buffer.length >= length)
    assert.ok(buffer.length <= Math.max(4096, length * 1.26))
    buffers.giveBack(buffer)
    assert.ok(buffers.freeBytes <= 1024 * 1024)
  }
  const before = buffers.freeBytes
  const buffer = buffers.take(65_000)
  assert.equal(buffers.freeBytes, before - buffer.length)
})
