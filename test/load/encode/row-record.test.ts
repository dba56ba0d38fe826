import { expect, test } from '@jest/globals'
import { rowRecord } from '../../../src/load/encode/row-record.ts'
import { columnType } from '../../../src/load/values/column-type.ts'
import { Decimal } from '../../../src/value/decimal.ts'

const columnsOf = (types: Readonly<Record<string, string>>) =>
  Object.entries(types).map(([name, sql]) => ({
    field: name,
    name,
    type: columnType(sql),
    key: false,
    declared: false,
    round: false,
  }))

test('a number inside JSON keeps its value, even a short one that a double cannot hold', () => {
  const line = String.raw`{"huge":1e400,"tiny":1e-400,"list":[12345678901234567890,0.5]}` + '\n'
  expect(rowRecord(line, { columns: columnsOf({ doc: 'jsonb' }) })).toEqual({
    doc: {
      huge: new Decimal('1e400'),
      tiny: new Decimal('1e-400'),
      list: [12_345_678_901_234_567_890n, 0.5],
    },
  })
})

test('a line becomes a record with null, booleans, exact numbers and unescaped text', () => {
  const texts = ['\\N', 'true', '9007199254740993', '0.10000000000000000001', String.raw`a\tb\\c`]
  const line = `${texts.join('\t')}\n`
  expect(
    rowRecord(line, {
      columns: columnsOf({ none: 'int', ok: 'boolean', id: 'bigint', amount: 'numeric', name: 'text' }),
    }),
  ).toEqual({
    none: null,
    ok: true,
    id: 9_007_199_254_740_993n,
    amount: new Decimal('0.10000000000000000001'),
    name: 'a\tb\\c',
  })
})
