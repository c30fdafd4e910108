// The journal's next file, made before it is needed, so that a roll costs one write. It already has
// its final name, `reserveBytes` or more of allocated space, and a durable directory entry, but no
// checkpoint: until that is written it is no part of the journal. On a full disk it is also the
// reserve in which deletes find room.
//
// Files that are sealed come back here as spares (`<sequence>.spare`). Their old frames carry another
// sequence and generation and can't be taken for new ones, so they are used as they are, which saves
// writing zeros again. Both are given up when the engine is idle or the disk full: no spare is left
// then, and the ready file keeps only its reserve.
import { assert } from '@millrace/base/assert'
import type { Logger } from '@millrace/base/logger'
import type { Random } from '@millrace/base/random'
import type { Disk, DiskFile } from '../disk.ts'
import {
  isDiskFull,
  isMissing,
  journalPath,
  type PreparedFile,
  SPARE_SUFFIX,
  writeZeros,
} from './journal-file.ts'

export interface NextFileOptions {
  readonly disk: Disk
  readonly directory: string
  readonly random: Random
  readonly logger: Logger
  readonly isSynced: boolean
  /** Files larger than this aren't kept as spares. */
  readonly fileBytesMax: number
  readonly sparesMax: number
  /** Space that the next file must have at least. */
  readonly reserveBytes: () => number
  /** Files that recovery found free. */
  readonly spares: readonly SpareFile[]
  /** Whether the disk has no room, so that nothing is kept for later. */
  readonly isFull: () => boolean
}

export interface SpareFile {
  readonly path: string
  readonly sizeBytes: number
}

export class NextFile {
  readonly #options: NextFileOptions
  readonly #spares: SpareFile[]
  #prepared: PreparedFile | undefined
  #preparing: Promise<void> | undefined
  /** While the ready file is made smaller. */
  #isShrinking = false
  #takenSequence = 0

  constructor(options: NextFileOptions) {
    this.#options = options
    this.#spares = [...options.spares]
  }

  get isReady(): boolean {
    return this.#prepared !== undefined || this.#isShrinking
  }

  /** Of the ready file and the spares. */
  get bytesOnDisk(): number {
    const ready = this.#prepared?.sizeBytes ?? 0
    return this.#spares.reduce((sum, { sizeBytes }) => sum + sizeBytes, ready)
  }

  /** Makes the file of this sequence ready; the same promise while that is under way. */
  prepare(sequence: number): Promise<void> {
    // A file that was taken isn't the current one yet, but it is in use: it isn't made a second time.
    return sequence <= this.#takenSequence ? Promise.resolve() : this.#ensure(sequence)
  }

  /** The ready file, now the caller's; makes it first if need be. */
  async take(sequence: number): Promise<PreparedFile> {
    while (this.#prepared === undefined) await this.#ensure(sequence)
    const prepared = this.#prepared
    assert(prepared.sequence === sequence, 'the file that was made ready is the one that is next')
    this.#prepared = undefined
    this.#takenSequence = sequence
    return prepared
  }

  /**
   * Takes a sealed file that nobody reads: a spare, or gone. Its name is no journal's any more, for
   * good when this resolves; after an error it may be called again.
   */
  async recycle(path: string, sequence: number, sizeBytes: number): Promise<void> {
    const { disk, directory, fileBytesMax, sparesMax, isFull } = this.#options
    const isUseful = sizeBytes <= fileBytesMax && sizeBytes >= fileBytesMax / 2
    const isWanted = isUseful && !isFull()
    try {
      if (isWanted && this.#spares.length < sparesMax) {
        const spare = journalPath(directory, sequence, SPARE_SUFFIX)
        await disk.rename(path, spare)
        this.#spares.push({ path: spare, sizeBytes })
      } else {
        await disk.remove(path)
      }
    } catch (error) {
      // An earlier call got as far as this, and its sync failed.
      if (!isMissing(error)) throw error
    }
    await disk.syncDirectory(directory)
  }

  /** Removes the spares and cuts the ready file down to its reserve. */
  async slim(): Promise<void> {
    const { disk, directory, logger } = this.#options
    const spares = this.#spares.splice(0)
    for (const spare of spares) {
      try {
        await disk.remove(spare.path)
      } catch (error) {
        if (isMissing(error)) continue
        this.#spares.push(spare)
        logger.warn('a spare journal file could not be removed', { file: spare.path, error })
      }
    }
    if (spares.length > 0) await disk.syncDirectory(directory)
    await this.#preparing?.catch(() => {})
    const prepared = this.#prepared
    if (prepared === undefined || prepared.sizeBytes <= this.#options.reserveBytes()) return
    this.#prepared = undefined
    this.#isShrinking = true
    this.#preparing = this.#shrink(prepared).finally(() => {
      this.#isShrinking = false
      this.#preparing = undefined
    })
    await this.#preparing
  }

  async close(): Promise<void> {
    await this.#preparing?.catch(() => {})
    if (this.#prepared === undefined) return
    await this.#prepared.writer?.close()
    await this.#prepared.plain.close()
    this.#prepared = undefined
  }

  #ensure(sequence: number): Promise<void> {
    if (this.#prepared !== undefined) return Promise.resolve()
    this.#preparing ??= this.#prepare(sequence).finally(() => {
      this.#preparing = undefined
    })
    return this.#preparing
  }

  async #shrink(prepared: PreparedFile): Promise<void> {
    const sizeBytes = this.#options.reserveBytes()
    try {
      await prepared.plain.truncate(sizeBytes)
      await prepared.plain.sync()
    } catch (error) {
      const { path } = prepared
      this.#options.logger.warn('the next journal file could not be made smaller', { path, error })
    }
    // Its size counts as the smaller one in any case: what a frame finds beyond is only a gift.
    this.#prepared = { ...prepared, sizeBytes }
  }

  async #prepare(sequence: number): Promise<void> {
    const { disk, directory, random, isSynced } = this.#options
    const path = journalPath(directory, sequence)
    const isReused = await this.#place(path)
    let plain: DiskFile | undefined
    let writer: DiskFile | undefined
    try {
      plain = await disk.open(path, { mode: 'write' })
      let sizeBytes = await plain.size()
      const bytesMin = this.#options.reserveBytes()
      if (sizeBytes < bytesMin) {
        await writeZeros(plain, sizeBytes, bytesMin)
        sizeBytes = bytesMin
      }
      await plain.sync()
      await disk.syncDirectory(directory)
      writer = await disk.open(path, { mode: 'write', isSynced })
      const generation = random.fill(Buffer.alloc(8)).readBigUInt64LE()
      this.#prepared = { sequence, path, generation, isReused, sizeBytes, writer, plain }
    } catch (error) {
      await plain?.close()
      await writer?.close()
      if (isDiskFull(error)) await disk.remove(path)
      throw error
    }
  }

  /** Puts a spare or a new file under this name; whether it was used before. */
  async #place(path: string): Promise<boolean> {
    const { disk } = this.#options
    const spare = this.#spares.pop()
    if (spare !== undefined) {
      if (spare.path !== path) await disk.rename(spare.path, path)
      return true
    }
    try {
      await (await disk.open(path, { mode: 'create' })).close()
      return false
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      return true
    }
  }
}
