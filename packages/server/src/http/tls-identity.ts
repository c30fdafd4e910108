// The certificate and key of the TLS side of the port: the ones the operator names, or those kept in
// DATA/tls, or new ones. Kept ones are used as long as they fit: readable, belonging together, made for
// all the names wanted, and good for another month. The key is readable by its owner alone.
//
// This is no data of Millrace's: it doesn't go through `Disk`, whose simulated twin has no sockets.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import type { Logger } from '@millrace/base/logger'

/** In PEM. */
export interface TlsIdentity {
  readonly cert: string
  readonly key: string
}

export interface TlsIdentityOptions {
  /** DATA/tls; undefined keeps nothing (the memory engine). */
  readonly folder: string | undefined
  /** The host listened on; `localhost` and the loopback addresses are always included. */
  readonly host: string
  /** Paths of the operator's own files, both or neither. */
  readonly certFile?: string | undefined
  readonly keyFile?: string | undefined
  /** Wall time, ms. */
  readonly nowMs: number
  readonly logger: Logger
}

/** What `--tls-cert` and `--tls-key` name can't be used; the message says why. */
export class TlsIdentityError extends Error {
  override readonly name = 'TlsIdentityError'
}

const MONTH_MS = 30 * 24 * 60 * 60 * 1000
const FILES = { ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem' } as const

/** Where clients find what to trust, once `openTlsIdentity` has resolved. */
export function caFileIn(folder: string): string {
  return join(folder, FILES.ca)
}

export async function openTlsIdentity(options: TlsIdentityOptions): Promise<TlsIdentity> {
  const { certFile, folder, keyFile, nowMs, logger } = options
  if (certFile !== undefined && keyFile !== undefined) return named(certFile, keyFile)
  const names = namesFor(options.host)
  const kept = folder === undefined ? undefined : await read(folder)
  if (kept !== undefined && fits(kept, names, nowMs)) return kept
  const { makeCertificate } = await import('./certificate.ts')
  const made = await makeCertificate(names, nowMs)
  if (folder !== undefined) {
    await mkdir(folder, { recursive: true })
    // In an order that a crash may interrupt anywhere: files that don't fit are made anew.
    await replace(join(folder, FILES.key), made.key)
    await replace(join(folder, FILES.cert), made.cert)
    await replace(join(folder, FILES.ca), made.ca)
    logger.info('made a TLS certificate', { names: names.join(' '), ca: caFileIn(folder) })
  }
  return made
}

/** Names and addresses that the certificate is made for. */
export function namesFor(host: string): string[] {
  const names = ['localhost', '*.localhost', '127.0.0.1', '::1']
  const isEverywhere = host === '0.0.0.0' || host === '::' || host === ''
  if (!isEverywhere && !names.includes(host)) names.push(host)
  return names
}

async function named(certFile: string, keyFile: string): Promise<TlsIdentity> {
  try {
    const cert = await readFile(certFile, 'utf8')
    const key = await readFile(keyFile, 'utf8')
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
      throw new TlsIdentityError(`The key in ${keyFile} doesn't belong to ${certFile}.`)
    }
    return { cert, key }
  } catch (error) {
    if (error instanceof TlsIdentityError) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new TlsIdentityError(`${certFile} and ${keyFile} can't be used for TLS: ${why}`, {
      cause: error,
    })
  }
}

async function read(folder: string): Promise<TlsIdentity | undefined> {
  try {
    const cert = await readFile(join(folder, FILES.cert), 'utf8')
    const key = await readFile(join(folder, FILES.key), 'utf8')
    const ca = new X509Certificate(await readFile(join(folder, FILES.ca), 'utf8'))
    return new X509Certificate(cert).verify(ca.publicKey) ? { cert, key } : undefined
  } catch {
    // Not there, or not readable as what it should be: then there is nothing to keep.
    return undefined
  }
}

function fits({ cert, key }: TlsIdentity, names: readonly string[], nowMs: number): boolean {
  try {
    const certificate = new X509Certificate(cert)
    return (
      certificate.checkPrivateKey(createPrivateKey(key)) &&
      certificate.validFromDate.getTime() <= nowMs &&
      certificate.validToDate.getTime() > nowMs + MONTH_MS &&
      names.every((name) =>
        // OpenSSL matches no host with a wildcard right below the root, so the names are compared.
        isIP(name) === 0
          ? (certificate.subjectAltName ?? '').split(', ').includes(`DNS:${name}`)
          : certificate.checkIP(name) !== undefined,
      )
    )
  } catch {
    // The key isn't one.
    return false
  }
}

async function replace(path: string, text: string): Promise<void> {
  const fresh = `${path}.new`
  await writeFile(fresh, text, { mode: 0o600 })
  // A file left over from an earlier try keeps its mode.
  await chmod(fresh, path.endsWith(FILES.key) ? 0o600 : 0o644)
  await rename(fresh, path)
}
