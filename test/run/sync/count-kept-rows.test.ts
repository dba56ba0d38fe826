import { expect, test } from '@jest/globals'
import { pipeline, source } from '../../../src/index.ts'
import { reportText } from '../../../src/run/report/report-text.ts'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { testDatabase } from '../../support/database.ts'

// Rows of a table that a full reading did not bring.

interface Row {
  readonly id: number
  readonly at?: string
}

const rows = (number: number, page = 10) =>
  source<Row>(async function* () {
    for (let from = 0; from < number; from += page)
      yield {
        records: Array.from({ length: Math.min(page, number - from) }, (_, index) => ({ id: from + index })),
        position: from + page,
      }
  })

test('a full reading that brings fewer records than the table has rows reports how many', async () => {
  await using test = await testDatabase()
  const run = (number: number) =>
    runPipeline(pipeline('p', { streams: { rows: rows(number).into('t.rows', { key: 'id' }) } }), {
      database: test.url,
    })
  expect((await run(25)).streams.rows.keptRows).toBe(0)
  const report = await run(13)
  expect(report.streams.rows).toMatchObject({ keptRows: 12, counts: { unchanged: 13 }, warnings: [] })
  expect(reportText(report)).toMatch(
    /kept: t\.rows has 12 rows that this reading did not bring\n +mirror: true would delete/,
  )
  const two = reportText({ ...report, streams: { ...report.streams, more: report.streams.rows } })
  expect(two.match(/would delete/g)).toHaveLength(1)
  expect(reportText(await run(24))).toContain('kept: t.rows has 1 row that this reading did not bring')
  expect(reportText(await run(25))).not.toContain('kept')
})

test('an incremental reading and an append do not count the rows of the table', async () => {
  await using test = await testDatabase()
  const days = source<Row>(async function* () {
    yield { records: [{ id: 1, at: '2024-01-01' }], position: 1 }
  }).incremental('at')
  const flows = {
    since: days.into('t.since', { key: 'id' }),
    append: rows(3).into('t.append', { write: 'append' }),
  }
  const run = () => runPipeline(pipeline('p', { streams: flows }), { database: test.url })
  expect((await run()).streams.since.keptRows).toBe(0)
  const { streams } = await run()
  expect(streams.since).not.toHaveProperty('keptRows')
  expect(streams.append).not.toHaveProperty('keptRows')
})

test('a table that two streams write to is not counted', async () => {
  await using test = await testDatabase()
  const other = source<{ id: number; other: string }>(async function* () {
    yield { records: [{ id: 100, other: 'x' }], position: 1 }
  })
  const definition = pipeline('p', {
    streams: { rows: rows(3).into('t.rows', { key: 'id' }), other: other.into('t.rows', { key: 'id' }) },
  })
  await runPipeline(definition, { database: test.url })
  const { streams } = await runPipeline(definition, { database: test.url })
  expect(streams.rows).not.toHaveProperty('keptRows')
})
