import { expect, test } from '@jest/globals'
import type { EncodedPage } from '../../../src/load/encode/encoded-page.ts'
import { testDatabase } from '../../support/database.ts'
import { commit, load, page, table } from '../support.ts'

const lines = table({ children: { lines: { key: 'line' } } })

test('a deletion keeps its place beside a record that is rejected for its list', async () => {
  await using test = await testDatabase()
  const { database } = test
  const { writer } = await load(database, lines, [{ id: 1, lines: [{ line: 1 }] }])
  const deletion = { id: 1 }
  const given = page(
    [
      { id: 2, lines: 'none' },
      { id: 1, lines: [{ line: 2 }] },
    ],
    {
      tombstones: [{ record: deletion, origin: deletion, before: 1 }],
    },
  )
  const { counts } = await commit(database, writer, [
    writer.encode({ ...given, counts: { ...given.counts, fetched: 3, deleted: 1 } }) as EncodedPage,
  ])
  expect(counts).toMatchObject({ deleted: 1, rejected: 1 })
  // The record came after its deletion.
  expect(await database.query('select orders_id::int, line::int from shop.orders_lines')).toEqual([
    { orders_id: 1, line: 2 },
  ])
})
