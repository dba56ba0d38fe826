// The words of a table about rows whose records no longer exist.
import { expect, test } from '@jest/globals'
import { describePipeline, http, onePage, pipeline } from '../../src/index.ts'
import { deleteLimit } from '../../src/model/mirror.ts'

const items = http('https://api.example').get<{ id: number }[]>('/items').pages(onePage()).records()

test('deleted and undo are checked, and a listing shows them', () => {
  expect(() => items.into('t.items', { key: 'id', deleted: 'drop' as never })).toThrow(
    `.into("t.items"): deleted is 'delete', 'mark' or 'keep', not "drop"`,
  )
  expect(() => items.into('t.items', { key: 'id', undo: 'week' as never })).toThrow(
    '.into("t.items"): undo is false, or how long deleted rows can be brought back: "week" is no duration',
  )
  expect(() => items.into('t.items', { write: 'append', deleted: 'mark' })).toThrow(
    "deleted: 'mark' removes rows by their key, but append never changes a stored row",
  )
  expect(() => items.into('t.items', { key: 'id', mirror: 'yes' as never })).toThrow(
    `.into("t.items"): mirror is true, or { rowsOf: 'shop.former' }, not "yes"`,
  )
  expect(() => items.into('t.items', { key: 'id', mirror: { rows: 'a' } as never })).toThrow(
    '.into("t.items"): mirror: there is no option "rows". Did you mean "rowsOf"?',
  )
  expect(() => items.into('t.items', { key: 'id', mostDeletes: 5 })).toThrow('Add mirror: true, or leave it out')
  expect(() => items.into('t.items', { key: 'id', mirror: { parent: { id: 'id' } } })).toThrow(
    '.into("t.items"): mirror.parent is for lists below parents, and there is no .flatMap(). Leave it out',
  )
  expect(() => items.into('t.items', { key: 'id', mirror: { parent: {} } })).toThrow('mirror.parent names the parent')
  for (const mostDeletes of ['101%', '5', -1, 1.5, '1 %'] as never[])
    expect(() => items.into('t.items', { key: 'id', mirror: true, mostDeletes })).toThrow(
      "mostDeletes is a number of rows, or a share of them such as '10%', not ",
    )
  expect(() => items.into('t.items', { key: 'id', mirror: true, deleted: 'keep' })).toThrow("deleted: 'keep' leaves")
  for (const write of ['append', 'replace'] as const)
    expect(() => items.into('t.items', { key: 'id', mirror: true, write })).toThrow(
      'mirror deletes rows that a reading does not bring, and ',
    )
  const since = items.incremental('id', { startFrom: 5 })
  expect(() => since.into('t.items', { key: 'id', mirror: true })).toThrow(
    'with startFrom no reading brings older rows',
  )
  const flow = items.deleted(({ id }) => id < 0).into('t.items', { key: 'id', deleted: 'mark', undo: '30d' })
  expect(describePipeline(pipeline('p', { streams: { flow } }))).toContain('deleted: mark; undo: 30d')
  const mirror = items.into('t.items', { key: 'id', mirror: { rowsOf: 'p.former' }, mostDeletes: '25%' })
  expect(describePipeline(pipeline('p', { streams: { mirror } }))).toContain(
    'a mirror, also of rows of p.former; most deletes: 25%',
  )
})

test('the table of a mirror belongs to its stream', () => {
  const mirror = items.into('t.items', { key: 'id', mirror: true })
  const other = items.into('t.items', { key: 'id' })
  expect(() => pipeline('p', { streams: { other, mirror, third: other } })).toThrow(
    'pipeline("p"): mirror and other both write to t.items, and mirror deletes rows that it does not bring. ' +
      "Give each its own table. If rows of other may be deleted too, write { mirror: { rowsOf: 'other' } }",
  )
  expect(() => pipeline('p', { streams: { one: mirror, two: mirror } })).toThrow('one and two both mirror t.items')
  for (const rowsOf of ['other', 'p.other', ['x', 'other']])
    pipeline('p', { streams: { other, mirror: items.into('t.items', { key: 'id', mirror: { rowsOf } }) } })
})

test('a mirror may delete 10 % of its rows, and in small tables 10, but fewer than half', () => {
  expect([0, 1, 2, 3, 8, 20, 30, 100, 250].map((rows) => deleteLimit(undefined, rows))).toEqual([
    0, 0, 0, 1, 3, 9, 10, 10, 25,
  ])
  expect([deleteLimit('2.5%', 100), deleteLimit('100%', 7), deleteLimit(3, 1)]).toEqual([2, 7, 3])
})
