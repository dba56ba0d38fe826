import { expect, test } from '@jest/globals'
import { http, onePage, pipeline, since, until, type Pipeline } from '../../src/index.ts'
import { backfillPipeline } from '../../src/run/backfill/backfill-pipeline.ts'
import { replay } from '../../src/run/replay/replay.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'

interface Item {
  id: number
  at: string
  name?: string | null
  note?: string
}

const stored = async ({ database }: TestDatabase) =>
  database.query('select id::int, name, note from t.items order by id')

const items = (origin: string, { broken = false } = {}): Pipeline =>
  pipeline('kept', {
    streams: {
      items: http(origin)
        .get<Item[]>('/', { since, until })
        .pages(onePage())
        .records()
        .incremental('at', { lookback: '0s' })
        .map((item) => {
          if (broken && item.name === 'bad') throw new Error('no')
          return item
        })
        .into('t.items', { key: 'id', absent: 'keep', insertOnly: 'note' }),
    },
  })

test('a replay and a backfill leave what their records lack, and what is newer', async () => {
  let served: Item[] = [
    { id: 1, at: '2024-01-01T00:00:00Z', name: 'one', note: 'first' },
    { id: 2, at: '2024-01-01T00:00:00Z', name: 'two', note: 'first' },
  ]
  await using api = await apiServer(() => ({ json: served }))
  await using test = await testDatabase()
  await runPipeline(items(api.origin), { database: test.url })
  served = [
    { id: 1, at: '2024-01-03T00:00:00Z', name: 'bad', note: 'later' },
    { id: 2, at: '2024-01-03T00:00:00Z' },
  ]
  const report = await runPipeline(items(api.origin, { broken: true }), { database: test.url })
  expect(report.streams['items']!.counts).toMatchObject({ updated: 1, rejected: 1 })
  await replay(items(api.origin), { database: test.url })
  expect(await stored(test)).toEqual([
    { id: 1, name: 'bad', note: 'first' },
    { id: 2, name: 'two', note: 'first' },
  ])
  served = [
    { id: 1, at: '2024-01-02T00:00:00Z', name: 'older than the row' },
    { id: 2, at: '2024-01-03T00:00:00Z', name: null },
    { id: 3, at: '2024-01-02T00:00:00Z', note: 'new' },
  ]
  await backfillPipeline(items(api.origin), {
    database: test.url,
    from: '2024-01-01',
    to: '2024-02-01',
    window: '1mo',
  })
  expect(await stored(test)).toEqual([
    { id: 1, name: 'bad', note: 'first' },
    { id: 2, name: null, note: 'first' },
    { id: 3, name: null, note: 'new' },
  ])
})
