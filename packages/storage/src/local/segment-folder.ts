// The segments' folder as a place of names: which segments there are, and what goes. What has no business
// in it is moved to the orphans' folder and never deleted, except what is provably no longer needed:
// unfinished segments (their journal file is still there) and segments of deleted groups.
import { dirname, join } from 'node:path'
import type { Logger } from '@millrace/base/logger'
import type { Disk } from '../disk.ts'
import { isMissing } from './journal-file.ts'
import { groupPath, segmentSequenceOf, UNFINISHED_SUFFIX } from './segment.ts'

/** Folders listed at once. */
const LISTINGS_MAX = 8

export interface SegmentFolderOptions {
  readonly disk: Disk
  /** `DATA/segments`; made when it isn't there. */
  readonly directory: string
  /** `DATA/orphans`; made when something has to go there. */
  readonly orphans: string
  readonly logger: Logger
  readonly isLive: (groupId: number) => boolean
  /** Whether a group that isn't live was deleted; one that never was is orphaned. Taken as yes unless told. */
  readonly wasDeleted?: (groupId: number) => boolean
  /** Told of each file that is going away. */
  readonly forget: (path: string) => void
}

export class SegmentFolder {
  readonly #options: SegmentFolderOptions
  /** One after the other, so that no two take the same free name. */
  #orphaning: Promise<void> = Promise.resolve()

  constructor(options: SegmentFolderOptions) {
    this.#options = options
  }

  /** Puts the folder in order and gives each live group's sequences, rising. Reads no file. */
  async list(): Promise<Map<number, number[]>> {
    const { disk, directory } = this.#options
    await disk.makeDirectory(directory)
    const names = await disk.list(directory)
    const found = new Map<number, number[]>()
    let taken = 0
    const listNext = async (): Promise<void> => {
      for (let name = names[taken++]; name !== undefined; name = names[taken++]) {
        const sequences = await this.#adopt(name)
        if (sequences.length > 0) found.set(Number(name), sequences)
      }
    }
    await Promise.all(Array.from({ length: LISTINGS_MAX }, listNext))
    return found
  }

  /** Removes the folder of a deleted group with all segments in it; what is no segment is orphaned. */
  async removeGroup(groupId: number): Promise<void> {
    const { directory, disk } = this.#options
    const path = groupPath(directory, groupId)
    let names: string[]
    try {
      names = await disk.list(path)
    } catch (error) {
      if (isMissing(error)) return
      if (isNoFolder(error)) return this.#orphan(path, String(groupId))
      throw error
    }
    for (const name of names) {
      if (segmentSequenceOf(name) !== undefined || isUnfinished(name)) {
        await this.remove(join(path, name))
      } else await this.#orphan(join(path, name), `${groupId}-${name}`)
    }
    await this.remove(path)
  }

  /** Removes a file, or a folder without files; one that is gone already is no error. */
  async remove(path: string): Promise<void> {
    this.#options.forget(path)
    try {
      await this.#options.disk.remove(path)
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }

  /** The sequences of a live group's folder; whatever else the name stands for goes where it belongs. */
  async #adopt(name: string): Promise<number[]> {
    const { directory, disk, isLive, wasDeleted = () => true } = this.#options
    const groupId = Number(name)
    const isGroup = String(groupId) === name && Number.isSafeInteger(groupId) && groupId > 0
    if (!isGroup || !(isLive(groupId) || wasDeleted(groupId))) {
      await this.#orphan(join(directory, name), name)
      return []
    }
    if (!isLive(groupId)) {
      await this.removeGroup(groupId)
      return []
    }
    const path = groupPath(directory, groupId)
    const sequences: number[] = []
    let files: string[]
    try {
      files = await disk.list(path)
    } catch (error) {
      if (!isNoFolder(error)) throw error
      await this.#orphan(path, name)
      return []
    }
    for (const file of files) {
      const sequence = segmentSequenceOf(file)
      if (sequence !== undefined) sequences.push(sequence)
      else if (isUnfinished(file)) await this.remove(join(path, file))
      else await this.#orphan(join(path, file), `${name}-${file}`)
    }
    return sequences.sort((a, b) => a - b)
  }

  #orphan(path: string, name: string): Promise<void> {
    const moved = this.#orphaning.then(() => this.#orphanNow(path, name))
    this.#orphaning = moved.catch(() => {})
    return moved
  }

  async #orphanNow(path: string, name: string): Promise<void> {
    const { disk, logger, orphans } = this.#options
    await disk.makeDirectory(orphans)
    const taken = new Set(await disk.list(orphans))
    let free = name
    for (let i = 1; taken.has(free); i++) free = `${name}.${i}`
    const target = join(orphans, free)
    await disk.rename(path, target)
    await disk.syncDirectory(orphans)
    await disk.syncDirectory(dirname(orphans))
    logger.warn('moved an unknown file out of the segments', { file: path, to: target })
  }
}

function isNoFolder(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOTDIR'
}

function isUnfinished(name: string): boolean {
  return (
    name.endsWith(UNFINISHED_SUFFIX) &&
    segmentSequenceOf(name.slice(0, -UNFINISHED_SUFFIX.length)) !== undefined
  )
}
