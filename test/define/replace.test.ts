import { expect, test } from '@jest/globals'
import { http, onePage } from '../../src/index.ts'

const rows = http('https://api.example').get<{ id: number; at: string }[]>('/rows').pages(onePage()).records()

test('replace refuses a cursor, because its next run would keep only new rows in the table', () => {
  expect(() => rows.incremental('at').into('a.b', { write: 'replace' })).toThrow(
    'replace keeps only the rows that were read, and .incremental() reads only new ones. ' +
      "Remove .incremental(), or use { write: 'merge' }",
  )
  expect(() =>
    rows
      .incremental('at')
      .flatMap((row) => [row])
      .into('a.b', { write: 'replace', key: 'id' }),
  ).toThrow('Remove .incremental()')
  expect(rows.into('a.b', { write: 'replace' }).table.write).toBe('replace')
})
