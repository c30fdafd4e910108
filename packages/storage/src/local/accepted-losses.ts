// What an operator has accepted as lost, so that consumers can go on: `DATA/accepted-losses.json`, read
// at each start and never written by the engine.
//
//   {"losses":[{"group":5,"log":0,"from":100,"before":140}]}
//
// Offsets from `from` up to but not including `before`, as the error of the damaged read names them. Only
// what can't be read is passed over: an entry in the range that is whole is served as ever.
import { join } from 'node:path'
import type { Disk } from '../disk.ts'
import { StorageError } from '../engine.ts'
import { isMissing, readFully } from './journal-file.ts'

export const ACCEPTED_LOSSES = 'accepted-losses.json'

interface Loss {
  readonly from: number
  readonly before: number
}

export class AcceptedLosses {
  readonly #logs = new Map<string, Loss[]>()
  readonly count: number

  constructor(losses: readonly (Loss & { readonly group: number; readonly log: number })[]) {
    this.count = losses.length
    for (const { group, log, from, before } of losses) {
      const key = `${group}/${log}`
      this.#logs.set(key, [...(this.#logs.get(key) ?? []), { from, before }])
    }
  }

  has(groupId: number, logId: number): boolean {
    return this.#logs.has(`${groupId}/${logId}`)
  }

  /** Where to go on when this offset can't be read; undefined when that loss isn't accepted. */
  goOnAt(groupId: number, logId: number, offset: number): number | undefined {
    const losses = this.#logs.get(`${groupId}/${logId}`) ?? []
    return losses.find(({ from, before }) => from <= offset && offset < before)?.before
  }
}

/** Rejects with `unusable-folder` when the file is there and isn't what it should be. */
export async function readAcceptedLosses(disk: Disk, directory: string): Promise<AcceptedLosses> {
  const path = join(directory, ACCEPTED_LOSSES)
  const text = await readText(disk, path)
  if (text === undefined) return new AcceptedLosses([])
  let value: { losses?: unknown } | null
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw unusable(path, `it is no JSON: ${(cause as Error).message}`)
  }
  const losses = value?.losses
  if (!Array.isArray(losses)) throw unusable(path, 'it has no list "losses"')
  return new AcceptedLosses(losses.map((loss, index) => parseLoss(path, loss, index)))
}

function parseLoss(
  path: string,
  loss: unknown,
  index: number,
): Loss & { group: number; log: number } {
  const { group, log, from, before } = (loss ?? {}) as Record<string, unknown>
  if (isOffset(group) && isOffset(log) && isOffset(from) && isOffset(before) && from < before) {
    return { group, log, from, before }
  }
  throw unusable(
    path,
    `losses[${index}] needs whole numbers group, log, from and before, from below before`,
  )
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

async function readText(disk: Disk, path: string): Promise<string | undefined> {
  try {
    const file = await disk.open(path, { mode: 'read' })
    try {
      const bytes = Buffer.alloc(await file.size())
      await readFully(file, bytes, 0, bytes.length, 0)
      return bytes.toString()
    } finally {
      await file.close()
    }
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

function unusable(path: string, what: string): StorageError {
  return new StorageError(
    'unusable-folder',
    `${path} can't be used: ${what}. Write {"losses":[{"group":5,"log":0,"from":100,"before":140}]}, or remove it.`,
  )
}
