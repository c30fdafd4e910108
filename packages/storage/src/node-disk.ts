// The real disk, over node:fs. With the system's own clock and random it is one of the few files that
// touch the machine; everything else in this package takes a Disk as an argument.
//
// What it promises is what disk.ts asks for. A synced file is opened with O_DSYNC on Linux, which
// saves a system call and a journal commit per write; elsewhere each write is followed by fdatasync
// (on macOS Node turns that into F_FULLFSYNC, the only call there that reaches the platter). Windows
// can neither open nor sync a folder: names are durable there as far as NTFS's own journal goes.
import {
  close,
  constants,
  fdatasync,
  fstat,
  fsync,
  ftruncate,
  mkdir,
  open,
  read,
  readdir,
  rename,
  rmdir,
  stat,
  statfs,
  unlink,
  write,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import type { Disk, DiskFile, OpenOptions } from './disk.ts'
import { StorageError } from './engine.ts'

const hasDsync = process.platform === 'linux'
const hasDirectorySync = process.platform !== 'win32'

const openAsync = promisify(open)
const closeAsync = promisify(close)
const fsyncAsync = promisify(fsync)
const statAsync = promisify(stat)
const statfsAsync = promisify(statfs)
const unlinkAsync = promisify(unlink)
const rmdirAsync = promisify(rmdir)
const mkdirAsync = promisify(mkdir)

export function nodeDisk(): Disk {
  return {
    open: openFile,
    rename: promisify(rename),
    remove,
    makeDirectory,
    async list(path) {
      return (await promisify(readdir)(path)).sort()
    },
    syncDirectory,
    async freeBytes(path) {
      const { bavail, bsize } = await statfsAsync(path)
      return bavail * bsize
    },
    lock,
  }
}

async function openFile(path: string, { mode, isSynced = false }: OpenOptions): Promise<DiskFile> {
  const access = {
    read: constants.O_RDONLY,
    write: constants.O_RDWR,
    create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
  }[mode]
  const descriptor = await openAsync(
    path,
    isSynced && hasDsync ? access | constants.O_DSYNC : access,
  )
  return new NodeFile(path, descriptor, isSynced && !hasDsync)
}

class NodeFile implements DiskFile {
  readonly path: string
  readonly #descriptor: number
  readonly #syncsAfterWrite: boolean

  constructor(path: string, descriptor: number, syncsAfterWrite: boolean) {
    this.path = path
    this.#descriptor = descriptor
    this.#syncsAfterWrite = syncsAfterWrite
  }

  size(): Promise<number> {
    return new Promise((resolve, reject) => {
      fstat(this.#descriptor, (error, stats) => (error ? reject(error) : resolve(stats.size)))
    })
  }

  read(target: Buffer, at: number, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      read(this.#descriptor, target, at, length, position, (error, count) =>
        error ? reject(error) : resolve(count),
      )
    })
  }

  write(source: Buffer, at: number, length: number, position: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = (done: number): void => {
        write(
          this.#descriptor,
          source,
          at + done,
          length - done,
          position + done,
          (error, count) => {
            if (error) reject(error)
            else if (done + count < length) step(done + count)
            else if (this.#syncsAfterWrite) this.sync().then(resolve, reject)
            else resolve()
          },
        )
      }
      step(0)
    })
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#descriptor, (error) => (error ? reject(error) : resolve()))
    })
  }

  truncate(size: number): Promise<void> {
    return new Promise((resolve, reject) => {
      ftruncate(this.#descriptor, size, (error) => (error ? reject(error) : resolve()))
    })
  }

  close(): Promise<void> {
    return closeAsync(this.#descriptor)
  }
}

/**
 * Folder by folder, each asked for at most twice: Node's own recursive mkdir never ends where the system
 * says ENOENT for a folder whose parent is there, as /proc does.
 */
async function makeDirectory(path: string): Promise<void> {
  try {
    await makeOne(path)
  } catch (error) {
    const parent = dirname(path)
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error
    await makeDirectory(parent)
    await makeOne(path)
  }
}

/** Makes one folder; one that is there is no error, something else of that name is ENOTDIR. */
async function makeOne(path: string): Promise<void> {
  try {
    await mkdirAsync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') throw error
    // A root or a folder on a read-only disk may say something else than EEXIST.
    const stats = await statAsync(path).catch(() => undefined)
    if (stats === undefined) throw error
    if (stats.isDirectory()) return
    throw Object.assign(new Error(`ENOTDIR: not a directory, mkdir '${path}'`), { code: 'ENOTDIR' })
  }
}

async function remove(path: string): Promise<void> {
  try {
    await unlinkAsync(path)
  } catch (error) {
    // What Linux and macOS answer for a folder; an empty one is removed, a full one is ENOTEMPTY.
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EISDIR' && code !== 'EPERM') throw error
    await rmdirAsync(path)
  }
}

async function syncDirectory(path: string): Promise<void> {
  if (!hasDirectorySync) return
  const descriptor = await openAsync(path, constants.O_RDONLY)
  try {
    await fsyncAsync(descriptor)
  } finally {
    await closeAsync(descriptor)
  }
}

/**
 * An SQLite exclusive transaction that is never committed: the operating system drops it with the
 * process, however that ends, and nothing is written. Rejects with `locked` or `unusable-folder`.
 */
async function lock(path: string): Promise<() => Promise<void>> {
  const file = join(path, 'lock')
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file)
    database.exec('PRAGMA journal_mode = memory; BEGIN EXCLUSIVE')
  } catch (error) {
    database?.close()
    throw lockError(path, file, error)
  }
  const held = database
  return async () => {
    if (held.isOpen) held.close()
  }
}

const SQLITE_BUSY = 5

function lockError(path: string, file: string, cause: unknown): StorageError {
  const { errcode, message } = cause as Error & { errcode?: number }
  if (errcode === SQLITE_BUSY) {
    return new StorageError(
      'locked',
      `The data folder ${path} is in use by another Millrace process. Stop that one, or choose another folder with --data.`,
      { cause },
    )
  }
  return new StorageError(
    'unusable-folder',
    `The data folder ${path} can't be locked through ${file} (${message}). Check that this user may write there, and that the disk supports file locks.`,
    { cause },
  )
}
