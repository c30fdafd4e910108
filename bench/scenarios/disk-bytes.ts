// What a folder takes on the disk, by allocated blocks as `du` counts them, not by file lengths.
import { lstatSync, readdirSync } from 'node:fs'
import path from 'node:path'

export function diskBytes(dir: string): number {
  let bytes = 0
  for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
    bytes += lstatSync(path.join(dir, name)).blocks * 512
  }
  return bytes
}
