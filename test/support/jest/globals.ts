// Takes the place of `@jest/globals`, which only Jest's own loader provides. Each test file has its own copy.
import type * as Globals from '@jest/globals'

/** Where `run-file.ts` leaves the globals of the test file that it imports. */
const given = (globalThis as unknown as Record<symbol, typeof Globals>)[Symbol.for('sluice.jest.globals')]
if (!given) throw new Error('This module imports @jest/globals, and no test file runs that could have imported it.')

export const { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest, test } = given
