import { describe, expect, test } from '@jest/globals'
import { versionOrder } from '../../../src/load/encode/version-order.ts'
import { columnType } from '../../../src/load/values/column-type.ts'
import { SchemaError } from '../../../src/model/errors.ts'

describe('versionOrder', () => {
  test('compares texts by their bytes, and takes null as the oldest', () => {
    const order = versionOrder(columnType('text'), 'v')
    expect(Math.sign(order('\u{1F600}', '\uFFFD'))).toBe(1)
    expect(order('\\N', 'a')).toBe(-1)
    expect(order('a', '\\N')).toBe(1)
    expect(order('\\N', '\\N')).toBe(0)
    expect(() => versionOrder(columnType('jsonb'), 'v')).toThrow(SchemaError)
  })
})
