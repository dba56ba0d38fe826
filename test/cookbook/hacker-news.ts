import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { numbers, vendor } from './vendor.ts'

const NOW = Math.floor(Date.now() / 1_000)
/** Newest first: one in each hour of the last sixty days. A search has at most a thousand hits. */
const stories = numbers(1, 1_440).map((n) => ({
  objectID: String(10_000 - n),
  title: `PostgreSQL ${n}`,
  url: null,
  author: 'ana',
  points: 1,
  num_comments: 0,
  created_at_i: NOW - n * 3_600,
}))

function answer({ path, query }: ApiRequest) {
  expect(path).toBe('/search_by_date')
  const range = /^created_at_i>=(\d+),created_at_i<(\d+)$/.exec(query.get('numericFilters') ?? '')
  const [from, until] = [Number(range?.[1]), Number(range?.[2])]
  const all = stories.filter(({ created_at_i }) => created_at_i >= from && created_at_i < until)
  const shown = all.slice(0, 1_000)
  const [page, size] = [Number(query.get('page')), Number(query.get('hitsPerPage'))]
  const hits = shown.slice(page * size, (page + 1) * size)
  return { json: { hits, nbHits: all.length, nbPages: Math.ceil(shown.length / size), page, hitsPerPage: size } }
}

const api = await vendor({
  base: 'HACKER_NEWS_API',
  prefix: '/api/v1',
  busy: { status: 429, body: 'Too Many Requests' },
  answer,
})
const { default: pipeline } = await import('../../docs/cookbook/hacker-news.ts')
afterAll(async () => api[Symbol.asyncDispose]())

export async function hackerNews(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  const all = stories.filter(({ created_at_i }) => created_at_i >= Date.UTC(2026, 9, 1) / 1_000).length
  expect(first.streams.stories).toMatchObject({ counts: { inserted: all }, completeness: { grade: 'ended' } })
  expect(api.waited).toBeGreaterThan(450)

  stories[30] = { ...stories[30]!, points: 99 }
  const second = await run(pipeline, { database: target.url })
  expect(second.streams.stories).toMatchObject({
    counts: { updated: 1, unchanged: 72, inserted: 0 },
    completeness: { grade: 'ended' },
  })

  // A thousand of them are shown, of which the reading knows by `nbHits`.
  stories.unshift(...numbers(1, 1_100).map((n) => ({ ...stories[0]!, objectID: String(20_000 + n) })))
  const third = await run(pipeline, { database: target.url })
  expect(third.streams.stories.completeness).toMatchObject({ grade: 'open' })
}
