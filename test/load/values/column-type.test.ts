import { expect, test } from '@jest/globals'
import { columnType } from '../../../src/load/values/column-type.ts'

test.each([
  ['numeric(12,2)', 'numeric', [12, 2]],
  ['character varying(20)', 'varchar', [20]],
  ['timestamp(3) with time zone', 'timestamptz', [3]],
  ['timestamptz(3)', 'timestamptz', [3]],
  ['bigint', 'int8', []],
  ['numeric(3, -2)', 'numeric', [3, -2]],
  ['character', 'bpchar', [1]],
  ['double precision', 'float8', []],
])('the type %s is %s with limits %p', (sql, base, limits) => {
  expect(columnType(sql)).toEqual({ sql, base, limits })
})
