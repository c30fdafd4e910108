// Keeps the files read last open, up to a number, so that reading many small segments costs neither a
// descriptor each nor an open per read. A file in use is never closed under its reader.
import type { Disk, DiskFile } from '../disk.ts'

interface Entry {
  readonly file: Promise<DiskFile>
  users: number
  /** Not to be kept once nobody uses it. */
  isForgotten: boolean
}

export class OpenFiles {
  readonly #disk: Disk
  readonly #filesMax: number
  /** The longest unused first. */
  readonly #entries = new Map<string, Entry>()
  readonly #closing = new Set<Promise<void>>()

  constructor(disk: Disk, filesMax: number) {
    this.#disk = disk
    this.#filesMax = filesMax
  }

  /** Gives `body` the file opened for reading. Rejects with what opening rejects with. */
  async use<T>(path: string, body: (file: DiskFile) => Promise<T>): Promise<T> {
    const entry = this.#entries.get(path) ?? {
      file: this.#disk.open(path, { mode: 'read' }),
      users: 0,
      isForgotten: false,
    }
    this.#entries.delete(path)
    this.#entries.set(path, entry)
    entry.users++
    let isOpen = false
    try {
      const file = await entry.file
      isOpen = true
      return await body(file)
    } finally {
      entry.users--
      if (!isOpen && this.#entries.get(path) === entry) this.#entries.delete(path)
      if (isOpen && entry.users === 0 && entry.isForgotten) this.#close(entry)
      this.#evict()
    }
  }

  /** The file is going away: it is closed as soon as nobody reads it. */
  forget(path: string): void {
    const entry = this.#entries.get(path)
    if (entry === undefined) return
    this.#entries.delete(path)
    entry.isForgotten = true
    if (entry.users === 0) this.#close(entry)
  }

  async close(): Promise<void> {
    for (const path of [...this.#entries.keys()]) this.forget(path)
    await Promise.all(this.#closing)
  }

  #evict(): void {
    if (this.#entries.size <= this.#filesMax) return
    for (const [path, entry] of this.#entries) {
      if (entry.users > 0) continue
      this.forget(path)
      if (this.#entries.size <= this.#filesMax) return
    }
  }

  /** Errors of a close say nothing about what was read; there is nothing to be done about them. */
  #close(entry: Entry): void {
    const closing: Promise<void> = entry.file
      .then((file) => file.close())
      .catch(() => {})
      .finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
  }
}
