// Where the benchmark keeps what it makes: all of it below bench/.work, which git ignores.
import path from 'node:path'

export const benchDir = import.meta.dirname
export const rootDir = path.join(benchDir, '..')
export const workDir = path.join(benchDir, '.work')
export const cargoDir = path.join(workDir, 'cargo')
export const venvDir = path.join(workDir, 'venv')
export const logDir = path.join(workDir, 'logs')
export const loopbackLibrary = path.join(workDir, 'loopback.so')
export const loopbackPreload = path.join(benchDir, 'contestants', 'loopback.cjs')
