// The disk's simulated twin: a tree of files in memory that keeps apart what a running system sees
// from what a power cut leaves, and that fails the way disks do. Unsynced writes are lost, torn at
// sectors and reordered; names are lost without a sync of their folder; bits flip; space runs out;
// calls stall or fail, and after a failed sync the page cache shows what the platter never got.
//
// Everything is decided by the given Random, and each call that changes something passes two
// numbered steps: *begun* (its effect is in the cache, a power cut may keep any part of it) and *done*
// (it is as durable as it promises, and the caller doesn't know yet). A test that stops the disk at
// step n, for every n, has seen every moment at which a crash can fall.
import { assert } from '@millrace/base/assert'
import type { Random } from '@millrace/base/random'
import type { Disk, DiskFile, OpenOptions } from './disk.ts'
import { StorageError } from './engine.ts'
import {
  type DiskCalls,
  type DiskFault,
  type DiskOperation,
  diskError,
  Faults,
} from './simulated/faults.ts'
import { Pages } from './simulated/pages.ts'
import { FileNode, FolderNode, Tree } from './simulated/tree.ts'

export type { DiskCalls, DiskFault, DiskOperation } from './simulated/faults.ts'

export interface DiskStep {
  /** 1 for the first. */
  readonly number: number
  readonly operation: DiskOperation
  readonly path: string
  readonly phase: 'begun' | 'done'
}

export interface SimulatedDiskOptions {
  readonly random: Random
  /** Space for files and folders, in blocks of 4096 bytes; 1 TiB unless told. */
  readonly capacityBytes?: number
  /** Whether a power cut may mix old and new bytes within one 512-byte sector. */
  readonly tearsWithinSectors?: boolean
  /** One in so many steps the system writes back something unasked; 0 is never. 16 unless told. */
  readonly writeBackEvery?: number
}

const CAPACITY_DEFAULT = 2 ** 40
/** Microtasks a call may take before its effect and before its answer. */
const HOPS_MAX = 4

export class SimulatedDisk implements Disk {
  capacityBytes: number
  /** Called at each step; it may stop the disk, and what it throws fails the call. */
  onStep: ((step: DiskStep) => void) | undefined
  readonly #options: SimulatedDiskOptions
  readonly #random: Random
  readonly #tree: Tree
  readonly #locked = new Set<string>()
  readonly #faults = new Faults()
  #steps = 0
  #isHalted = false

  constructor(options: SimulatedDiskOptions, tree = new Tree()) {
    this.#options = options
    this.#random = options.random
    this.#tree = tree
    this.capacityBytes = options.capacityBytes ?? CAPACITY_DEFAULT
  }

  /** Steps passed so far. */
  get steps(): number {
    return this.#steps
  }

  /** Whether the process that uses this disk was stopped. */
  get isHalted(): boolean {
    return this.#isHalted
  }

  get usedBytes(): number {
    return this.#tree.usedBytes
  }

  /** All files and their sizes, sorted by path. */
  files(): Map<string, number> {
    const files = [...this.#tree.files()].map(([path, node]) => [path, node.pages.size] as const)
    return new Map(files.sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  /** Ends the process: no call under way or to come is ever answered. */
  halt(): void {
    this.#isHalted = true
  }

  /** The disk as a power cut at this moment would leave it; this one goes on. */
  afterPowerCut(random = this.#random): SimulatedDisk {
    const { tearsWithinSectors = false } = this.#options
    return this.#with(random, this.#tree.afterPowerCut({ random, tearsWithinSectors }))
  }

  /** The disk as the end of the process at this moment would leave it, page cache and all. */
  afterKill(random = this.#random): SimulatedDisk {
    return this.#with(random, this.#tree.copy())
  }

  /** Cuts the power: stops this disk and gives the one that the next process finds. */
  crash(random = this.#random): SimulatedDisk {
    this.halt()
    return this.afterPowerCut(random)
  }

  /** Kills the process: stops this disk and gives the one that the next process finds. */
  kill(random = this.#random): SimulatedDisk {
    this.halt()
    return this.afterKill(random)
  }

  /** Makes calls fail until the returned function is called. A failed sync loses what it should save. */
  fail(fault: DiskFault): () => void {
    return this.#faults.fail(fault)
  }

  /** Makes calls wait until the returned function is called. */
  stall(calls: DiskCalls): () => void {
    return this.#faults.stall(calls)
  }

  /** Flips a bit of a file, by chance unless told which; gives its position. */
  flipBit(path: string, position?: number): number {
    const file = this.#file(path, 'open')
    const at = position ?? this.#random.integer(file.pages.size)
    file.pages.flip(at, this.#random.integer(8))
    return at
  }

  /** Forgets clean pages of all files, so that reads show the platter. */
  dropCaches(): void {
    for (const file of this.#tree.files().values()) file.pages.dropClean()
  }

  open(path: string, options: OpenOptions): Promise<DiskFile> {
    return this.#call('open', path, {
      begin: () => {
        if (options.mode !== 'create') return this.#file(path, 'open')
        if (this.#tree.find(path) !== undefined) throw diskError('EEXIST', 'open', path)
        const place = this.#tree.place(path)
        if (place === undefined) throw diskError('ENOENT', 'open', path)
        const file = new FileNode(new Pages())
        this.#tree.add(place, file)
        return file
      },
      isChange: options.mode === 'create',
      result: (file) => {
        file.openCount++
        return this.#handle(path, file, options)
      },
    })
  }

  rename(from: string, to: string): Promise<void> {
    return this.#call('rename', from, {
      begin: () => {
        const node = this.#tree.find(from)
        const source = this.#tree.place(from)
        const target = this.#tree.place(to)
        if (node === undefined || source === undefined || target === undefined) {
          throw diskError('ENOENT', 'rename', from)
        }
        if (this.#tree.find(to)?.kind === 'folder') throw diskError('EISDIR', 'rename', to)
        this.#tree.rename(source, target, node)
      },
      isChange: true,
    })
  }

  remove(path: string): Promise<void> {
    return this.#call('remove', path, {
      begin: () => {
        const node = this.#tree.find(path)
        const place = this.#tree.place(path)
        if (node === undefined || place === undefined) throw diskError('ENOENT', 'remove', path)
        if (node.kind === 'folder' && node.names.size > 0) {
          throw diskError('ENOTEMPTY', 'remove', path)
        }
        this.#tree.remove(place)
      },
      isChange: true,
    })
  }

  makeDirectory(path: string): Promise<void> {
    return this.#call('makeDirectory', path, {
      begin: () => {
        const parts = path.split('/')
        for (let length = 1; length <= parts.length; length++) {
          const above = parts.slice(0, length).join('/')
          const node = this.#tree.find(above)
          if (node?.kind === 'file') throw diskError('EEXIST', 'makeDirectory', above)
          const place = this.#tree.place(above)
          if (node !== undefined || place === undefined) continue
          if (this.usedBytes >= this.capacityBytes) {
            throw diskError('ENOSPC', 'makeDirectory', above)
          }
          this.#tree.add(place, new FolderNode())
        }
      },
      isChange: true,
    })
  }

  list(path: string): Promise<string[]> {
    return this.#call('list', path, {
      begin: () => [...this.#folder(path, 'list').names.keys()].sort(),
    })
  }

  syncDirectory(path: string): Promise<void> {
    return this.#call('syncDirectory', path, {
      begin: () => void this.#folder(path, 'syncDirectory'),
      finish: () => this.#tree.syncFolder(this.#folder(path, 'syncDirectory')),
      isChange: true,
    })
  }

  freeBytes(path: string): Promise<number> {
    return this.#call('freeBytes', path, {
      begin: () => {
        this.#folder(path, 'freeBytes')
        return Math.max(0, this.capacityBytes - this.usedBytes)
      },
    })
  }

  lock(path: string): Promise<() => Promise<void>> {
    return this.#call('lock', path, {
      begin: () => {
        const place = this.#tree.place(`${path}/lock`)
        if (place === undefined) {
          throw new StorageError('unusable-folder', `There is no folder ${path}.`)
        }
        if (this.#locked.has(path)) {
          throw new StorageError('locked', `The folder ${path} is in use by another process.`)
        }
        if (!place.folder.names.has('lock')) this.#tree.add(place, new FileNode(new Pages()))
        this.#locked.add(path)
        return async () => void this.#locked.delete(path)
      },
    })
  }

  #handle(path: string, file: FileNode, { mode, isSynced = false }: OpenOptions): DiskFile {
    const { pages } = file
    let isOpen = true
    const check = (operation: DiskOperation): void => {
      if (!isOpen || (mode === 'read' && operation !== 'read' && operation !== 'size')) {
        throw diskError('EBADF', operation, path)
      }
    }
    return {
      path,
      size: () =>
        this.#call('size', path, {
          begin: () => {
            check('size')
            return pages.size
          },
        }),
      read: (target, at, length, position) =>
        this.#call('read', path, {
          begin: () => {
            check('read')
            return pages.read(target, at, length, position)
          },
        }),
      write: (source, at, length, position) => {
        const bytes = Buffer.from(source.subarray(at, at + length))
        return this.#call('write', path, {
          begin: () => {
            check('write')
            this.#write(path, pages, bytes, position)
          },
          finish: () => {
            // A real disk reads the buffer at any time until it answers.
            assert(source.subarray(at, at + length).equals(bytes), 'a buffer changed under a write')
            if (isSynced) pages.syncRange(length, position)
          },
          spoil: () => {
            pages.write(bytes, 0, this.#random.integer(length + 1), position)
            if (isSynced) pages.failSync(this.#random)
          },
          isChange: true,
        })
      },
      sync: () =>
        this.#call('sync', path, {
          begin: () => {
            check('sync')
            return pages.unsynced()
          },
          finish: (unsynced) => pages.sync(unsynced),
          result: () => {},
          spoil: () => pages.failSync(this.#random),
          isChange: true,
        }),
      truncate: (size) =>
        this.#call('truncate', path, {
          begin: () => {
            check('truncate')
            pages.truncate(size)
          },
          isChange: true,
        }),
      close: async () => {
        if (isOpen) this.#tree.closed(file)
        isOpen = false
      },
    }
  }

  /** Overwriting always finds its space; growing may not, and then part of it has been written. */
  #write(path: string, pages: Pages, bytes: Buffer, position: number): void {
    const free = this.capacityBytes - this.usedBytes
    if (pages.growth(bytes.length, position) <= Math.max(0, free)) {
      pages.write(bytes, 0, bytes.length, position)
      return
    }
    let fitting = this.#random.integer(bytes.length + 1)
    while (pages.growth(fitting, position) > free && fitting > 0) fitting = Math.floor(fitting / 2)
    pages.write(bytes, 0, fitting, position)
    throw diskError('ENOSPC', 'write', path)
  }

  /** The life of every call: it waits its turn, may stall or fail, and passes its steps. */
  async #call<T, R = T>(
    operation: DiskOperation,
    path: string,
    body: {
      begin: () => T
      finish?: (begun: T) => void
      result?: (begun: T) => R
      /** What a failing call leaves behind. */
      spoil?: () => void
      isChange?: boolean
    },
  ): Promise<R> {
    await this.#hop()
    await this.#faults.wait(operation, path)
    if (this.#isHalted) await never
    const fault = this.#faults.take(operation, path)
    if (fault !== undefined) {
      body.spoil?.()
      throw fault
    }
    const begun = body.begin()
    if (body.isChange) await this.#step(operation, path, 'begun')
    if (this.#isHalted) await never
    body.finish?.(begun)
    if (body.isChange) await this.#step(operation, path, 'done')
    await this.#hop()
    if (this.#isHalted) await never
    return body.result === undefined ? (begun as unknown as R) : body.result(begun)
  }

  async #step(operation: DiskOperation, path: string, phase: 'begun' | 'done'): Promise<void> {
    if (this.#isHalted) await never
    this.#steps++
    this.onStep?.({ number: this.#steps, operation, path, phase })
    if (this.#isHalted) await never
    const { writeBackEvery = 16 } = this.#options
    if (writeBackEvery > 0 && this.#random.integer(writeBackEvery) === 0) {
      this.#tree.writeBack(this.#random)
    }
  }

  async #hop(): Promise<void> {
    for (let hops = this.#random.integer(HOPS_MAX + 1); hops > 0; hops--) await undefined
  }

  #file(path: string, operation: DiskOperation): FileNode {
    const node = this.#tree.find(path)
    if (node === undefined) throw diskError('ENOENT', operation, path)
    if (node.kind === 'folder') throw diskError('EISDIR', operation, path)
    return node
  }

  #folder(path: string, operation: DiskOperation): FolderNode {
    const node = this.#tree.find(path)
    if (node === undefined) throw diskError('ENOENT', operation, path)
    if (node.kind === 'file') throw diskError('ENOTDIR', operation, path)
    return node
  }

  #with(random: Random, tree: Tree): SimulatedDisk {
    const disk = new SimulatedDisk({ ...this.#options, random }, tree)
    disk.capacityBytes = this.capacityBytes
    return disk
  }
}

/** What calls of a process that is no more wait for. */
const never = new Promise<never>(() => {})
