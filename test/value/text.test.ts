import { expect, test } from '@jest/globals'
import { shorten } from '../../src/value/text.ts'

test('shorten keeps texts of up to 500 characters, and begin and end of longer ones', () => {
  const short = 'x'.repeat(500)
  expect(shorten(short)).toBe(short)
  const columns = Array.from({ length: 1_600 }, (_, index) => `column_${index} text`).join(', ')
  const text = shorten(`create table shop.orders (${columns}, primary key (id))`)
  expect(text.length).toBeLessThan(550)
  expect(text).toMatch(/^create table shop\.orders \(column_0 text/)
  expect(text).toMatch(/column_1599 text, primary key \(id\)\)$/)
  expect(text).toMatch(/ … \[[\d,]+ characters omitted\] … /)
})
