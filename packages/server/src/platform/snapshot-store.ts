// Snapshots of the catalog's state as files `catalog/<20-digit offset>.snapshot` in the data folder.
// A file is one line of text and the state as JSON behind it:
//
//   millrace-catalog 1 17 9bc3a5f1 1234⏎{"kinesis":{…},"platform":{…}}
//
// which is: format version, offset, CRC-32 (of the offset's digits and the JSON's bytes) in hex, count
// of the JSON's bytes. It appears whole or not at
// all (new → sync → rename → sync folder), the two newest are kept, and the caller trims the log only
// behind the older one. So when the newest turns out damaged, the older and the log give the same
// state: it is set aside as `.damaged`, said in the log, and nothing is lost.
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Logger } from '@millrace/base/logger'
import type { Disk } from '@millrace/storage/disk'
import { StorageError } from '@millrace/storage/engine'
import { listIfThere, readWhole, removeIfThere, writeWhole } from './whole-file.ts'

const FORMAT = 1
const KEPT = 2
const NAME = /^(\d{20})\.snapshot$/

export class SnapshotStore {
  readonly #disk: Disk
  readonly #directory: string
  readonly #logger: Logger
  #isMade = false

  /** `directory` is the catalog's own folder; it is made with the first snapshot. */
  constructor(options: { disk: Disk; directory: string; logger: Logger }) {
    this.#disk = options.disk
    this.#directory = options.directory
    this.#logger = options.logger
  }

  /** Removes what an earlier run left unfinished. */
  async tidy(): Promise<void> {
    for (const name of await listIfThere(this.#disk, this.#directory)) {
      if (name.endsWith('.snapshot.new')) await this.#disk.remove(join(this.#directory, name))
    }
  }

  /**
   * The newest whole snapshot, or undefined when there is none. Rejects with `unknown-format`
   * when a newer version of Millrace wrote it.
   */
  async newest(): Promise<Snapshot | undefined> {
    for (const offset of (await this.offsets()).reverse()) {
      const name = nameOf(offset)
      const path = join(this.#directory, name)
      const bytes = await readWhole(this.#disk, path)
      if (bytes === undefined) continue
      try {
        return decodeSnapshot(bytes, offset)
      } catch (error) {
        if (error instanceof StorageError && error.code === 'unknown-format') throw error
        this.#logger.warn(
          'a snapshot of the catalog is damaged and set aside; an older one is used',
          {
            file: path,
            reason: (error as Error).message,
          },
        )
        await this.#disk.rename(path, `${path}.damaged`)
        await this.#disk.syncDirectory(this.#directory)
      }
    }
    return undefined
  }

  /** Offsets of all snapshots, rising. */
  async offsets(): Promise<number[]> {
    return (await listIfThere(this.#disk, this.#directory)).flatMap((name) => {
      const match = NAME.exec(name)
      return match === null ? [] : [Number(match[1])]
    })
  }

  /**
   * Makes a snapshot durable and removes those no longer kept; gives the offset of the older kept one,
   * behind which the log may be trimmed (0 while there is only one).
   */
  async write(offset: number, bytes: Uint8Array): Promise<number> {
    await this.#make()
    await writeWhole(this.#disk, this.#directory, nameOf(offset), bytes)
    const offsets = await this.offsets()
    for (const old of offsets.slice(0, -KEPT))
      await removeIfThere(this.#disk, join(this.#directory, nameOf(old)))
    return offsets.length < KEPT ? 0 : offsets.at(-KEPT)!
  }

  async #make(): Promise<void> {
    if (this.#isMade) return
    await this.#disk.makeDirectory(this.#directory)
    await this.#disk.syncDirectory(dirname(this.#directory))
    this.#isMade = true
  }
}

export interface Snapshot {
  /** Every command below this offset is in the state, none at or above it. */
  readonly offset: number
  /** JSON text of a CatalogState; whole, but not parsed yet. */
  readonly body: Buffer
}

/** The bytes of a snapshot file. */
export function encodeSnapshot({ offset, body }: Snapshot): Buffer {
  const head = `millrace-catalog ${FORMAT} ${offset} ${checksum(offset, body)} ${body.length}\n`
  return Buffer.concat([Buffer.from(head), body])
}

/** Throws when the bytes aren't a whole snapshot of that offset. */
export function decodeSnapshot(bytes: Buffer, offset: number): Snapshot {
  const end = bytes.indexOf(0x0a)
  const head = bytes.toString('latin1', 0, Math.max(0, Math.min(end, 100)))
  const [magic, format, inside, crc, length] = head.split(' ')
  if (magic !== 'millrace-catalog') throw new Error('its first line is not that of a snapshot')
  if (format !== String(FORMAT))
    throw new StorageError(
      'unknown-format',
      `The catalog's snapshot ${nameOf(offset)} is of format ${format}, and this version of Millrace reads format ${FORMAT}. Start the version that wrote it or a newer one, or choose another folder with --data.`,
    )
  const body = bytes.subarray(end + 1)
  if (inside !== String(offset)) throw new Error(`it is a snapshot of offset ${inside}`)
  if (length !== String(body.length)) throw new Error(`it has ${body.length} of ${length} bytes`)
  if (crc !== checksum(offset, body)) throw new Error('its checksum differs')
  return { offset, body }
}

function checksum(offset: number, body: Buffer): string {
  return crc32(body, crc32(String(offset)))
    .toString(16)
    .padStart(8, '0')
}

function nameOf(offset: number): string {
  return `${String(offset).padStart(20, '0')}.snapshot`
}
