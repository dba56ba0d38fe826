import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { expectRefused, has, numbers, vendor } from './vendor.ts'

/** Cut to the minute: 140 pages were edited in one, more than a response has; of the others twelve in each. */
const at = (n: number) =>
  new Date(Date.UTC(2026, 0, 1) + Math.floor((n > 100 && n <= 240 ? 100 : n) / 12) * 60_000).toISOString()
const page = (n: number, edited = at(n)) => ({
  object: 'page',
  id: `page-${n}`,
  created_time: at(0),
  last_edited_time: edited,
  in_trash: false,
  url: '',
  properties: {
    Name: { id: 'title', type: 'title', title: [{ plain_text: 'Page ' }, { plain_text: String(n) }] },
    Done: { id: 'a', type: 'checkbox', checkbox: true },
  },
})
let pages = numbers(1, 330).map((n) => page(n))

interface Query {
  filter: { timestamp: string; last_edited_time: { on_or_after: string } }
  sorts: unknown[]
  start_cursor?: string
  page_size: number
}

function answer({ path, body }: ApiRequest) {
  expect(path).toBe('/data_sources/source-1/query')
  const { filter, sorts, start_cursor, page_size } = JSON.parse(body) as Query
  expect(sorts).toEqual([{ timestamp: 'last_edited_time', direction: 'ascending' }])
  const all = pages.filter(({ last_edited_time }) => last_edited_time >= filter.last_edited_time.on_or_after)
  const from = all.findIndex(({ id }) => id === start_cursor)
  const results = all.slice(Math.max(from, 0), Math.max(from, 0) + page_size)
  const next = all[Math.max(from, 0) + page_size]
  return { json: { object: 'list', results, has_more: next !== undefined, next_cursor: next?.id ?? null } }
}

const api = await vendor({
  base: 'NOTION_API',
  prefix: '/v1',
  environment: { NOTION_TOKEN: 'ntn_invented', NOTION_DATA_SOURCE: 'source-1' },
  lets: has('authorization', 'Bearer ntn_invented'),
  busy: { status: 429, headers: { 'retry-after': '1' }, json: { object: 'error', code: 'rate_limited' } },
  answer,
})
const { default: pipeline } = await import('../../docs/cookbook/notion.ts')
afterAll(async () => api[Symbol.asyncDispose]())

export async function notion(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first.streams.pages).toMatchObject({ counts: { inserted: 330 }, completeness: { grade: 'counted' } })
  expect(api.waited).toBeGreaterThanOrEqual(990)

  pages = [...pages.slice(1), page(1, at(6_000))]
  const second = await run(pipeline, { database: target.url })
  expect(second.streams.pages).toMatchObject({
    counts: { updated: 1, inserted: 0 },
    completeness: { grade: 'counted' },
  })
  const [row] = await target.database.query(
    "select title, properties->'Done' as done from notion.pages where id = 'page-1'",
  )
  expect(row).toEqual({ title: 'Page 1', done: { id: 'a', type: 'checkbox', checkbox: true } })
  await expectRefused(pipeline, 'NOTION_TOKEN', target.url)
}
