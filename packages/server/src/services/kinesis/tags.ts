// What tags of streams may look like, and how many there may be. Texts are AWS's (observed), the
// "10" of the last one included, though 50 are allowed today.
import { BOUNDS } from './limits.ts'
import { invalidArgument } from './stream-errors.ts'

// Letters, digits and blanks of any script, as AWS documents; tabs, line ends, `;` and `,` are refused
// (observed). `%` passes here and is refused by the second check, with a text of its own (observed).
const VALID = /^[\p{L}\p{N}\p{M}\p{Z}_.:/=+\-@%]*$/u

/** Tags about to be set: keys and values. */
export function checkNewTags(
  tags: Readonly<Record<string, string>>,
  stream: string,
  account: string,
): void {
  checkCharacters(
    [...Object.keys(tags), ...Object.values(tags)],
    `Failed to add tags to stream ${stream} under account ${account}`,
  )
}

/** Keys about to be removed. */
export function checkTagKeys(keys: readonly string[], stream: string, account: string): void {
  checkCharacters(keys, `Failed to remove tags from stream ${stream} under account ${account}`)
}

/** All tags a stream would have. */
export function checkTagCount(
  tags: Readonly<Record<string, string>>,
  stream: string,
  account: string,
): void {
  if (Object.keys(tags).length <= BOUNDS.tagsPerStreamMax) return
  throw invalidArgument(
    `Failed to add tags to stream ${stream} under account ${account} because a given stream ` +
      'cannot have more than 10 tags associated with it.',
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
