// Makes the certificate that Millrace shows on its TLS port: an authority of its own (what clients are
// told to trust) and under it one for this machine's names. The authority's key is thrown away at once,
// so that whoever trusts it trusts this one certificate and nothing that could be made later.
//
// Only the first start of a data folder comes here, so the library is loaded here and nowhere else.
import type { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

/** All in PEM. */
export interface Certificate {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const DAY_MS = 24 * 60 * 60 * 1000
/** macOS accepts no more than 825 days, whoever signed. */
const VALID_DAYS = 820
/** Clocks of clients may be behind ours. */
const BACKDATED_DAYS = 1

/** `names` are DNS names (a wildcard may lead) and IP addresses; `nowMs` is wall time. */
export async function makeCertificate(
  names: readonly string[],
  nowMs: number,
): Promise<Certificate> {
  const notBefore = new Date(nowMs - BACKDATED_DAYS * DAY_MS)
  const notAfter = new Date(nowMs + VALID_DAYS * DAY_MS)
  const authorityKeys = await keyPair()
  const keys = await keyPair()
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Millrace local authority',
    notBefore,
    notAfter,
    signingAlgorithm: ALGORITHM,
    keys: authorityKeys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(authorityKeys.publicKey),
    ],
  })
  const cert = await x509.X509CertificateGenerator.create({
    subject: 'CN=localhost',
    issuer: authority.subject,
    notBefore,
    notAfter,
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: authorityKeys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((name) => ({ type: isIP(name) === 0 ? 'dns' : 'ip', value: name })),
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authorityKeys.publicKey),
    ],
  })
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
  return {
    ca: pem(authority),
    cert: pem(cert),
    key: `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`,
  }
}

async function keyPair(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`
}
