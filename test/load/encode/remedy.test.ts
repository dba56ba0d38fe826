import { describe, expect, test } from '@jest/globals'
import type { ColumnDeclaration } from '../../../src/model/recipe.ts'
import { testDatabase } from '../../support/database.ts'
import { load, table } from '../support.ts'

const ALTER = 'alter table "shop"."orders" alter column "v" type'

describe('the reason of a reject says what would admit the record:', () => {
  test.each<[string, ColumnDeclaration, unknown, string]>([
    [
      "emptyText for ''",
      'timestamptz',
      '',
      '"" does not fit timestamp with time zone: it needs a day and a time that exist, and an offset. ' +
        "Declare columns: { v: { type: 'timestamptz', emptyText: 'null' } } to read it as null",
    ],
    [
      'with the options that are declared already',
      { type: 'numeric(5,2)', round: true },
      '',
      '"" does not fit numeric(5,2). ' +
        "Declare columns: { v: { type: 'numeric(5,2)', round: true, emptyText: 'null' } } to read it as null",
    ],
    [
      'a zone for a local time',
      'timestamptz',
      '2024-01-31 10:00:00',
      '"2024-01-31 10:00:00" does not fit timestamp with time zone: it has no offset. ' +
        "Declare columns: { v: { type: 'timestamptz', zone: 'Europe/Berlin' } } to read it on that zone's clock, " +
        `or columns: { v: 'text' } after ${ALTER} text using `,
    ],
    [
      'text for a time that comes twice',
      { type: 'timestamptz', zone: 'Europe/Berlin' },
      '2024-10-27 02:30:00',
      '"2024-10-27 02:30:00" comes twice in Europe/Berlin: the clock is put back over it. ' +
        `Declare columns: { v: 'text' } after`,
    ],
    [
      'round for nanoseconds',
      'timestamptz',
      '2024-01-01T00:00:00.123456789Z',
      "without being rounded. Declare columns: { v: { type: 'timestamptz', round: true } } to store it rounded, or",
    ],
    [
      'round, or a type with more digits',
      'numeric(5,2)',
      1.255,
      "1.255 does not fit numeric(5,2) without being rounded. Declare columns: { v: { type: 'numeric(5,2)', " +
        `round: true } } to store it rounded, or columns: { v: 'numeric' } after ${ALTER} numeric using "v"::numeric`,
    ],
    [
      'round, or text, for a text that is too long',
      'varchar(3)',
      'abcd',
      `without being cut. Declare columns: { v: { type: 'varchar(3)', round: true } } to store it cut, ` +
        `or columns: { v: 'text' } after ${ALTER} text`,
    ],
    ['a wider type', 'smallint', 40_000, `40000 is out of range of smallint. Declare columns: { v: 'bigint' } after`],
    ['a wider type for digits in a text', 'integer', '1.5', `Declare columns: { v: 'numeric' } after`],
    [
      'jsonb for an object',
      'integer',
      { a: 1 },
      `Declare columns: { v: 'jsonb' } after ${ALTER} jsonb using to_jsonb(`,
    ],
    ['a stage for what no column can hold', 'numeric', NaN, 'Correct it in a stage such as .map()'],
    ['a stage for a type of its own', 'uuid', { a: 1 }, 'Correct it in a stage such as .map()'],
    ["emptyText for '' that only the database refuses", 'uuid', '', "emptyText: 'null' to read '' as null"],
  ])('%s', async (_, declaration, value, reason) => {
    await using test = await testDatabase()
    const { rejects } = await load(test.database, table({ columns: { v: declaration } }), [{ id: 1, v: value }])
    expect(rejects).toHaveLength(1)
    expect(rejects[0]?.reason).toContain(reason)
  })

  test('a declaration or a statement that it names lets the record in', async () => {
    const cases: readonly [ColumnDeclaration, unknown, unknown][] = [
      ['timestamptz', '2024-01-01T00:00:00Z', '2024-01-01T00:00:00.123456789Z'],
      ['timestamptz(3)', '2024-01-01T00:00:00Z', '2024-01-01T00:00:00.1234Z'],
      ['timestamp', '2024-01-01T00:00:00', '2024-01-01T00:00:00+02:00'],
      ['date', '2024-01-01', '2024-01-01T10:00:00Z'],
      ['numeric(5,2)', 1.25, 1.255],
      ['real', 0.5, 16_777_217],
      ['smallint', 1, 40_000],
      ['varchar(3)', 'abc', 'abcd'],
      ['boolean', true, 'maybe'],
      ['timestamptz', '2024-01-01T00:00:00Z', { a: 1 }],
    ]
    for (const [type, good, bad] of cases) {
      await using test = await testDatabase()
      const { database } = test
      const { rejects } = await load(database, table({ columns: { v: type } }), [
        { id: 1, v: good },
        { id: 2, v: bad },
      ])
      const [, declared = '', statement = ''] =
        /columns: { v: '([^']+)' } after (alter .+)$/.exec(rejects[0]!.reason) ?? []
      await database.query(statement)
      const { counts } = await load(database, table({ columns: { v: declared } }), [{ id: 2, v: bad }])
      expect({ type, ...counts }).toMatchObject({ type, inserted: 1, rejected: 0 })
    }
  })

  test('and why the version and the key do not become text', async () => {
    await using test = await testDatabase()
    const definition = table({ key: ['at'], versionBy: 'v' })
    const time = '2024-01-01T00:00:00Z'
    await load(test.database, definition, [{ at: time, v: time }])
    const { rejects } = await load(test.database, definition, [
      { at: '2024-01-01 00:00:00', v: time },
      { at: time, v: '2024-01-01T00:00:00.123456789Z' },
    ])
    expect(rejects.map(({ reason }) => reason)).toEqual([
      'at: "2024-01-01 00:00:00" does not fit timestamp with time zone: it has no offset. ' +
        'It belongs to the key, which does not become another type. ' +
        "Declare columns: { at: { type: 'timestamptz', zone: 'Europe/Berlin' } } to read it on that zone's clock",
      'v: "2024-01-01T00:00:00.123456789Z" does not fit timestamp with time zone without being rounded. ' +
        'It is the version of its row, which does not become text or jsonb. ' +
        "Declare columns: { v: { type: 'timestamptz', round: true } } to store it rounded",
    ])
  })
})
