// What the harness must know of a server to run it beside the others.

export type Place = {
  /** A port that was free a moment ago. */
  readonly port: number
  /** An empty folder of its own, or one that an earlier start filled. */
  readonly dataDir: string
}

export type Launch = {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Printed on stdout when ready, with the port as its first group; without it the port is tried. */
  readonly readyLine?: RegExp
}

/** What a contestant can be asked; what it cannot is left out of its scenarios. */
export type Ability = 'http1' | 'http2' | 'cbor' | 'put' | 'get' | 'streams' | 'retains' | 'disk'

export type Contestant = {
  /** As `--contestants` names it. */
  readonly name: string
  readonly title: string
  readonly kind: 'millrace' | 'peer' | 'floor'
  /** What an acknowledgement promises, in a few words. */
  readonly durability: string
  readonly abilities: readonly Ability[]
  /** Answers one constant: nothing to set up, nothing to check. */
  readonly isConstant?: true
  /** Why it cannot run here, and what would help; nothing when it can. */
  missing(): string | undefined
  launch(place: Place): Launch
}
