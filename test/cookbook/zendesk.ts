import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import { testDatabase } from '../support/database.ts'
import { expectRefused, has, numbers, vendor } from './vendor.ts'

/** In the order of their last change, as the export lists them. */
const tickets = numbers(1, 2_300).map((id) => ({
  id,
  subject: `Ticket ${id}`,
  status: 'open',
  requester_id: 10,
  tags: ['a'],
  created_at: '2026-01-01T00:00:00Z',
  updated_at: new Date(Date.UTC(2026, 0, 1) + id * 60_000).toISOString(),
}))

const api = await vendor({
  base: 'ZENDESK_API',
  prefix: '/api/v2',
  environment: { ZENDESK_EMAIL: 'ana@shop.example', ZENDESK_TOKEN: 'invented' },
  lets: has('authorization', `Basic ${Buffer.from('ana@shop.example/token:invented').toString('base64')}`),
  busy: { status: 429, headers: { 'retry-after': '1' }, body: 'Rate limit for incremental exports exceeded' },
  answer: ({ path, query, headers }) => {
    const from = Number(query.get('cursor') ?? 0)
    const page = tickets.slice(from, from + 1_000)
    const next = `http://${headers.host}/api/v2${path}?cursor=${from + page.length}`
    const end = from + page.length === tickets.length
    return { json: { tickets: page, after_url: next, after_cursor: String(from + page.length), end_of_stream: end } }
  },
})
const { default: pipeline } = await import('../../docs/cookbook/zendesk.ts')
afterAll(async () => api[Symbol.asyncDispose]())

export async function zendesk(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first.streams.tickets).toMatchObject({ counts: { inserted: 2_300 }, completeness: { grade: 'ended' } })
  expect(api.served.map(({ query }) => query.get('cursor'))).toEqual([null, '1000', '2000'])
  expect(api.waited).toBeGreaterThanOrEqual(990)

  tickets.push({ ...tickets[3]!, status: 'deleted', updated_at: '2026-05-05T05:05:05Z' })
  const second = await run(pipeline, { database: target.url })
  expect(second.streams.tickets).toMatchObject({
    requests: 1,
    counts: { fetched: 1, updated: 1 },
    completeness: { grade: 'ended' },
  })
  expect(await target.database.query('select id::int from zendesk.tickets where is_deleted')).toEqual([{ id: 4 }])
  await expectRefused(pipeline, 'ZENDESK_TOKEN', target.url)
}
