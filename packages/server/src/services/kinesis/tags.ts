// What tags of streams may look like, and how many there may be. Texts are AWS's (observed) unless said
// otherwise.
import { BOUNDS } from './limits.ts'
import { invalidArgument } from './stream-errors.ts'

// Letters, digits and blanks of any script, as AWS documents; tabs, line ends, `;` and `,` are refused
// (observed). `%` passes here and is refused by the second check, with a text of its own (observed).
const VALID = /^[\p{L}\p{N}\p{M}\p{Z}_.:/=+\-@%]*$/u

const RESERVED = /^aws:/i

/** Tags about to be set: keys and values. */
export function checkNewTags(
  tags: Readonly<Record<string, string>>,
  stream: string,
  account: string,
): void {
  const failure = `Failed to add tags to stream ${stream} under account ${account}`
  checkCharacters([...Object.keys(tags), ...Object.values(tags)], failure)
  // Documented, without a text: the reason is ours.
  const reserved = Object.keys(tags).find((key) => RESERVED.test(key))
  if (reserved === undefined) return
  throw invalidArgument(
    `${failure} because the tag key ${reserved} begins with aws:, which is reserved for system use.`,
  )
}

/** Keys about to be removed. */
export function checkTagKeys(keys: readonly string[], stream: string, account: string): void {
  checkCharacters(keys, `Failed to remove tags from stream ${stream} under account ${account}`)
}

/** All tags a stream would have. AWS's text was seen with the 10 of earlier days; it is 50 by now. */
export function checkTagCount(
  tags: Readonly<Record<string, string>>,
  stream: string,
  account: string,
): void {
  if (Object.keys(tags).length <= BOUNDS.tagsPerStreamMax) return
  throw invalidArgument(
    `Failed to add tags to stream ${stream} under account ${account} because a given stream ` +
      `cannot have more than ${BOUNDS.tagsPerStreamMax} tags associated with it.`,
  )
}

function checkCharacters(texts: readonly string[], failure: string): void {
  if (texts.some((text) => !VALID.test(text))) {
    throw invalidArgument(
      'Some tags contain invalid characters. Valid characters: ' +
        'Unicode letters, digits, white space, _ . / = + - % @.',
    )
  }
  if (texts.some((text) => text.includes('%'))) {
    throw invalidArgument(
      `${failure} because some tags contained illegal characters. The allowed characters are ` +
        "Unicode letters, white-spaces, '_',',','/','=','+','-','@'.",
    )
  }
}

export interface Tag {
  Key: string
  Value: string
}

/** Sorted by key, those after `after`. */
export function sortedTags(tags: Readonly<Record<string, string>>, after?: string): Tag[] {
  return Object.entries(tags)
    .filter(([key]) => after === undefined || key > after)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([Key, Value]) => ({ Key, Value }))
}
