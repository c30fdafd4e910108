// The narrow door to the file system: all that the engines may ask of a disk, and nothing else, so
// that a simulated twin can stand in its place and tear, lose, flip, fill up and fail.
//
// What is promised. `write` with an `isSynced` file, and `sync`, return only when the bytes (and for
// `sync` the size) would survive a power cut. A new, renamed or removed name survives only after
// `syncDirectory` of its folder. Everything else may be lost, in part and in any order, by a crash.

export interface Disk {
  /**
   * Opens a file. `create` fails if it exists; `isSynced` makes each write durable before it returns
   * (O_DSYNC where there is one). Errors keep their `code` (ENOENT, EEXIST, ENOSPC, EACCES, EIO, …).
   */
  open(path: string, options: OpenOptions): Promise<DiskFile>
  rename(from: string, to: string): Promise<void>
  /** Removes a file or an empty folder; ENOENT when it isn't there, ENOTEMPTY for a full folder. */
  remove(path: string): Promise<void>
  /** Makes a folder and those above it; one that is there already is no error. */
  makeDirectory(path: string): Promise<void>
  /** Names in a folder, sorted; ENOENT when it isn't there. */
  list(path: string): Promise<string[]>
  syncDirectory(path: string): Promise<void>
  /** Bytes still free for us on the disk that holds this folder. */
  freeBytes(path: string): Promise<number>
  /**
   * Takes the folder for this process alone, until released or until the process dies. Rejects with a
   * StorageError `locked` that names the folder when another process has it.
   */
  lock(path: string): Promise<() => Promise<void>>
}

export interface OpenOptions {
  readonly mode: 'read' | 'write' | 'create'
  readonly isSynced?: boolean
}

export interface DiskFile {
  readonly path: string
  size(): Promise<number>
  /** Reads up to `length` bytes at `position` into `target` at `at`; gives how many (0 at the end). */
  read(target: Buffer, at: number, length: number, position: number): Promise<number>
  /** Writes all the bytes or rejects; after a rejection what is on disk there is unknown. */
  write(source: Buffer, at: number, length: number, position: number): Promise<void>
  sync(): Promise<void>
  truncate(size: number): Promise<void>
  close(): Promise<void>
}
