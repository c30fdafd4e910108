// The data folder: held by one process at a time, and marked with the format it is written in.
//
//   lock         held while the engine is open
//   format.json  {"format":1,"durability":"sync","created":"2026-01-01T00:00:00.000Z"}
//   journal/     the journal's files, spares and cut tails
//   segments/    sealed files, a folder per group
//   orphans/     files that nobody knows; never deleted
//
// `durability` says how the folder was last written, which decides what a crash may have cost.
import { dirname, join } from 'node:path'
import type { Disk, DiskFile } from '../disk.ts'
import { StorageError } from '../engine.ts'
import { isMissing, readFully } from './journal-file.ts'

export const FORMAT = 1

export interface DataFolder {
  readonly directory: string
  readonly journal: string
  readonly segments: string
  readonly orphans: string
  /** How the folder was last written; undefined when it is new. */
  readonly durability: 'sync' | 'os' | undefined
  release(): Promise<void>
}

/**
 * Makes the folder if need be and takes it. Fails with `locked`, `unknown-format` or
 * `unusable-folder`, each saying what to do.
 */
export async function openDataFolder(disk: Disk, directory: string): Promise<DataFolder> {
  const journal = join(directory, 'journal')
  const segments = join(directory, 'segments')
  const orphans = join(directory, 'orphans')
  try {
    await makeFolder(disk, directory)
  } catch (error) {
    throw unusableFolder(directory, error)
  }
  const release = await disk.lock(directory)
  try {
    const durability = await readFormat(disk, directory, journal)
    for (const path of [journal, segments, orphans]) await disk.makeDirectory(path)
    await disk.syncDirectory(directory)
    return { directory, journal, segments, orphans, durability, release }
  } catch (error) {
    await release()
    throw error instanceof StorageError ? error : unusableFolder(directory, error)
  }
}

/**
 * Makes the folder and those above it that aren't there, and their names durable: a power cut must not
 * take a whole new folder with what was acknowledged in it. The folder right above is synced at every
 * start, since an earlier one may have died between making and syncing.
 */
async function makeFolder(disk: Disk, directory: string): Promise<void> {
  const above: string[] = []
  let folder = directory
  while (dirname(folder) !== folder) {
    folder = dirname(folder)
    above.push(folder)
    if (await isThere(disk, folder)) break
  }
  await disk.makeDirectory(directory)
  for (const each of above) {
    try {
      await disk.syncDirectory(each)
    } catch (error) {
      // A folder that this user may pass through but not read can't be synced by it.
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EACCES' && code !== 'EPERM') throw error
    }
  }
}

async function isThere(disk: Disk, path: string): Promise<boolean> {
  try {
    await disk.list(path)
    return true
  } catch (error) {
    return !isMissing(error)
  }
}

/** Says durably how the folder is written from now on. */
export async function writeFormat(
  disk: Disk,
  directory: string,
  durability: 'sync' | 'os',
  nowMs: number,
): Promise<void> {
  const created = new Date(nowMs).toISOString()
  const bytes = Buffer.from(`${JSON.stringify({ format: FORMAT, durability, created })}\n`)
  const path = join(directory, 'format.json')
  try {
    await removeIfThere(disk, `${path}.new`)
    const file = await disk.open(`${path}.new`, { mode: 'create' })
    try {
      await file.write(bytes, 0, bytes.length, 0)
      await file.sync()
    } finally {
      await file.close()
    }
    await disk.rename(`${path}.new`, path)
    await disk.syncDirectory(directory)
  } catch (error) {
    throw unusableFolder(directory, error)
  }
}

async function readFormat(
  disk: Disk,
  directory: string,
  journal: string,
): Promise<'sync' | 'os' | undefined> {
  let file: DiskFile
  try {
    file = await disk.open(join(directory, 'format.json'), { mode: 'read' })
  } catch (error) {
    if (!isMissing(error)) throw error
    if ((await namesIn(disk, journal)).length === 0) return undefined
    throw unknownFormat(directory, 'it has a journal but no format.json')
  }
  try {
    const bytes = Buffer.alloc(await file.size())
    await readFully(file, bytes, 0, bytes.length, 0)
    return parseFormat(directory, bytes.toString())
  } finally {
    await file.close()
  }
}

function parseFormat(directory: string, text: string): 'sync' | 'os' {
  let value: { format?: unknown; durability?: unknown } | null
  try {
    value = JSON.parse(text)
  } catch {
    throw unknownFormat(directory, 'its format.json is not readable')
  }
  if (value?.format !== FORMAT) {
    throw unknownFormat(directory, `its format is ${JSON.stringify(value?.format)}`)
  }
  if (value.durability === 'sync' || value.durability === 'os') return value.durability
  throw unknownFormat(directory, `its durability is ${JSON.stringify(value.durability)}`)
}

async function namesIn(disk: Disk, path: string): Promise<string[]> {
  try {
    return await disk.list(path)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

async function removeIfThere(disk: Disk, path: string): Promise<void> {
  try {
    await disk.remove(path)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}

function unknownFormat(directory: string, what: string): StorageError {
  return new StorageError(
    'unknown-format',
    `The data folder ${directory} can't be read by this version: ${what}, and this version knows format ${FORMAT}. Use the version that wrote it, or choose another folder with --data.`,
  )
}

/** The folder can't be used for a reason that the system gave. */
export function unusableFolder(directory: string, cause: unknown): StorageError {
  const { message } = cause as Error
  return new StorageError(
    'unusable-folder',
    `The data folder ${directory} can't be used (${message}). Check that it is a folder, that this user may write there and that the disk has room, or choose another with --data.`,
    { cause },
  )
}
