// Brings the real clients, each from its own registry, into this folder: a Python environment with the
// AWS CLI and boto3, the JavaScript SDK, the Java SDK compiled with its scenario. Only what is missing
// or has changed is done; each step says what it does.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const here = import.meta.dirname
export const work = path.join(here, '.work')
export const python = path.join(work, 'python', 'bin', 'python')
export const awsCli = path.join(work, 'python', 'bin', 'aws')
export const javaClassPath = [
  path.join(work, 'java', 'classes'),
  path.join(work, 'java', 'lib', '*'),
].join(path.delimiter)

export type Client = 'python' | 'js' | 'java'

const STEPS: Record<Client, { inputs: () => string[]; run: () => void }> = {
  python: {
    inputs: () => [path.join(here, 'python', 'requirements.txt')],
    run() {
      command('python3', ['-m', 'venv', path.join(work, 'python')])
      const requirements = path.join(here, 'python', 'requirements.txt')
      command(python, ['-m', 'pip', 'install', '--quiet', '-r', requirements])
    },
  },
  js: {
    inputs: () => [path.join(here, 'js', 'package.json')],
    run() {
      const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock']
      command('npm', args, path.join(here, 'js'))
    },
  },
  java: {
    inputs: () => [path.join(here, 'java', 'pom.xml'), ...javaSources()],
    run() {
      const lib = path.join(work, 'java', 'lib')
      const goal = 'dependency:copy-dependencies'
      command('mvn', ['-q', '-B', goal, `-DoutputDirectory=${lib}`], path.join(here, 'java'))
      const classes = path.join(work, 'java', 'classes')
      mkdirSync(classes, { recursive: true })
      command('javac', ['-nowarn', '-d', classes, '-cp', path.join(lib, '*'), ...javaSources()])
    },
  },
}

/** Makes one client ready to run; a failed step ends the program with what the tool said. */
export function install(client: Client): void {
  const step = STEPS[client]
  const wanted = createHash('sha256')
  for (const file of step.inputs()) wanted.update(readFileSync(file))
  const digest = wanted.digest('hex')
  const stamp = path.join(work, `${client}.installed`)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return
  process.stderr.write(`compat: bringing the ${client} client (once)\n`)
  mkdirSync(work, { recursive: true })
  step.run()
  writeFileSync(stamp, digest)
}

function javaSources(): string[] {
  const folder = path.join(here, 'java', 'src')
  return readdirSync(folder)
    .filter((name) => name.endsWith('.java'))
    .map((name) => path.join(folder, name))
}

function command(program: string, args: string[], cwd = here): void {
  const { status, error } = spawnSync(program, args, { cwd, stdio: ['ignore', 2, 2] })
  if (error !== undefined || status !== 0) {
    throw new Error(`${program} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`)
  }
}
