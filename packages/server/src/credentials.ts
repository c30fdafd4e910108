// The credentials file that --credentials names: the access keys that `verify` knows. Only its text
// comes in here; what is wrong with it comes out as a SettingsError, without ever quoting a secret.
import type { AccessKey } from './access/access.ts'
import { SettingsError } from './config.ts'

/** Keys out of `{"accessKeys":[{"id","secret","account"}]}`; `path` is for the sentences. */
export function readAccessKeys(text: string, path: string): AccessKey[] {
  const fail = (what: string): never => {
    throw new SettingsError(
      `The credentials file ${path} ${what}. It must look like {"accessKeys":[{"id":"AKIA…","secret":"…","account":"123456789012"}]}.`,
    )
  }
  const content = parse(text)
  if (content === undefined) return fail("isn't JSON")
  const { accessKeys } = content as { accessKeys?: unknown }
  if (!Array.isArray(accessKeys)) return fail('has no list "accessKeys"')
  if (accessKeys.length === 0) return fail('names no access key')
  const ids = new Set<string>()
  for (const [index, key] of accessKeys.entries()) {
    const which = `has at place ${index + 1} of "accessKeys"`
    if (typeof key !== 'object' || key === null) return fail(`${which} something else than a key`)
    const { id, secret, account } = key as Record<string, unknown>
    const stray = Object.keys(key).find((name) => !MEMBERS.has(name))
    if (stray !== undefined) return fail(`${which} an unknown member "${stray}"`)
    if (typeof id !== 'string' || !/^\w{1,128}$/.test(id))
      return fail(`${which} a key whose "id" isn't 1 to 128 letters and digits`)
    if (typeof secret !== 'string' || secret === '') return fail(`${which} a key without "secret"`)
    if (typeof account !== 'string' || !/^\d{12}$/.test(account))
      return fail(`${which} a key whose "account" isn't 12 digits`)
    if (ids.has(id)) return fail(`${which} the id ${id} for the second time`)
    ids.add(id)
  }
  return accessKeys as AccessKey[]
}

const MEMBERS: ReadonlySet<string> = new Set(['id', 'secret', 'account'])

function parse(text: string): object | undefined {
  try {
    const content: unknown = JSON.parse(text)
    return typeof content === 'object' && content !== null ? content : undefined
  } catch {
    // The parser's own words could quote a secret.
    return undefined
  }
}
