import { expect, test } from '@jest/globals'
import { DEFAULTS, resolveBatch, resolveMemory } from '../../src/run/options.ts'

test('limits of a batch are rows, a size and a duration, with defaults', () => {
  expect(resolveBatch()).toEqual(DEFAULTS.batch)
  expect(resolveBatch({ rows: 5, bytes: '1MB', every: '2s' })).toEqual({ rows: 5, bytes: 1_048_576, everyMs: 2_000 })
  expect(resolveBatch({ bytes: 1_000 }).bytes).toBe(1_000)
  expect(resolveMemory('64MB')).toBe(DEFAULTS.memory)
  expect(resolveMemory(undefined)).toBe(DEFAULTS.memory)
})

test('a wrong limit is named with its option and the remedy', () => {
  expect(() => resolveBatch({ every: 2_000 as never })).toThrow(
    "batch.every is a duration with its unit, such as '2s' or '500ms', not 2000",
  )
  expect(() => resolveBatch({ every: 'soon' as never })).toThrow(/^batch\.every: /)
  expect(() => resolveBatch({ bytes: '1 MB' as never })).toThrow(/^batch\.bytes: .*'64MB'/)
  expect(() => resolveMemory('much' as never)).toThrow(/^memory: /)
})
