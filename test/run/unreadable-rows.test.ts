import { expect, test } from '@jest/globals'
import { csv, http, onePage, pipeline, run } from '../../src/index.ts'
import { readRejects } from '../../src/ledger/read/read-rejects.ts'
import { replay } from '../../src/run/replay/replay.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

test('a row that cannot be read is a reject that a replay keeps, and the other rows are stored', async () => {
  await using api = await apiServer([{ body: 'id;total\n1;1,50\n2\n3;\n' }])
  await using store = await testDatabase()
  const rows = http(api.origin as 'http://x')
    .get<{ id: string; total: string }[]>('/rows', {}, { format: csv({ delimiter: ';' }) })
    .pages(onePage())
    .records()
    .map((row) => ({ ...row, total: row.total.replace(',', '.') }))
  const columns = { id: 'bigint', total: { type: 'numeric', emptyText: 'null' } } as const
  const files = pipeline('files', { streams: { rows: rows.into('f.rows', { key: 'id', columns }) } })
  const report = await run(files, { database: store.url })
  expect(report.streams.rows.counts).toMatchObject({ fetched: 3, inserted: 2, rejected: 1 })
  const stored = await store.database.query('select id, total from f.rows order by id')
  expect(stored).toEqual([
    { id: '1', total: '1.50' },
    { id: '3', total: null },
  ])
  const rejected = { stage: 'read', reason: 'line 3 has 1 field where 2 are expected' }
  expect(await readRejects(store.database)).toMatchObject([{ ...rejected, record: '{"line":3,"fields":["2"]}' }])

  await replay(files, { database: store.url })
  expect(await readRejects(store.database)).toMatchObject([
    {
      stage: 'read',
      reason: expect.stringMatching(/^it could not be read as a record/),
      record: '{"line":3,"fields":["2"]}',
    },
  ])
})
