// Who signed a request. In `open` the signature only has to be well formed: a 12-digit access key is
// the account, and the region comes from the credential's scope. The same credential comes back with
// every request of a client, so the good path is two searches and one lookup.

import { WireError } from '@millrace/wire/errors'
import { readClaim, readCredential, TERMINATOR } from '@millrace/wire/sigv4'
import type { HttpRequest } from '../http/message.ts'
import type { AccessOptions, Caller } from './access.ts'

type Authenticate = (request: HttpRequest, signingName: string) => Caller

/** Credentials remembered in `open`; a client has one per day, region and service. */
const CALLERS_MAX = 4096

export function createAuthenticate(options: AccessOptions): Authenticate {
  return openAuthenticate(options.account)
}

function openAuthenticate(account: string): Authenticate {
  const callers = new Map<string, Map<string, Caller>>()
  return (request, signingName) => {
    const known = callers.get(signingName)?.get(quickCredential(request) ?? '')
    if (known !== undefined) return known
    const claim = readClaim(request)
    const scope = readCredential(claim.credential)
    if (scope.service !== signingName) {
      throw new WireError(
        'InvalidSignatureException',
        `Credential should be scoped to correct service: '${signingName}'. `,
      )
    }
    if (scope.terminator !== TERMINATOR) {
      throw new WireError(
        'InvalidSignatureException',
        `Credential should be scoped with a valid terminator: '${TERMINATOR}', not '${scope.terminator}'. `,
      )
    }
    const caller: Caller = {
      account: /^\d{12}$/.test(scope.accessKeyId) ? scope.accessKeyId : account,
      region: scope.region,
      accessKeyId: scope.accessKeyId,
    }
    let ofService = callers.get(signingName)
    if (ofService === undefined || ofService.size >= CALLERS_MAX) {
      ofService = new Map()
      callers.set(signingName, ofService)
    }
    ofService.set(claim.credential, caller)
    return caller
  }
}

/**
 * The credential of a complete header as SDKs write it, or undefined for anything else. Only what
 * `readClaim` would accept may pass, so all parts are looked for.
 */
function quickCredential(request: HttpRequest): string | undefined {
  const header = request.headers.authorization
  if (header === undefined || request.headers['x-amz-date'] === undefined) return undefined
  if (!header.startsWith('AWS4-HMAC-SHA256 Credential=') || request.target.includes('?')) {
    return undefined
  }
  const comma = header.indexOf(',', 28)
  if (comma < 0) return undefined
  const signedHeaders = header.indexOf(' SignedHeaders=', comma)
  const signature = header.indexOf(' Signature=', comma)
  if (signedHeaders < 0 || signature < 0 || signature + 11 >= header.length) return undefined
  return header.slice(28, comma)
}
