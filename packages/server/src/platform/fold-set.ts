// All folds of the catalog as one: a command goes to the fold that its kind names, a snapshot holds
// the state of each. What this program doesn't know (a kind, a higher format version) is never passed
// over, since the state would then be wrong: it is refused with a sentence that names it.
import { assert } from '@millrace/base/assert'
import { StorageError } from '@millrace/storage/engine'
import type { Command, Fold } from './fold.ts'

/** The state of all folds, by their names, as JSON values. */
export type CatalogState = Readonly<Record<string, FoldState>>

interface FoldState {
  /** The writer's `Fold.versions`: a program that knows less must not restore the state. */
  readonly versions: Readonly<Record<string, number>>
  readonly state: unknown
}

export class FoldSet {
  readonly #folds = new Map<string, Fold>()

  constructor(folds: Iterable<Fold>) {
    for (const fold of folds) {
      assert(!this.#folds.has(fold.name), `two folds are named ${fold.name}`)
      for (const kind of Object.keys(fold.versions))
        assert(nameOf(kind) === fold.name, `${kind} is not a kind of the fold ${fold.name}`)
      this.#folds.set(fold.name, fold)
    }
  }

  /** Throws a StorageError `unknown-format` for a command this program doesn't know. */
  check(command: Command): Fold {
    const fold = this.#folds.get(nameOf(command.kind))
    const known = fold?.versions[command.kind]
    if (fold === undefined || known === undefined || command.version > known)
      throw unknownCommand(command.kind, command.version)
    return fold
  }

  /** Applies one command to its fold; false means that it lost. */
  apply(command: Command): boolean {
    return this.check(command).apply(command)
  }

  state(): CatalogState {
    const state: Record<string, FoldState> = {}
    for (const [name, fold] of this.#folds)
      state[name] = { versions: fold.versions, state: fold.snapshot() }
    return state
  }

  /** Brings a state into fresh folds; a fold that it doesn't hold stays fresh. */
  restore(state: CatalogState): void {
    for (const [name, { versions }] of Object.entries(state)) {
      const fold = this.#folds.get(name)
      if (fold === undefined) throw unknownCommand(name, 1)
      for (const [kind, version] of Object.entries(versions)) {
        const known = fold.versions[kind]
        if (known === undefined || version > known) throw unknownCommand(kind, version)
      }
    }
    for (const [name, fold] of this.#folds) {
      const part = state[name]
      if (part !== undefined) fold.restore(part.state)
    }
  }
}

function nameOf(kind: string): string {
  const dot = kind.indexOf('.')
  return dot < 0 ? kind : kind.slice(0, dot)
}

function unknownCommand(kind: string, version: number): StorageError {
  return new StorageError(
    'unknown-format',
    `The catalog holds "${kind}" in format ${version}, which this version of Millrace doesn't know. Start the version that wrote it or a newer one, or choose another folder with --data.`,
  )
}
