import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openDataFolder } from './local/data-folder.ts'
import { nodeDisk } from './node-disk.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-disk-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const disk = nodeDisk()
const place = (name: string): string => join(folder, name)

for (const isSynced of [false, true]) {
  test(`bytes written at a position are read back there (synced: ${isSynced})`, async () => {
    const path = place(`file-${isSynced}`)
    const file = await disk.open(path, { mode: 'create', isSynced })
    await file.write(Buffer.from('..hello..'), 2, 5, 4096)
    await file.sync()
    assert.equal(await file.size(), 4101)
    const target = Buffer.alloc(10, 46)
    assert.equal(await file.read(target, 1, 8, 4096), 5)
    assert.equal(target.toString(), '.hello....')
    assert.equal(await file.read(target, 0, 1, 4101), 0)
    await file.truncate(4098)
    assert.equal(await file.size(), 4098)
    await file.close()
  })
}

test('create refuses a file that is there; read and write refuse one that is not', async () => {
  const path = place('once')
  await (await disk.open(path, { mode: 'create' })).close()
  await assert.rejects(disk.open(path, { mode: 'create' }), { code: 'EEXIST' })
  await assert.rejects(disk.open(place('never'), { mode: 'read' }), { code: 'ENOENT' })
  await assert.rejects(disk.open(place('never'), { mode: 'write' }), { code: 'ENOENT' })
})

test('a file opened to read takes no writes', async () => {
  const path = place('read-only')
  await (await disk.open(path, { mode: 'create' })).close()
  const file = await disk.open(path, { mode: 'read' })
  await assert.rejects(file.write(Buffer.from('x'), 0, 1, 0), { code: 'EBADF' })
  await file.close()
})

test('names are listed sorted, renamed and removed; an empty folder is removed, a full one is not', async () => {
  await disk.makeDirectory(place('names/inner'))
  await disk.makeDirectory(place('names/inner'))
  for (const name of ['b', 'a', 'c']) {
    await (await disk.open(place(`names/${name}`), { mode: 'create' })).close()
  }
  await disk.rename(place('names/b'), place('names/z'))
  await disk.syncDirectory(place('names'))
  assert.deepEqual(await disk.list(place('names')), ['a', 'c', 'inner', 'z'])
  await disk.remove(place('names/a'))
  await assert.rejects(disk.remove(place('names/a')), { code: 'ENOENT' })
  await assert.rejects(disk.remove(place('names')), { code: 'ENOTEMPTY' })
  await disk.remove(place('names/inner'))
  assert.deepEqual(await disk.list(place('names')), ['c', 'z'])
  await assert.rejects(disk.list(place('nowhere')), { code: 'ENOENT' })
})

test('free bytes are those of the disk that holds the folder', async () => {
  const free = await disk.freeBytes(folder)
  assert.ok(Number.isSafeInteger(free) && free > 0)
})

test('a folder is held by one holder at a time and its lock comes back', async () => {
  const path = place('held')
  await disk.makeDirectory(path)
  const release = await disk.lock(path)
  await assert.rejects(disk.lock(path), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'locked')
    assert.ok(error.message.includes(path))
    return true
  })
  await release()
  await release()
  await (await disk.lock(path))()
})

test('a lock dies with its process, however that ends', async () => {
  const path = place('abandoned')
  await disk.makeDirectory(path)
  const url = new URL('./node-disk.ts', import.meta.url).href
  const program = `import { nodeDisk } from ${JSON.stringify(url)}
    await nodeDisk().lock(${JSON.stringify(path)})
    console.log('held')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  await assert.rejects(disk.lock(path), { code: 'locked' })
  child.kill('SIGKILL')
  await once(child, 'exit')
  await (await disk.lock(path))()
})

test('a lock that cannot be taken says which folder and why', async () => {
  await assert.rejects(disk.lock(place('missing')), { code: 'unusable-folder' })
  const path = place('junk')
  await disk.makeDirectory(path)
  writeFileSync(join(path, 'lock'), 'not a database, and long enough to be seen as none'.repeat(40))
  await assert.rejects(disk.lock(path), { code: 'unusable-folder' })
})

test('a folder that can never be made is an error at once, not a search without end', {
  skip: process.platform !== 'linux',
  timeout: 5000,
}, async () => {
  await assert.rejects(disk.makeDirectory('/proc/nope'), { code: 'ENOENT' })
  await assert.rejects(disk.makeDirectory('/proc/nope/deeper'), { code: 'ENOENT' })
  await assert.rejects(openDataFolder(disk, '/proc/nope'), {
    code: 'unusable-folder',
    message: /^The data folder \/proc\/nope can't be used \(ENOENT/,
  })
  writeFileSync(place('a-file'), '')
  await assert.rejects(disk.makeDirectory(place('a-file')), { code: 'ENOTDIR' })
  await assert.rejects(disk.makeDirectory(place('a-file/below')), { code: 'ENOTDIR' })
  await disk.makeDirectory(place('one/two/three'))
  await disk.makeDirectory(place('one/two/three'))
  assert.deepEqual(await disk.list(place('one/two')), ['three'])
})
