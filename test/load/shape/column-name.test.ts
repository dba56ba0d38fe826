import { describe, expect, test } from '@jest/globals'
import { columnName, ColumnNames } from '../../../src/load/shape/column-name.ts'
import { SchemaError } from '../../../src/model/errors.ts'

describe('columnName', () => {
  test.each([
    ['id', 'id'],
    ['userName', 'user_name'],
    ['HTMLParser', 'html_parser'],
    ['userID', 'user_id'],
    ['created-at', 'created_at'],
    ['a b', 'a_b'],
    ['@odata.nextLink', '_odata_next_link'],
    ['123BaNaNa', '_123_ba_na_na'],
    ['event-.!:*<>value', 'event_value'],
    ['Größe', 'größe'],
    ['__typename', '__typename'],
    ['xmin', 'xmin_'],
    ['', '_'],
  ])('of the field %p is %p', (field, name) => {
    expect(columnName(field)).toBe(name)
  })

  test('cuts a name longer than 63 bytes at a character and adds a hash', () => {
    const [one, other] = [columnName(`${'ä'.repeat(60)}1`), columnName(`${'ä'.repeat(60)}2`)]
    expect(one).not.toBe(other)
    for (const name of [one, other]) {
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63)
      expect(name.isWellFormed()).toBe(true)
    }
  })

  test.each([
    ['+1', '-1'],
    ['aB', 'a_b'],
    ['A-B', 'a b'],
  ])('of %p and %p is the same, which is an error that names both', (one, other) => {
    const names = new ColumnNames('shop.orders')
    names.of(one)
    expect(() => names.of(other)).toThrow(SchemaError)
    expect(() => names.of(other)).toThrow(`the fields ${JSON.stringify(one)} and ${JSON.stringify(other)}`)
    expect(names.of(one)).toBe(columnName(one))
  })
})
