import { describe, expect, test } from '@jest/globals'
import type { RunEvent } from '../../../src/index.ts'
import { COUNTED, ENDED, openBecause, type Completeness } from '../../../src/model/completeness.ts'
import { END, type Page } from '../../../src/model/page.ts'
import { testDatabase } from '../../support/database.ts'
import { MERGE, page, read, short, three, TOKEN } from './graded-reading.ts'

const warningsOf = (events: readonly RunEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))

describe('a reading', () => {
  test.each<[string, Page[], Completeness]>([
    ['that is counted at its end', three(COUNTED), COUNTED],
    ['that ended', three(ENDED), ENDED],
    [
      'with an open page in the middle',
      [page(1, { page: 2 }), page(2, { page: 3 }, short), page(3, END, COUNTED)],
      short,
    ],
    ['with pages that have no position', [page(1, undefined, short), page(2, undefined), page(3, END, COUNTED)], short],
    [
      'with a child that ended, among others that are counted',
      [page(1, { page: 2 }, ENDED), page(2, END, COUNTED)],
      ENDED,
    ],
    ['without any record', [page(undefined, END, COUNTED)], COUNTED],
  ])('%s has that completeness in the ledger, the report and the event', async (_, pages, completeness) => {
    await using test = await testDatabase()
    await test.database.query('create schema t; create table t.rows (id bigint primary key, at text)')
    const { slice, report, events, error } = await read(test, MERGE, pages)
    expect(error).toBeUndefined()
    expect(slice).toMatchObject({ status: 'done', completeness })
    expect(report.completeness).toEqual(completeness)
    expect(events.find(({ type }) => type === 'slice.finished')).toMatchObject({ completeness })
  })

  test('whose end has no grade is open: a stage or a source has lost it', async () => {
    await using test = await testDatabase()
    const { slice, report } = await read(test, MERGE, three(undefined))
    expect(slice.completeness).toMatchObject({
      grade: 'open',
      reasons: [expect.stringContaining('without saying whether it was complete')],
    })
    expect(report.completeness?.grade).toBe('open')
  })

  test('that stops before its end has no grade, and what was open stays so in the next run', async () => {
    await using test = await testDatabase()
    const stopped = await read(test, MERGE, [page(1, { page: 2 }, ENDED), new Error('the API is down')])
    expect(stopped).toMatchObject({ slice: { status: 'open', completeness: undefined }, report: { status: 'failed' } })
    expect(stopped.report.completeness).toBeUndefined()
    const worse = await read(test, MERGE, [page(2, { page: 3 }, short), new Error('the API is down')])
    expect(worse).toMatchObject({ from: { page: 2 }, slice: { status: 'open', completeness: short } })
    const done = await read(test, MERGE, [page(3, END, COUNTED)])
    expect(done).toMatchObject({ from: { page: 3 }, slice: { status: 'done', completeness: short }, rows: [1, 2, 3] })
    expect(done.report.completeness).toEqual(short)
  })

  test('that is open is one warning of its stream, with all reasons', async () => {
    await using test = await testDatabase()
    const moved = openBecause('the list moved')
    const pages = [page(1, { page: 2 }, short), page(2, { page: 3 }, moved), page(3, END, short)]
    const { report, events } = await read(test, MERGE, pages)
    const warning = 'it is not proven that everything was read: 3 of 4 records came; the list moved'
    expect(report).toMatchObject({ status: 'done', warnings: [warning] })
    expect(warningsOf(events)).toEqual([warning])
  })

  test('whose reason names a secret does not tell it', async () => {
    await using test = await testDatabase()
    for (const options of [MERGE, { ...MERGE, complete: 'required' }]) {
      const { slice, report, events } = await read(test, options, three(openBecause(`the answer has ${TOKEN}`)))
      expect(JSON.stringify([slice.completeness, report, events])).not.toContain(TOKEN)
      expect(slice.completeness?.reasons).toEqual(['the answer has {secret:TOKEN}'])
    }
  })
})
