import { describe, expect, test } from '@jest/globals'
import { IncompleteError } from '../../../src/index.ts'
import { closeSlices } from '../../../src/ledger/slices/transitions.ts'
import { COUNTED, ENDED, openBecause } from '../../../src/model/completeness.ts'
import { END } from '../../../src/model/page.ts'
import { testDatabase } from '../../support/database.ts'
import { PgProxy, type Link } from '../../support/pg-proxy.ts'
import { APPEND, MERGE, page, read, REPLACE, short, three } from './graded-reading.ts'

describe('a table that requires complete readings', () => {
  const required = { ...MERGE, complete: 'required' }

  test('fails an open reading: the cursor stays, and the next run reads from the start of the slice', async () => {
    await using test = await testDatabase()
    expect(await read(test, required, [page(1, END, COUNTED)])).toMatchObject({ cursor: '2024-01-01', rows: [1] })
    const failed = await read(test, required, three(short))
    expect(failed.error).toBeInstanceOf(IncompleteError)
    expect(failed.error).toMatchObject({ code: 'INCOMPLETE', reasons: short.reasons })
    expect(failed.report).toMatchObject({ status: 'failed', completeness: short, warnings: [] })
    expect(failed.report.error).toBe(
      'one.rows: it is not proven that everything was read: 3 of 4 records came. ' +
        "The table has complete: 'required', so the reading does not end and its cursor stays. " +
        'The next run reads the same range from its start again. ' +
        "Correct what is named here, or accept such readings with complete: 'any' [INCOMPLETE]",
    )
    // What was committed before the end stays, as after any failure.
    expect(failed).toMatchObject({ cursor: '2024-01-01', rows: [1, 2], slice: { status: 'open', completeness: short } })
    expect(failed.slice.error).toBe(failed.report.error)
    const again = await read(test, required, three(COUNTED))
    expect(again).toMatchObject({ from: null, error: undefined, cursor: '2024-01-03', rows: [1, 2, 3] })
    expect(again.slice).toMatchObject({
      id: failed.slice.id,
      status: 'done',
      since: '2024-01-01',
      completeness: COUNTED,
      counts: { fetched: 3 },
    })
  })

  test.each([COUNTED, ENDED])('takes a reading that is %j', async (completeness) => {
    await using test = await testDatabase()
    expect(await read(test, required, three(completeness))).toMatchObject({ error: undefined, cursor: '2024-01-03' })
  })

  test('fails a reading that was open in the middle, and one of a single batch', async () => {
    await using test = await testDatabase()
    const middle = [page(1, { page: 2 }, short), page(2, END, COUNTED)]
    expect(await read(test, required, middle)).toMatchObject({ error: expect.any(IncompleteError), cursor: undefined })
    const single = await read(test, required, [page(1, END, short)])
    expect(single).toMatchObject({ from: null, error: expect.any(IncompleteError), cursor: undefined })
    expect(single.slice).toMatchObject({ status: 'open', completeness: short, batches: 0 })
    expect(await read(test, required, three(ENDED))).toMatchObject({ from: null, rows: [1, 2, 3] })
  })

  test('fails a reading whose pages have no position, and stores nothing of it', async () => {
    await using test = await testDatabase()
    await test.database.query('create schema t; create table t.rows (id bigint primary key, at text)')
    const pages = [page(1, undefined), page(2, undefined, short), page(undefined, END, ENDED)]
    expect(await read(test, required, pages)).toMatchObject({ error: expect.any(IncompleteError), rows: [] })
    expect(await read(test, required, three(ENDED))).toMatchObject({ from: null, rows: [1, 2, 3] })
  })

  test('reads a slice from its start that another definition of the table has left open', async () => {
    await using test = await testDatabase()
    await read(test, MERGE, [page(1, { page: 2 }, short), new Error('the API is down')])
    expect(await read(test, required, three(ENDED))).toMatchObject({ from: null, slice: { completeness: ENDED } })
  })

  test('continues a slice that was interrupted while nothing was open', async () => {
    await using test = await testDatabase()
    await read(test, required, [page(1, { page: 2 }), new Error('the API is down')])
    expect(await read(test, required, [page(2, END, COUNTED)])).toMatchObject({ from: { page: 2 }, rows: [1, 2] })
  })

  test('ends with a warning once the word is taken back', async () => {
    await using test = await testDatabase()
    await read(test, required, three(short))
    const accepted = await read(test, MERGE, [page(3, END, COUNTED)])
    expect(accepted).toMatchObject({ from: { page: 3 }, cursor: '2024-01-03', slice: { completeness: short } })
    expect(accepted.report).toMatchObject({
      status: 'done',
      warnings: [expect.stringContaining('3 of 4 records came')],
    })
  })

  test('stores no row twice where it appends without a key', async () => {
    await using test = await testDatabase()
    const appends = { ...APPEND, complete: 'required' }
    expect(await read(test, appends, three(short))).toMatchObject({ error: expect.any(IncompleteError), rows: [1, 2] })
    expect(await read(test, appends, three(short))).toMatchObject({ from: null, rows: [1, 2] })
    expect(await read(test, appends, three(COUNTED))).toMatchObject({ from: null, rows: [1, 2, 3], error: undefined })
  })

  test('begins without a grade once the slice was closed by hand', async () => {
    await using test = await testDatabase()
    const failed = await read(test, required, three(short))
    await using transaction = await test.database.transaction()
    await closeSlices(transaction, { pipeline: 'one', stream: 'rows' }, 'the cursor was reset')
    await transaction.commit()
    const next = await read(test, required, three(ENDED))
    expect(next).toMatchObject({ from: null, error: undefined, rows: [1, 2, 3], slice: { completeness: ENDED } })
    expect(next.slice.id).not.toBe(failed.slice.id)
  })

  test('stores each row and each reason once, although the answer to every COMMIT is lost', async () => {
    await using test = await testDatabase()
    const committing = new Set<Link>()
    await using proxy = await PgProxy.open({
      port: Number(new URL(test.url).port),
      watchers: [
        {
          before: ({ from, text, link }) => {
            if (from === 'client' && /sluice\.(?:advance|restart)/.test(text ?? '')) committing.add(link)
            if (from === 'client' || !committing.has(link)) return undefined
            link.cut()
            return 'drop'
          },
        },
      ],
    })
    const url = proxy.through(test.url)
    const appends = { ...APPEND, complete: 'required' }
    const moved = openBecause('the list moved')
    const pages = [page(1, { page: 2 }, moved), page(2, { page: 3 }), page(3, END, short)]
    expect(await read(test, appends, pages, { url })).toMatchObject({
      error: expect.any(IncompleteError),
      rows: [1, 2],
      slice: { batches: 2, completeness: { grade: 'open', reasons: [...moved.reasons, ...short.reasons] } },
    })
    const before = committing.size
    const again = await read(test, appends, three(COUNTED), { url })
    expect(again).toMatchObject({ from: null, error: undefined, rows: [1, 2, 3] })
    expect(again.slice).toMatchObject({ status: 'done', batches: 3, completeness: COUNTED, counts: { inserted: 3 } })
    // The restart, and three batches.
    expect([before, committing.size]).toEqual([2, 6])
  })

  test('only interrupts the slice of a process that dies before it can tell why', async () => {
    await using test = await testDatabase()
    await read(test, required, three(short))
    // As it is in the ledger if the process was killed after its last commit.
    await test.database.query('update sluice.slices set completeness = null, open_reasons = null, error = null')
    expect(await read(test, required, [page(3, END, short)])).toMatchObject({
      from: { page: 3 },
      error: expect.any(IncompleteError),
      slice: { completeness: short },
    })
    expect(await read(test, required, three(ENDED))).toMatchObject({ from: null, rows: [1, 2, 3], error: undefined })
  })
})

describe('replace', () => {
  const five = [1, 2, 3, 4].map((id) => page(id, id === 4 ? END : { page: id + 1 }, id === 4 ? ENDED : undefined))

  test('does not delete what an open reading has not read, and swaps once a reading is complete', async () => {
    await using test = await testDatabase()
    expect(await read(test, REPLACE, five)).toMatchObject({ error: undefined, rows: [1, 2, 3, 4] })
    const failed = await read(test, REPLACE, three(short))
    expect(failed).toMatchObject({ error: expect.any(IncompleteError), rows: [1, 2, 3, 4] })
    expect(failed.report.error).toBe(
      'one.rows: it is not proven that everything was read: 3 of 4 records came. ' +
        't.rows stays as it is, because replace deletes the rows that were not read. ' +
        'The next run reads the same range from its start again. ' +
        "Correct what is named here, or accept such readings with complete: 'any' [INCOMPLETE]",
    )
    const again = await read(test, REPLACE, three(COUNTED))
    expect(again).toMatchObject({ from: null, rows: [1, 2, 3], report: { swap: { deleted: 1 } } })
  })

  test("swaps after an open reading with complete: 'any', and warns", async () => {
    await using test = await testDatabase()
    expect(await read(test, REPLACE, five)).toMatchObject({ error: undefined, rows: [1, 2, 3, 4] })
    const any = await read(test, { ...REPLACE, complete: 'any' }, three(short))
    expect(any).toMatchObject({ error: undefined, rows: [1, 2, 3], slice: { completeness: short } })
    expect(any.report.warnings).toEqual(['it is not proven that everything was read: 3 of 4 records came'])
  })
})
