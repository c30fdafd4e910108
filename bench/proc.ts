// What the kernel says of a process and all its descendants: processor time and resident memory.
// Linux only, as /proc is.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** User and system time of all threads of the tree so far, finished children included; seconds. */
export function cpuSeconds(pid: number): number {
  let ticks = 0
  for (const member of tree(pid)) {
    // The command may hold blanks and parentheses: fields are counted behind the last ')'.
    const stat = read(`/proc/${member}/stat`)
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // utime, stime, cutime, cstime are fields 14 to 17 of proc(5); the first one here is field 3.
    for (const field of fields.slice(11, 15)) ticks += Number(field)
  }
  return ticks / ticksPerSecond
}

/** Resident set of the tree, and the sum of its members' highest ones; bytes. */
export function residentBytes(pid: number): { now: number; peak: number } {
  let now = 0
  let peak = 0
  for (const member of tree(pid)) {
    const status = read(`/proc/${member}/status`)
    now += kibibytes(status, 'VmRSS')
    peak += kibibytes(status, 'VmHWM')
  }
  return { now: now * 1024, peak: peak * 1024 }
}

function kibibytes(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0)
}

function tree(root: number): number[] {
  const members = [root]
  for (const member of members) {
    for (const thread of list(`/proc/${member}/task`)) {
      const children = read(`/proc/${member}/task/${thread}/children`)
      members.push(...children.split(' ').filter(Boolean).map(Number))
    }
  }
  return members
}

/** A process may end while it is looked at; then there is nothing to count. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (hasEnded(error)) return ''
    throw error
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path)
  } catch (error) {
    if (hasEnded(error)) return []
    throw error
  }
}

function hasEnded(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ESRCH'
}
