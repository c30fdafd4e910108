// The specification of engine.ts as tests: each sentence of the contract has its test in the folder
// beside this file, and every engine passes all of them. An engine's own test file calls
// `engineConformance` with a way to open it.
import { describe, test } from 'node:test'
import { appendTests } from './conformance/appends.ts'
import { groupTests } from './conformance/groups.ts'
import { modelTests } from './conformance/model.ts'
import { readTests } from './conformance/reads.ts'
import { restartTests } from './conformance/restarts.ts'
import {
  type ConformanceCapabilities,
  type OpenEngineUnderTest,
  withStand,
} from './conformance/stand.ts'
import { trimTests } from './conformance/trims.ts'

export type {
  ConformanceCapabilities,
  EngineUnderTest,
  OpenEngineUnderTest,
} from './conformance/stand.ts'

/** Registers the suite with node:test. `name` heads the tests and begins the directory keys. */
export function engineConformance(
  name: string,
  open: OpenEngineUnderTest,
  capabilities: ConformanceCapabilities,
): void {
  describe(`${name} engine`, () => {
    const stand = { name, open, capabilities }
    for (const suite of [groupTests, appendTests, readTests, trimTests]) {
      suite((title, body) => test(title, () => withStand(stand, body)))
    }
    if (capabilities.isDurable) {
      restartTests((title, body) => test(title, () => withStand(stand, body)))
    }
    modelTests(stand)
  })
}
