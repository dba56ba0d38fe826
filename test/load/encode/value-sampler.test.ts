import { expect, test } from '@jest/globals'
import type { EncodedPage } from '../../../src/load/encode/encoded-page.ts'
import { ValueSampler } from '../../../src/load/encode/value-sampler.ts'
import { NewTable } from '../../../src/load/new-table.ts'
import { NeedsSchemaChange } from '../../../src/load/shape/schema-change.ts'
import { TableEncoder } from '../../../src/load/table-encoder.ts'
import { columnType } from '../../../src/load/values/column-type.ts'
import { page, table } from '../support.ts'

const column = (field: string, more: object = {}) => ({
  field,
  name: field,
  type: columnType('text'),
  key: false,
  declared: false,
  round: false,
  ...more,
})
const columns = [column('id'), column('title'), column('note', { emptyIsNull: true })]
const records = (number: number, of: (index: number) => object) => Array.from({ length: number }, (_, n) => of(n))

test('eight records of a page are sampled, and fields without a value are left out', () => {
  const sampler = new ValueSampler()
  const page = records(100, (id) => ({ id, title: id < 50 ? 'a' : null, note: '' }))
  expect(sampler.take(page, columns, Uint8Array.of(1, 1, 0))).toEqual(
    new Map([
      ['id', [8, 8]],
      ['title', [4, 8]],
    ]),
  )
})

test('a value that the sample missed counts as one, with all records that were sampled before', () => {
  const sampler = new ValueSampler()
  const empty = records(100, (id) => ({ id, title: null }))
  sampler.take(empty, columns, Uint8Array.of(1, 0, 0))
  expect(sampler.take(empty, columns, Uint8Array.of(1, 1, 0)).get('title')).toEqual([1, 16])
  expect(sampler.take(empty, columns, Uint8Array.of(1, 1, 0)).get('title')).toEqual([0, 8])
})

test('at most 2,000 records of a reading are sampled, and later fields are still noticed', () => {
  const sampler = new ValueSampler()
  const page = records(8, (id) => ({ id }))
  let sampled = 0
  for (let number = 0; number < 300; number += 1)
    sampled += sampler.take(page, columns, Uint8Array.of(1, 0, 0)).get('id')?.[1] ?? 0
  expect(sampled).toBe(2_000)
  expect(sampler.take(page, columns, Uint8Array.of(1, 1, 0))).toEqual(new Map([['title', [1, 2_000]]]))
  expect(sampler.take(page, columns, Uint8Array.of(1, 1, 1))).toEqual(new Map([['note', [1, 2_000]]]))
  expect(sampler.take(page, columns, Uint8Array.of(1, 1, 1))).toEqual(new Map())
})

test.each<[string, unknown]>([
  ['a text', 'text'],
  ['an object', { a: 1 }],
  ['a number', 1],
  ['a bigint', 12345678901234567890n],
  ['a date', new Date(0)],
])('the encoder notices %s in a record that is not sampled', (_, value) => {
  const open = new NewTable(table(), 'orders')
  const encoder = new TableEncoder(open)
  const one = page(records(20, (id) => ({ id, rare: id === 1 ? value : null, none: null })))
  const change = encoder.encode(one)
  if (change instanceof NeedsSchemaChange) open.change(change.change)
  using encoded = encoder.encode(one) as EncodedPage
  expect(encoded.samples).toEqual(
    new Map([
      ['id', [7, 7]],
      ['rare', [1, 7]],
    ]),
  )
})
