import { expect, test } from '@jest/globals'
import { quoteIdentifier, quoteLiteral, quoteTable, splitTable } from '../../src/database/quote.ts'
import { testDatabase } from '../support/database.ts'

const nasty = [
  'plain',
  `it's`,
  `a"b`,
  'a\\b',
  `\\' or 1 = 1 --`,
  'новый 表 🎉',
  'line\nbreak',
  '$$;drop table x',
  '%s $1 ?',
  ' ',
  'A',
]

test('quoted names and texts are read back unchanged under any setting', async () => {
  await using own = await testDatabase()
  await using transaction = await own.database.transaction()
  for (const setting of ['on', 'off']) {
    await transaction.run(`set local standard_conforming_strings = ${setting}`)
    for (const text of nasty) {
      expect(await transaction.query(`select ${quoteLiteral(text)} as ${quoteIdentifier(text)}`)).toEqual([
        { [text]: text },
      ])
    }
  }
})

test('the name of a table is split at its first dot; without one it is in public', async () => {
  expect(quoteTable('billing.customers')).toBe('"billing"."customers"')
  expect(quoteTable('Weird "one".a.b')).toBe('"Weird ""one"""."a.b"')
  expect(quoteTable('customers')).toBe('"public"."customers"')
  expect(splitTable('a.b.c')).toEqual({ schema: 'a', table: 'b.c' })
})

test('null is NULL, numbers are texts, and NUL is refused', () => {
  expect([quoteLiteral(null), quoteLiteral(undefined), quoteLiteral(12n), quoteLiteral(true)]).toEqual([
    'null',
    'null',
    `'12'`,
    `'true'`,
  ])
  expect(() => quoteLiteral('a\0b')).toThrow(RangeError)
  expect(() => quoteIdentifier('a\0b')).toThrow(RangeError)
  expect(() => quoteIdentifier('')).toThrow(RangeError)
})
