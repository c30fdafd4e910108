// What a slice keeps in the catalog: a deterministic fold over commands. The catalog's log is the
// truth; state is what comes out of applying it from the start. So `apply` holds no validation, no
// arithmetic on time and no chance: commands carry decided facts.

/** A decided fact. `kind` names it for ever (`kinesis.stream-created`); `version` is its own format. */
export interface Command {
  readonly kind: string
  readonly version: number
  readonly [fact: string]: unknown
}

export interface Fold {
  /** The first part of the kinds it applies: `kinesis` for `kinesis.stream-created`. */
  readonly name: string
  /** Kinds with the highest version of each that this program knows. */
  readonly versions: Readonly<Record<string, number>>
  /**
   * Applies one command. False means that it lost: the entity isn't in the version that the command
   * was decided on, and nothing has changed.
   */
  apply(command: Command): boolean
  /** The whole state as JSON values; `restore` of it into a fresh fold gives the same state. */
  snapshot(): unknown
  restore(snapshot: unknown): void
}

export interface CatalogWriter {
  /**
   * Makes the command durable, applies it, and says whether it was applied or lost to an earlier
   * command on the same entity. `isUrgent` is for commands that free space.
   */
  commit(command: Command, options?: { readonly isUrgent?: boolean }): Promise<boolean>
}
