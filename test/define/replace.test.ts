import { expect, test } from '@jest/globals'
import { http, onePage } from '../../src/index.ts'

const rows = http('https://api.example').get<{ id: number; at: string }[]>('/rows').pages(onePage()).records()

test('replace refuses a cursor, since its next run would keep in the table only what is new', () => {
  expect(() => rows.incremental('at').into('a.b', { write: 'replace' })).toThrow(
    `replace leaves in the table only what was read, and .incremental() reads only what is new: leave .incremental() out, or choose { write: 'merge' }`,
  )
  expect(() =>
    rows
      .incremental('at')
      .flatMap((row) => [row])
      .into('a.b', { write: 'replace', key: 'id' }),
  ).toThrow('leave .incremental() out')
  expect(rows.into('a.b', { write: 'replace' }).table.write).toBe('replace')
})
