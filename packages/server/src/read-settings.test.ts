import assert from 'node:assert/strict'
import test from 'node:test'
import { isLoopbackHost, type Settings, SettingsError, settingsWith } from './config.ts'
import { helpText, readSettings } from './read-settings.ts'

function read(argv: string[], env: Record<string, string> = {}, file?: string): Settings {
  const result = readSettings({ argv, env, file })
  assert.equal(result.kind, 'settings')
  return result.settings
}

function sentence(argv: string[], env: Record<string, string> = {}, file?: string): string {
  let message = ''
  assert.throws(
    () => readSettings({ argv, env, file }),
    (error) => {
      assert(error instanceof SettingsError)
      message = error.message
      return true
    },
  )
  return message
}

test('without anything said the defaults hold', () => {
  assert.deepEqual(read([]), {
    host: '127.0.0.1',
    port: 4566,
    data: '.millrace',
    engine: 'local',
    durability: 'sync',
    limits: 'aws',
    access: 'open',
    credentials: undefined,
    account: '000000000000',
    region: 'us-east-1',
    transitionMs: 0,
    streams: [],
    testControls: false,
    tlsCert: undefined,
    tlsKey: undefined,
    log: 'json',
    logLevel: 'info',
    memory: 128 * 1024 ** 2,
    snapshotAfter: 4 * 1024 ** 2,
    stopMs: 5000,
  })
  assert.deepEqual(settingsWith(), read([]))
})

test('a flag wins over the environment, the environment over the file, the file over the default', () => {
  const env = { MILLRACE_PORT: '2', MILLRACE_TRANSITION_MS: '20' }
  const file = '{"port": 3, "transition-ms": 30, "limits": "none"}'
  const settings = read(['--port', '1'], env, file)
  assert.equal(settings.port, 1)
  assert.equal(settings.transitionMs, 20)
  assert.equal(settings.limits, 'none')
  assert.equal(settings.durability, 'sync')
})

test('values follow their flag as a word of their own or after an equals sign, and the last wins', () => {
  assert.equal(read(['--port=1', '--port', '2']).port, 2)
  assert.equal(read(['--data', '-folder']).data, '-folder')
})

test('a switch stands alone, or is set from the environment and the file', () => {
  assert.equal(read(['--test-controls']).testControls, true)
  assert.equal(
    read(['--test-controls=false'], { MILLRACE_TEST_CONTROLS: 'true' }).testControls,
    false,
  )
  assert.equal(read([], { MILLRACE_TEST_CONTROLS: 'true' }).testControls, true)
  assert.equal(read([], {}, '{"test-controls": true}').testControls, true)
})

test('an empty environment variable counts as none', () => {
  assert.equal(read([], { MILLRACE_PORT: '' }).port, 4566)
})

test('an environment variable of ours that is no setting is pointed out', () => {
  const result = readSettings({ argv: [], env: { MILLRACE_PROT: '1', HOME: '/' } })
  assert.equal(result.kind, 'settings')
  assert.deepEqual(result.warnings, [
    'The environment variable MILLRACE_PROT is no setting and was passed over.',
  ])
})

test('streams at start are names with shard counts', () => {
  assert.deepEqual(read(['--streams', 'orders:4, events']).streams, [
    { name: 'orders', shardCount: 4 },
    { name: 'events', shardCount: undefined },
  ])
})

test('sizes are bytes or have a binary unit', () => {
  assert.equal(read(['--memory', '1GiB']).memory, 1024 ** 3)
  assert.equal(read(['--memory', '16777216']).memory, 16_777_216)
})

test('each value that is not allowed is named with what is allowed', () => {
  const bad: [string, string, string][] = [
    ['host', 'a b', 'an IP address or a host name'],
    ['port', 'http', 'a whole number from 0 to 65535'],
    ['port', '65536', 'a whole number from 0 to 65535'],
    ['port', '-1', 'a whole number from 0 to 65535'],
    ['data', '', 'the path of a folder'],
    ['engine', 'disk', 'local or memory'],
    ['durability', 'none', 'sync or os'],
    ['limits', 'off', 'aws or none'],
    ['access', 'closed', 'open or verify'],
    ['credentials', '', 'the path of a file'],
    ['account', '123', '12 digits'],
    ['region', 'Mars', "a region's name such as us-east-1"],
    ['transition-ms', '1.5', 'a whole number of milliseconds from 0 to 3600000'],
    ['test-controls', 'yes', 'true or false'],
    ['tls-cert', '', 'the path of a file'],
    ['tls-key', '', 'the path of a file'],
    ['log', 'xml', 'human or json'],
    ['log-level', 'loud', 'debug, info, warn or error'],
    ['memory', '1KiB', 'a size from 8MiB to 1024GiB, in bytes or with KiB, MiB or GiB'],
    ['memory', '256MB', 'a size from 8MiB to 1024GiB, in bytes or with KiB, MiB or GiB'],
    ['snapshot-after', '1', 'a size from 1KiB to 1GiB, in bytes or with KiB, MiB or GiB'],
    ['stop-ms', 'soon', 'a whole number of milliseconds from 0 to 600000'],
  ]
  for (const [name, value, allowed] of bad)
    assert.equal(
      sentence([`--${name}=${value}`]),
      `--${name} is "${value}": it must be ${allowed}.`,
    )
  for (const value of ['a b', 'x:0', 'x:10001', 'x:y', 'x,x', ',', 'a'.repeat(129)])
    assert.match(sentence(['--streams', value]), /^--streams is ".*": it must be a list such as/)
})

test('where the value came from is said', () => {
  assert.match(sentence([], { MILLRACE_PORT: 'x' }), /^MILLRACE_PORT is "x": it must be/)
  assert.match(sentence([], {}, '{"port": "x"}'), /^"port" in millrace\.config\.json is "x": /)
})

test('an unknown flag is answered with the nearest one', () => {
  assert.equal(
    sentence(['--prot', '1']),
    'There is no flag --prot. Did you mean --port? --help lists them all.',
  )
  assert.equal(
    sentence(['--transitionMs', '1']),
    'There is no flag --transitionMs. Did you mean --transition-ms? --help lists them all.',
  )
  assert.equal(sentence(['--quux']), 'There is no flag --quux. --help lists them all.')
  assert.equal(sentence(['-x']), 'There is no flag -x. --help lists them all.')
})

test('a flag without its value, and a value without a flag, are refused', () => {
  assert.equal(
    sentence(['--port']),
    '--port has no value: it must be a whole number from 0 to 65535.',
  )
  assert.match(sentence(['--data', '--port', '1']), /^--data has no value/)
  assert.match(sentence(['4566']), /^"4566" stands alone/)
  assert.match(sentence(['--test-controls', 'false']), /^"false" stands alone/)
})

test('a configuration file must be an object of known settings', () => {
  assert.match(sentence([], {}, '{'), /^millrace\.config\.json isn't JSON: /)
  assert.match(sentence([], {}, '[]'), /must hold one object/)
  assert.match(sentence([], {}, 'null'), /must hold one object/)
  assert.equal(
    sentence([], {}, '{"prot": 1}'),
    'millrace.config.json names no setting with "prot". Did you mean port? --help lists them all.',
  )
  assert.match(sentence([], {}, '{"port": null}'), /^"port" in millrace\.config\.json is null: /)
  assert.match(sentence([], {}, '{"streams": ["a"]}'), /it must be a list such as/)
})

test('access is open on loopback hosts, and elsewhere only when somebody says so', () => {
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost', 'a.localhost'])
    assert.equal(read(['--host', host]).access, 'open')
  assert.match(sentence(['--host', '0.0.0.0']), /give the keys with --credentials FILE, or say/)
  assert.equal(read(['--host', '0.0.0.0', '--access', 'open']).access, 'open')
  assert.equal(read(['--host', '0.0.0.0', '--credentials', 'keys.json']).access, 'verify')
  assert.match(sentence(['--access', 'verify']), /^--access verify needs the keys/)
  assert.equal(isLoopbackHost('::'), false)
  assert.equal(isLoopbackHost('localhost.example.com'), false)
})

test('a certificate and its key go together', () => {
  assert.match(sentence(['--tls-cert', 'a.pem']), /give both, or neither/)
  assert.equal(read(['--tls-cert', 'a.pem', '--tls-key', 'b.pem']).tlsKey, 'b.pem')
})

test('help and version win over mistakes in other sources', () => {
  assert.equal(readSettings({ argv: ['--help'], env: { MILLRACE_PORT: 'x' } }).kind, 'help')
  assert.equal(readSettings({ argv: ['-v'], env: {}, file: '{' }).kind, 'version')
})

test('help lists every setting with its default', () => {
  const help = helpText('1.2.3')
  for (const name of ['host', 'port', 'transition-ms', 'test-controls', 'stop-ms'])
    assert.match(help, new RegExp(`^  --${name}\\b.* Default: .*\\.$`, 'm'))
  assert.match(help, /^Millrace 1\.2\.3: /)
})
