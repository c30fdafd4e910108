import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@millrace/base/random'
import fc from 'fast-check'
import type { Disk, DiskFile } from './disk.ts'
import { type DiskStep, SimulatedDisk, type SimulatedDiskOptions } from './simulated-disk.ts'

const SEEDS = Array.from({ length: 60 }, (_, seed) => seed)

function diskOf(seed: number, options: Partial<SimulatedDiskOptions> = {}): SimulatedDisk {
  return new SimulatedDisk({ random: seededRandom(seed), writeBackEvery: 0, ...options })
}

async function make(disk: Disk, path: string, isSynced = false): Promise<DiskFile> {
  return await disk.open(path, { mode: 'create', isSynced })
}

function write(file: DiskFile, text: string, position: number): Promise<void> {
  return file.write(Buffer.from(text), 0, Buffer.byteLength(text), position)
}

async function contents(disk: Disk, path: string): Promise<string> {
  const file = await disk.open(path, { mode: 'read' })
  const target = Buffer.alloc(await file.size())
  assert.equal(await file.read(target, 0, target.length, 0), target.length)
  await file.close()
  return target.toString('latin1')
}

async function contentsOrNone(disk: Disk, path: string): Promise<string | undefined> {
  return contents(disk, path).catch((error: { code?: string }) => {
    assert.equal(error.code, 'ENOENT')
    return undefined
  })
}

/** What a property of crashes gives over all seeds: each outcome that was seen. */
async function outcomes(run: (seed: number) => Promise<string | undefined>): Promise<Set<string>> {
  const seen = new Set<string>()
  for (const seed of SEEDS) seen.add((await run(seed)) ?? 'absent')
  return seen
}

const sector = (letter: string): string => letter.repeat(512)

test('a running system reads what was written, synced or not', async () => {
  const disk = diskOf(1)
  await disk.makeDirectory('/data/inner')
  const file = await make(disk, '/data/inner/file')
  await write(file, 'hello', 3)
  assert.equal(await contents(disk, '/data/inner/file'), '\0\0\0hello')
  await file.truncate(5)
  await file.truncate(7)
  assert.equal(await contents(disk, '/data/inner/file'), '\0\0\0he\0\0')
  assert.deepEqual(await disk.list('/data'), ['inner'])
  await disk.rename('/data/inner/file', '/data/moved')
  assert.deepEqual(await disk.list('/data'), ['inner', 'moved'])
  await disk.remove('/data/inner')
  await assert.rejects(disk.remove('/data'), { code: 'ENOTEMPTY' })
  await disk.remove('/data/moved')
  assert.deepEqual(await disk.list('/data'), [])
})

test('errors have the codes of a real disk', async () => {
  const disk = diskOf(1)
  await disk.makeDirectory('/data')
  const file = await make(disk, '/data/file')
  await file.close()
  await assert.rejects(make(disk, '/data/file'), { code: 'EEXIST' })
  await assert.rejects(make(disk, '/none/file'), { code: 'ENOENT' })
  await assert.rejects(disk.open('/data/none', { mode: 'write' }), { code: 'ENOENT' })
  await assert.rejects(disk.list('/none'), { code: 'ENOENT' })
  await assert.rejects(disk.rename('/data/none', '/data/x'), { code: 'ENOENT' })
  await assert.rejects(disk.remove('/data/none'), { code: 'ENOENT' })
  await assert.rejects(write(file, 'x', 0), { code: 'EBADF' })
  const reader = await disk.open('/data/file', { mode: 'read' })
  await assert.rejects(write(reader, 'x', 0), { code: 'EBADF' })
})

test('a power cut keeps what was synced, with its name', async () => {
  for (const seed of SEEDS) {
    const disk = diskOf(seed)
    await disk.makeDirectory('/data')
    await disk.syncDirectory('/')
    const file = await make(disk, '/data/file')
    await write(file, 'kept', 0)
    await file.sync()
    await disk.syncDirectory('/data')
    const after = disk.crash()
    assert.equal(await contents(after, '/data/file'), 'kept')
  }
})

test('a write to a synced file is durable by itself, size included; earlier ones are not', async () => {
  const seen = await outcomes(async (seed) => {
    const disk = diskOf(seed)
    const plain = await make(disk, '/file')
    await disk.syncDirectory('/')
    await write(plain, sector('a'), 0)
    const synced = await disk.open('/file', { mode: 'write', isSynced: true })
    await write(synced, sector('b'), 512)
    const after = await contents(disk.crash(), '/file')
    assert.equal(after.length, 1024)
    assert.equal(after.slice(512), sector('b'))
    return after[0]
  })
  assert.deepEqual(seen, new Set(['a', '\0']))
})

test('unsynced sectors survive in any combination, and the size anywhere between', async () => {
  const seen = await outcomes(async (seed) => {
    const disk = diskOf(seed)
    const file = await make(disk, '/file')
    await disk.syncDirectory('/')
    await write(file, sector('a') + sector('b') + sector('c'), 0)
    const after = await contents(disk.crash(), '/file')
    for (const [index, letter] of ['a', 'b', 'c'].entries()) {
      const found = after.slice(index * 512, index * 512 + 512)
      assert.ok(
        found === '' || [letter, '\0'].includes(found[0]!),
        'each sector is its own or zero',
      )
      if (found !== '') assert.equal(found, found[0]!.repeat(found.length), 'sectors are not torn')
    }
    return `${after.length === 1536}${after[0] ?? ''}${after[1024] ?? ''}`
  })
  assert.ok(seen.has('trueac') && seen.has('true\0c') && seen.has('truea\0') && seen.has('false'))
})

test('an overwritten sector is the old or the new one, torn inside only when asked', async () => {
  for (const tearsWithinSectors of [false, true]) {
    const seen = await outcomes(async (seed) => {
      const disk = diskOf(seed, { tearsWithinSectors })
      const file = await make(disk, '/file')
      await write(file, sector('a'), 0)
      await file.sync()
      await disk.syncDirectory('/')
      await write(file, sector('b'), 0)
      const after = await contents(disk.crash(), '/file')
      assert.match(after, /^b*a*$/)
      return after === sector('a') ? 'old' : after === sector('b') ? 'new' : 'torn'
    })
    assert.deepEqual(seen, new Set(tearsWithinSectors ? ['old', 'new', 'torn'] : ['old', 'new']))
  }
})

test('a name without a sync of its folder may be lost with all its bytes', async () => {
  const seen = await outcomes(async (seed) => {
    const disk = diskOf(seed)
    const file = await make(disk, '/file')
    await write(file, 'x', 0)
    await file.sync()
    return contentsOrNone(disk.crash(), '/file')
  })
  assert.deepEqual(seen, new Set(['absent', 'x']))
})

test('an unsynced rename is whole or absent; a synced one is there', async () => {
  const seen = await outcomes(async (seed) => {
    const disk = diskOf(seed)
    const file = await make(disk, '/new')
    await write(file, 'x', 0)
    await file.sync()
    await disk.syncDirectory('/')
    await disk.rename('/new', '/final')
    const after = disk.afterPowerCut()
    await disk.syncDirectory('/')
    assert.deepEqual([...disk.crash().files().keys()], ['/final'])
    return [...after.files().keys()].join()
  })
  assert.deepEqual(seen, new Set(['/new', '/final']))
})

test('a rename between folders is durable when either folder is synced', async () => {
  for (const seed of SEEDS) {
    const disk = diskOf(seed)
    await disk.makeDirectory('/a')
    await disk.makeDirectory('/b')
    await disk.syncDirectory('/')
    const file = await make(disk, '/a/file')
    await file.sync()
    await disk.rename('/a/file', '/b/file')
    await disk.syncDirectory(seed % 2 === 0 ? '/a' : '/b')
    assert.deepEqual([...disk.crash().files().keys()], ['/b/file'])
  }
})

test('an unsynced removal may come undone; a synced one does not', async () => {
  const seen = await outcomes(async (seed) => {
    const disk = diskOf(seed)
    const file = await make(disk, '/file')
    await write(file, 'x', 0)
    await file.sync()
    await disk.syncDirectory('/')
    await disk.remove('/file')
    const after = disk.afterPowerCut()
    await disk.syncDirectory('/')
    assert.deepEqual([...disk.crash().files().keys()], [])
    return contentsOrNone(after, '/file')
  })
  assert.deepEqual(seen, new Set(['absent', 'x']))
})

test('a sync owes nothing to writes that come while it runs', async () => {
  const seen = await outcomes(async (seed) => {
    const disk = diskOf(seed)
    const file = await make(disk, '/file')
    await write(file, sector('a') + sector('a'), 0)
    await disk.syncDirectory('/')
    let writing: Promise<void> | undefined
    disk.onStep = ({ operation }) => {
      if (operation === 'sync') writing ??= write(file, sector('b'), 512)
    }
    await Promise.all([file.sync(), writing])
    await writing
    const after = await contents(disk.crash(), '/file')
    assert.equal(after.slice(0, 512), sector('a'))
    return after[512]
  })
  assert.deepEqual(seen, new Set(['a', 'b']))
})

test('a killed process leaves the page cache; a power cut afterwards still loses it', async () => {
  const seen = await outcomes(async (seed) => {
    const disk = diskOf(seed)
    const file = await make(disk, '/file')
    await disk.syncDirectory('/')
    await write(file, 'x', 0)
    const survived = disk.kill()
    assert.equal(await contents(survived, '/file'), 'x')
    return contents(survived.crash(), '/file')
  })
  assert.ok(seen.has('') && seen.has('x'))
})

test('a stopped disk answers no call, neither begun nor new', async () => {
  const disk = diskOf(1)
  const file = await make(disk, '/file')
  let answers = 0
  const count = (): void => void answers++
  void write(file, 'x', 0).then(count, count)
  disk.halt()
  void file.sync().then(count, count)
  void disk.list('/').then(count, count)
  for (let i = 0; i < 100; i++) await undefined
  assert.equal(answers, 0)
})

test('a failed sync loses sectors that reads go on showing, and the next sync does not help', async () => {
  const seen = await outcomes(async (seed) => {
    const disk = diskOf(seed)
    const file = await make(disk, '/file')
    await write(file, sector('a'), 0)
    await file.sync()
    await disk.syncDirectory('/')
    await write(file, sector('b'), 0)
    disk.fail({ operations: ['sync'], code: 'EIO', times: 1 })
    await assert.rejects(file.sync(), { code: 'EIO' })
    await file.sync()
    assert.equal(await contents(disk, '/file'), sector('b'))
    const afterCut = await contents(disk.afterPowerCut(), '/file')
    disk.dropCaches()
    assert.equal(await contents(disk, '/file'), afterCut)
    return afterCut[0]
  })
  assert.deepEqual(seen, new Set(['a', 'b']))
})

test('a failed synced write leaves any part of itself in the cache and on the platter', async () => {
  const seen = await outcomes(async (seed) => {
    const disk = diskOf(seed)
    const file = await make(disk, '/file', true)
    await write(file, sector('a') + sector('a'), 0)
    await disk.syncDirectory('/')
    disk.fail({ operations: ['write'], path: 'file', code: 'EIO', times: 1 })
    await assert.rejects(write(file, sector('b') + sector('b'), 0), { code: 'EIO' })
    assert.match(await contents(disk, '/file'), /^b*a*$/)
    return (await contents(disk.crash(), '/file')).replace(/(.)\1*/g, '$1')
  })
  assert.ok(seen.has('a') && seen.has('ba'))
})

test('faults meet only the calls they name, and only until cleared', async () => {
  const disk = diskOf(1)
  const file = await make(disk, '/one')
  const other = await make(disk, '/two')
  const clear = disk.fail({ operations: ['write', 'read'], path: 'one', code: 'EACCES' })
  await assert.rejects(write(file, 'x', 0), { code: 'EACCES' })
  await assert.rejects(file.read(Buffer.alloc(1), 0, 1, 0), { code: 'EACCES' })
  await file.sync()
  await write(other, 'x', 0)
  clear()
  await write(file, 'x', 0)
  assert.equal(await contents(disk, '/one'), 'x')
})

test('a stalled call waits until it is released, and others pass it', async () => {
  const disk = diskOf(1)
  const file = await make(disk, '/file')
  const release = disk.stall({ operations: ['sync'] })
  const order: string[] = []
  const sync = file.sync().then(() => order.push('sync'))
  await write(file, 'x', 0)
  for (let i = 0; i < 100; i++) await undefined
  order.push('write')
  release()
  await sync
  assert.deepEqual(order, ['write', 'sync'])
})

test('on a full disk growing fails and overwriting works; removing gives space back', async () => {
  const disk = diskOf(5, { capacityBytes: 5 * 4096 })
  const file = await make(disk, '/file')
  await write(file, sector('a').repeat(32), 0)
  assert.equal(await disk.freeBytes('/'), 4096)
  const other = await make(disk, '/other')
  await assert.rejects(write(other, sector('b').repeat(16), 0), { code: 'ENOSPC' })
  assert.ok((await other.size()) <= 4096)
  await write(other, 'b', 0)
  assert.equal(await disk.freeBytes('/'), 0)
  await assert.rejects(disk.makeDirectory('/folder'), { code: 'ENOSPC' })
  await assert.rejects(write(file, 'c', 4 * 4096), { code: 'ENOSPC' })
  await write(file, 'c', 0)
  await disk.remove('/file')
  assert.equal(await disk.freeBytes('/'), 0, 'an open file keeps its space')
  await file.close()
  assert.equal(await disk.freeBytes('/'), 4 * 4096)
})

test('a hole takes no space until it is written', async () => {
  const disk = diskOf(1, { capacityBytes: 2 * 4096 })
  const file = await make(disk, '/file')
  await file.truncate(100 * 4096)
  assert.equal(await disk.freeBytes('/'), 2 * 4096)
  await write(file, 'x', 50 * 4096)
  await write(file, 'x', 60 * 4096)
  await assert.rejects(write(file, 'x', 70 * 4096), { code: 'ENOSPC' })
})

test('a flipped bit changes one bit and stays', async () => {
  const disk = diskOf(9)
  const file = await make(disk, '/file')
  await write(file, sector('\0'), 0)
  await file.sync()
  await disk.syncDirectory('/')
  const position = disk.flipBit('/file')
  const after = Buffer.from(await contents(disk.crash(), '/file'), 'latin1')
  const wrong = [...after.entries()].filter(([, byte]) => byte !== 0)
  assert.equal(wrong.length, 1)
  assert.equal(wrong[0]?.[0], position)
  assert.equal(Math.log2(wrong[0]![1]) % 1, 0)
})

test('a buffer that changes under a write is noticed', async () => {
  const disk = diskOf(1)
  const file = await make(disk, '/file')
  const buffer = Buffer.from('abc')
  const writing = file.write(buffer, 0, 3, 0)
  buffer[1] = 0
  await assert.rejects(writing, /changed under a write/)
})

test('a folder is locked for one holder, and free again after release or the end of the process', async () => {
  const disk = diskOf(1)
  await disk.makeDirectory('/data')
  const release = await disk.lock('/data')
  await assert.rejects(disk.lock('/data'), { code: 'locked' })
  await release()
  await disk.lock('/data')
  await disk.kill().lock('/data')
  await assert.rejects(diskOf(1).lock('/none'), { code: 'unusable-folder' })
})

test('the system may write back unasked what nobody synced', async () => {
  let survived = 0
  for (const seed of SEEDS) {
    const disk = diskOf(seed, { writeBackEvery: 1 })
    const file = await make(disk, '/file')
    await write(file, 'x', 0)
    for (let i = 0; i < 5; i++) await disk.makeDirectory(`/${i}`)
    if ((await contentsOrNone(disk.crash(), '/file')) === 'x') survived++
  }
  assert.ok(survived > SEEDS.length / 2)
})

async function script(disk: SimulatedDisk): Promise<void> {
  await disk.makeDirectory('/data')
  const file = await make(disk, '/data/file', true)
  await write(file, sector('a'), 0)
  const others = [0, 1, 2].map(async (i) => {
    const other = await make(disk, `/data/${i}`)
    await write(other, sector(`${i}`), 0)
    await other.sync()
  })
  await Promise.all(others)
  await disk.rename('/data/0', '/data/zero')
  await disk.syncDirectory('/data')
}

test('the same seed gives the same steps, interleaving and wreck', async () => {
  const play = async (seed: number): Promise<string> => {
    const steps: DiskStep[] = []
    const disk = new SimulatedDisk({ random: seededRandom(seed) })
    disk.onStep = (step) => steps.push(step)
    await script(disk)
    const wreck = disk.crash()
    const files: string[] = []
    for (const path of wreck.files().keys()) files.push(path, await contents(wreck, path))
    return JSON.stringify([steps, files])
  }
  assert.equal(await play(3), await play(3))
  const plays = await Promise.all(SEEDS.map(play))
  assert.ok(new Set(plays).size > SEEDS.length / 2)
})

test('a script can be cut at every step, each time with a disk that works', async () => {
  const whole = diskOf(4)
  await script(whole)
  assert.ok(whole.steps >= 20)
  for (let last = 1; last <= whole.steps; last++) {
    const disk = diskOf(4)
    const after = await new Promise<SimulatedDisk>((resolve) => {
      disk.onStep = ({ number }) => {
        if (number === last) resolve(disk.crash())
      }
      void script(disk)
    })
    assert.equal(disk.steps, last)
    for (const path of after.files().keys()) await contents(after, path)
    await make(after, '/new')
  }
})

test('synced contents survive any history of writes, syncs and power cuts', async () => {
  const change = fc.record({
    kind: fc.constantFrom('write', 'write', 'write', 'sync', 'truncate', 'crash', 'kill'),
    at: fc.nat({ max: 3000 }),
    length: fc.integer({ min: 1, max: 1500 }),
    byte: fc.integer({ min: 1, max: 255 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.array(change, { maxLength: 40 }), async (seed, changes) => {
      let disk = new SimulatedDisk({ random: seededRandom(seed), tearsWithinSectors: true })
      let file = await make(disk, '/file')
      await disk.syncDirectory('/')
      let now = Buffer.alloc(0)
      let synced = Buffer.alloc(0)
      let written: Buffer[] = []
      for (const { kind, at, length, byte } of changes) {
        if (kind === 'write') {
          const bytes = Buffer.alloc(length, byte)
          await file.write(bytes, 0, length, at)
          now = Buffer.concat([now, Buffer.alloc(Math.max(0, at + length - now.length))])
          bytes.copy(now, at)
          written.push(Buffer.from(now))
        } else if (kind === 'truncate') {
          await file.truncate(at)
          now = Buffer.concat([now.subarray(0, at), Buffer.alloc(Math.max(0, at - now.length))])
          written.push(Buffer.from(now))
        } else if (kind === 'sync') {
          await file.sync()
          synced = now
          written = []
        } else {
          disk = kind === 'crash' ? disk.crash() : disk.kill()
          file = await disk.open('/file', { mode: 'write' })
          const found = Buffer.from(await contents(disk, '/file'), 'latin1')
          if (kind === 'kill') assert.deepEqual(found, now)
          const versions = [synced, ...written]
          for (const [position, value] of found.entries()) {
            assert.ok(versions.some((version) => (version[position] ?? 0) === value))
          }
          now = found
          if (kind === 'crash') {
            synced = found
            written = []
          }
        }
        assert.deepEqual(Buffer.from(await contents(disk, '/file'), 'latin1'), now)
      }
    }),
    { numRuns: 150 },
  )
})
