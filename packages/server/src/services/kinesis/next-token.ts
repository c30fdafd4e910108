// Tokens with which a listing goes on: sealed, so that they can't be forged or read, and good for five
// minutes. They hold all that is needed; nothing is kept here.
//
//   base64( nonce 12 bytes · AES-256-GCM( JSON { issuedMs, position } ) · tag 16 bytes )
//
// The operation's name is additional data: a token of one listing is no token of another.
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import type { Random } from '@millrace/base/random'
import { WireError } from '@millrace/wire/errors'
import { BOUNDS } from './limits.ts'
import type { KinesisSettings } from './settings.ts'
import { invalidArgument } from './stream-errors.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16
const CIPHER = 'aes-256-gcm'

/** `position` is any JSON value; `open` of it gives it back. */
export function sealNextToken(
  operation: string,
  position: unknown,
  nowMs: number,
  parts: { readonly settings: KinesisSettings; readonly random: Random },
): string {
  const nonce = parts.random.fill(new Uint8Array(NONCE_BYTES))
  const cipher = createCipheriv(CIPHER, tokenKey(parts.settings), nonce)
  cipher.setAAD(Buffer.from(operation))
  const text = JSON.stringify({ issuedMs: nowMs, position })
  const sealed = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]
  return Buffer.concat(sealed).toString('base64')
}

/** InvalidArgumentException when it isn't ours, ExpiredNextTokenException when it is too old. */
export function openNextToken(
  operation: string,
  token: string,
  nowMs: number,
  settings: KinesisSettings,
): unknown {
  const text = decipher(operation, Buffer.from(token, 'base64'), settings)
  if (text === undefined) throw invalidArgument('Invalid NextToken.')
  const { issuedMs, position } = JSON.parse(text) as { issuedMs: number; position: unknown }
  if (nowMs - issuedMs > BOUNDS.nextTokenLifeMs) {
    throw new WireError('ExpiredNextTokenException', 'NextToken has expired.')
  }
  return position
}

/** The name of the stream that a token of ours lists something of, however old it is. */
export function streamOfNextToken(
  operation: string,
  token: string,
  settings: KinesisSettings,
): string | undefined {
  const text = decipher(operation, Buffer.from(token, 'base64'), settings)
  if (text === undefined) return undefined
  const { position } = JSON.parse(text) as { position: { streamName?: unknown } | null }
  return typeof position?.streamName === 'string' ? position.streamName : undefined
}

/** Iterators are sealed with the same secret; a key of its own keeps their nonces apart. */
function tokenKey(settings: KinesisSettings): Buffer {
  return createHmac('sha256', settings.iteratorKey).update('next-token').digest()
}

function decipher(operation: string, bytes: Buffer, settings: KinesisSettings): string | undefined {
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined
  const nonce = bytes.subarray(0, NONCE_BYTES)
  const tagAt = bytes.length - TAG_BYTES
  const opener = createDecipheriv(CIPHER, tokenKey(settings), nonce, { authTagLength: TAG_BYTES })
  opener.setAAD(Buffer.from(operation))
  opener.setAuthTag(bytes.subarray(tagAt))
  const text = opener.update(bytes.subarray(NONCE_BYTES, tagAt), undefined, 'utf8')
  try {
    return text + opener.final('utf8')
  } catch {
    // The one way `final` fails: the tag doesn't match, so the token wasn't sealed here.
    return undefined
  }
}
