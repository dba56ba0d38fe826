// The words of a table about rows whose records no longer exist.
import { expect, test } from '@jest/globals'
import { describePipeline, http, onePage, pipeline } from '../../src/index.ts'

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
  const flow = items.deleted(({ id }) => id < 0).into('t.items', { key: 'id', deleted: 'mark', undo: '30d' })
  expect(describePipeline(pipeline('p', { streams: { flow } }))).toContain('deleted: mark; undo: 30d')
})
