import { beforeAll, test } from '@jest/globals'

/**
 * Declares tests whose bodies run at once, before the first of them is told.
 *
 * Not `test.concurrent`: when the first of its tests ends, Jest 30 refuses an `import()` in those that still run
 * ("outside of the scope of the test code"), and what a run loads late is then an error of its stream.
 */
export function testsAtOnce(bodies: Readonly<Record<string, () => Promise<void>>>): void {
  const names = Object.keys(bodies)
  let outcomes: readonly PromiseSettledResult<void>[] = []
  beforeAll(async () => {
    outcomes = await Promise.allSettled(Object.values(bodies).map((body) => body()))
  })
  // oxlint-disable-next-line jest/expect-expect -- The bodies assert.
  test.each(names)('%s', (name) => {
    const outcome = outcomes[names.indexOf(name)]
    if (outcome?.status !== 'fulfilled') throw outcome?.reason ?? new Error('it did not run')
  })
}
