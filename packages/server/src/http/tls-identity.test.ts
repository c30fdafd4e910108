import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLogger } from '@millrace/base/logger'
import {
  caFileIn,
  openTlsIdentity,
  TlsIdentityError,
  type TlsIdentityOptions,
} from './tls-identity.ts'

const NOW = Date.UTC(2026, 2, 1)
const DAY_MS = 24 * 60 * 60 * 1000

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const parent = await mkdtemp(join(tmpdir(), 'millrace-tls-'))
  try {
    await use(join(parent, 'tls'))
  } finally {
    await rm(parent, { recursive: true })
  }
}

function open(folder: string | undefined, options: Partial<TlsIdentityOptions> = {}) {
  return openTlsIdentity({
    folder,
    host: '127.0.0.1',
    nowMs: NOW,
    logger: silentLogger,
    ...options,
  })
}

test('a new folder gets a certificate for this machine under an authority of its own', () =>
  inFolder(async (folder) => {
    const { cert, key } = await open(folder, { host: 'millrace.test' })
    const certificate = new X509Certificate(cert)
    const authority = new X509Certificate(await readFile(caFileIn(folder)))
    assert.equal(certificate.ca, false)
    assert.equal(authority.ca, true)
    assert.ok(certificate.checkIssued(authority))
    assert.ok(certificate.verify(authority.publicKey))
    assert.ok(authority.verify(authority.publicKey))
    assert.ok(certificate.checkPrivateKey(createPrivateKey(key)))
    assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1')
    for (const name of ['localhost', 'millrace.test']) assert.ok(certificate.checkHost(name), name)
    assert.match(certificate.subjectAltName ?? '', /DNS:\*\.localhost/)
    for (const address of ['127.0.0.1', '::1']) assert.ok(certificate.checkIP(address), address)
    assert.equal(certificate.checkHost('elsewhere.test'), undefined)
    assert.ok(certificate.validFromDate.getTime() <= NOW)
    assert.ok(certificate.validToDate.getTime() > NOW + 800 * DAY_MS)
    assert.ok(certificate.validToDate.getTime() < NOW + 825 * DAY_MS)
  }))

test('only the owner may read the key, and the key of the authority is nowhere', () =>
  inFolder(async (folder) => {
    await open(folder)
    assert.deepEqual(await readdir(folder), ['ca.pem', 'cert.pem', 'key.pem'])
    assert.equal((await stat(join(folder, 'key.pem'))).mode & 0o777, 0o600)
    const key = createPrivateKey(await readFile(join(folder, 'key.pem')))
    const authority = new X509Certificate(await readFile(caFileIn(folder)))
    assert.equal(authority.checkPrivateKey(key), false)
  }))

test('what fits is kept; what is old, for other names, damaged or mixed up is made anew', () =>
  inFolder(async (folder) => {
    const first = await open(folder)
    assert.deepEqual(await open(folder), { cert: first.cert, key: first.key })
    assert.deepEqual(await open(folder, { host: 'localhost' }), {
      cert: first.cert,
      key: first.key,
    })

    const renewed = await open(folder, { nowMs: NOW + 800 * DAY_MS })
    assert.notEqual(renewed.cert, first.cert)
    const backInTime = await open(folder, { nowMs: NOW })
    assert.notEqual(backInTime.cert, renewed.cert)
    const named = await open(folder, { host: '10.1.2.3' })
    assert.ok(new X509Certificate(named.cert).checkIP('10.1.2.3'))

    for (const file of ['ca.pem', 'cert.pem', 'key.pem']) {
      await writeFile(join(folder, file), 'damaged')
      const healed = await open(folder)
      assert.deepEqual(await open(folder), { cert: healed.cert, key: healed.key })
    }

    const before = await open(folder)
    await copyFile(join(folder, 'key.pem'), join(folder, 'old.pem'))
    await rm(join(folder, 'cert.pem'))
    await open(folder)
    await copyFile(join(folder, 'old.pem'), join(folder, 'key.pem'))
    assert.notEqual((await open(folder)).key, before.key)
  }))

test('without a folder nothing is kept', async () => {
  assert.notEqual((await open(undefined)).cert, (await open(undefined)).cert)
})

test("the operator's own files are used, or refused with the reason", () =>
  inFolder(async (folder) => {
    const { cert, key } = await open(folder)
    const certFile = join(folder, 'cert.pem')
    const keyFile = join(folder, 'key.pem')
    assert.deepEqual(await open(undefined, { certFile, keyFile }), { cert, key })

    const refused = (files: { certFile: string; keyFile: string }, reason: RegExp) =>
      assert.rejects(open(folder, files), (error) => {
        assert.ok(error instanceof TlsIdentityError)
        assert.match(error.message, reason)
        return true
      })
    await refused({ certFile: caFileIn(folder), keyFile }, /doesn't belong to/)
    await refused({ certFile: join(folder, 'none.pem'), keyFile }, /can't be used for TLS: ENOENT/)
    await refused({ certFile: keyFile, keyFile }, /can't be used for TLS/)
  }))
