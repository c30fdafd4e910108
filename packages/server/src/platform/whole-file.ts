// Small files that are read and written whole, through the Disk. A file written here is either the
// old one or the new one after a crash, never a part: it is written beside its place under a name
// ending in `.new`, synced, renamed into place, and the folder is synced.
import { join } from 'node:path'
import type { Disk } from '@millrace/storage/disk'

/** The bytes of a file, or undefined when there is none. */
export async function readWhole(disk: Disk, path: string): Promise<Buffer | undefined> {
  let file: Awaited<ReturnType<Disk['open']>>
  try {
    file = await disk.open(path, { mode: 'read' })
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    const bytes = Buffer.allocUnsafe(await file.size())
    let length = 0
    while (length < bytes.length) {
      const count = await file.read(bytes, length, bytes.length - length, length)
      if (count === 0) break
      length += count
    }
    return bytes.subarray(0, length)
  } finally {
    await file.close()
  }
}

/** Makes `name` in the folder hold these bytes; durable when it resolves. */
export async function writeWhole(
  disk: Disk,
  directory: string,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  const path = join(directory, name)
  const unfinished = `${path}.new`
  await removeIfThere(disk, unfinished)
  try {
    await writeSynced(disk, unfinished, bytes)
    await disk.rename(unfinished, path)
  } catch (error) {
    // On a full disk the part that was written must not stay. When even that fails, the first error
    // is still the one that counts; the name says what the file is.
    await removeIfThere(disk, unfinished).catch(() => {})
    throw error
  }
  await disk.syncDirectory(directory)
}

async function writeSynced(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const file = await disk.open(path, { mode: 'create' })
  try {
    const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (source.length > 0) await file.write(source, 0, source.length, 0)
    await file.sync()
  } finally {
    await file.close()
  }
}

export async function removeIfThere(disk: Disk, path: string): Promise<void> {
  try {
    await disk.remove(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

/** Names in a folder, sorted; none when the folder isn't there. */
export async function listIfThere(disk: Disk, directory: string): Promise<string[]> {
  try {
    return await disk.list(directory)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
}
