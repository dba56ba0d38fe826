import { expect, test } from '@jest/globals'
import { testDatabase } from '../support/database.ts'
import { MODES } from './documents.ts'
import { isStored } from './is-stored.ts'
import { readJson } from './read-json.ts'
import { tryRound } from './round.ts'

// `npm run poison` writes 1,000,000 documents; here is a sample, another one for another seed:
// SLUICE_POISON_SEED=70 npm run jest -- test/poison
const first = Number(process.env['SLUICE_POISON_SEED'] ?? 1)

test.each([...MODES.entries()])(
  '%i: a value is equal in the table or its record is rejected: %s',
  async (index, mode) => {
    await using store = await testDatabase()
    const { database, url } = store
    const { plan, problems, stored, sent } = await tryRound({
      database,
      url,
      mode,
      seed: first + index,
      documents: 150,
    })
    expect(problems).toEqual([])
    // The documents are poisoned, but most of their values can be stored.
    expect(stored).toBeGreaterThan(plan.hasClash ? -1 : sent / 4)
  },
)

test.each([
  ['1', 'int8', '1.0', true],
  ['9007199254740993', 'int8', '9007199254740992', false],
  ['1.50', 'numeric', '15e-1', true],
  ['1.5', 'numeric', '"1.50"', false],
  ['1704067200.500000', 'timestamptz', '"2024-01-01T01:00:00.5+01:00"', true],
  ['1704067200.500000', 'timestamptz', '"2024-01-01T01:00:00.500001+01:00"', false],
  ['-62135596801.000000', 'timestamptz', '"0000-12-31T23:59:59Z"', true],
  ['a', 'text', String.raw`"\u0061"`, true],
  ['a', 'text', '"A"', false],
  ['', 'text', 'null', false],
  ['{"a": 1, "__proto__": 2.0}', 'jsonb', '{"__proto__":3,"a":1.0,"__proto__":2}', true],
  ['{"a": 1}', 'jsonb', '{"a":1,"b":null}', false],
  ['[1, 2]', 'jsonb', '[2,1]', false],
])('the comparison knows that %s as %s is %s: %s', (stored, type, sent, isSame) => {
  expect(isStored(stored, { name: 'v', type, isDeclared: false }, readJson(sent))).toBe(isSame)
})
