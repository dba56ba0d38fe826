import { expect, test } from '@jest/globals'
import { pipeline, run, source, type TableOptions } from '../../../src/index.ts'
import { testDatabase } from '../../support/database.ts'

interface Row {
  readonly id: number
  readonly v: string
  readonly lines: readonly { readonly line: number; readonly v: string }[]
}

/** A hundred rows with two lines each, of which some have changed. */
const table = (changed: number): Row[] =>
  Array.from({ length: 100 }, (_, id) => ({
    id,
    v: id < changed ? 'changed' : 'first',
    lines: [1, 2].map((line) => ({ line, v: line === 2 && id < changed ? 'changed' : 'first' })),
  }))

test('a receipt counts the row versions of its stream alone, and is absent if there are none', async () => {
  await using store = await testDatabase()
  const { database, url } = store
  let rows: readonly Row[] = []
  const all = source<Row>(async function* () {
    yield { records: rows }
  })
  const options = { key: 'id', children: { lines: { key: 'line' } } } satisfies TableOptions<Row, 'merge'>
  const flow = pipeline('p', {
    streams: {
      one: all.into('t.one', options),
      other: all.into('t.other', { key: 'id', write: 'history', columns: { lines: false } }),
    },
  })
  const receiptsOf = async () => {
    const { one, other } = (await run(flow, { database: url, receipt: true })).streams
    return [one.receipt, other.receipt]
  }
  rows = table(0)
  const [filled] = await receiptsOf()
  expect(filled).toMatchObject({ inserted: 300, updated: 0, deleted: 0, dead: 0, tableBytes: { before: 0 } })
  expect(filled!.tableBytes.after).toBeGreaterThan(0)
  expect(filled!.indexBytes.after).toBeGreaterThan(0)
  expect(filled!.serverWalBytes).toBeGreaterThan(300 * 30)

  expect(await receiptsOf()).toEqual([undefined, undefined])

  // Another writer of the table is not in the receipt.
  await database.query(`update t.one set v = 'changed' where id = 99`)
  rows = table(10)
  const [merged, versions] = await receiptsOf()
  // Ten rows and their second lines, and the row that the other writer has changed.
  expect(merged).toMatchObject({ inserted: 0, updated: 21, deleted: 0, dead: 21 })
  // Ten new versions, and the ends of ten earlier ones, which the counts of the stream do not say.
  expect(versions).toMatchObject({ inserted: 10, updated: 10, dead: 10 })

  rows = table(10).map((row) => (row.id === 0 ? { ...row, lines: [] } : row))
  expect((await receiptsOf())[0]).toMatchObject({ inserted: 0, updated: 0, deleted: 2, dead: 2 })

  rows = table(20)
  const { one } = (await run(flow, { database: url })).streams
  expect(one).toMatchObject({ counts: { updated: 10 } })
  expect(one).not.toHaveProperty('receipt')
})
