// `npm run bench -- --install`: brings every peer below bench/, each with its own package manager and its
// own progress on the terminal. One that fails is reported and the others go on.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { benchDir, cargoDir, loopbackLibrary, venvDir, workDir } from './paths.ts'

const ferrokinesisVersion = '0.7.0'
const motoVersion = '5.2.5'

type Step = { title: string; file: string; args: string[]; isDone?: () => boolean }

/** True when everything was installed. */
export function installPeers(): boolean {
  mkdirSync(workDir, { recursive: true })
  const rustCargo = path.join(os.homedir(), '.cargo', 'bin', 'cargo')
  const steps: Step[] = [
    {
      title: 'kinesalite and kinesis-mock (npm)',
      file: 'npm',
      args: ['ci', '--prefix', benchDir, '--ignore-scripts', '--no-audit', '--no-fund'],
    },
    {
      title: 'a folder for Python packages',
      file: 'python3',
      args: ['-m', 'venv', venvDir],
    },
    {
      title: `moto ${motoVersion} (pip)`,
      file: path.join(venvDir, 'bin', 'pip'),
      args: ['install', `moto[server]==${motoVersion}`],
    },
    {
      title: 'the library that binds ferrokinesis to 127.0.0.1 (cc)',
      file: 'cc',
      args: [
        ...['-shared', '-fPIC', '-O2', '-o', loopbackLibrary],
        ...[path.join(benchDir, 'contestants', 'loopback.c'), '-ldl'],
      ],
    },
    {
      title: `ferrokinesis ${ferrokinesisVersion} (cargo; minutes)`,
      file: existsSync(rustCargo) ? rustCargo : 'cargo',
      args: [
        ...['install', 'ferrokinesis', '--version', ferrokinesisVersion],
        ...['--locked', '--root', cargoDir],
      ],
      // cargo would compile all of it again.
      isDone: hasFerrokinesis,
    },
  ]
  const failed = steps.filter((step, index) => {
    console.error(`\n[${index + 1}/${steps.length}] ${step.title}`)
    if (step.isDone?.() === true) {
      console.error('already here')
      return false
    }
    const { status, error } = spawnSync(step.file, step.args, { stdio: ['ignore', 2, 2] })
    if (error !== undefined) console.error(`${step.file}: ${error.message}`)
    return status !== 0
  })
  for (const step of failed) console.error(`\nnot installed: ${step.title}`)
  if (failed.length === 0) console.error('\nAll peers are installed.')
  return failed.length === 0
}

function hasFerrokinesis(): boolean {
  const installed = path.join(cargoDir, '.crates.toml')
  if (!existsSync(installed)) return false
  return readFileSync(installed, 'utf8').includes(`"ferrokinesis ${ferrokinesisVersion} (`)
}
