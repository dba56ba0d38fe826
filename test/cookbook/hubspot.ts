import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { expectRefused, has, numbers, vendor } from './vendor.ts'

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1) + minute * 60_000).toISOString()
const contact = (n: number, updatedAt = at(n)) => ({
  id: String(n),
  properties: { email: `c${n}@shop.example`, firstname: n === 7 ? '' : 'Ana', lastmodifieddate: updatedAt },
  createdAt: at(0),
  updatedAt,
})
let contacts = numbers(1, 650).map((n) => contact(n))
const archived = numbers(1_001, 1_210).map((n) => ({ ...contact(n), archived: true, archivedAt: at(n) }))

interface Search {
  filterGroups: { filters: { propertyName: string; operator: string; value: number }[] }[]
  limit: number
  after?: string
}

function answer({ path, query, method, body }: ApiRequest) {
  if (method === 'POST') expect(path).toBe('/crm/v3/objects/contacts/search')
  const search = method === 'POST' ? (JSON.parse(body) as Search) : undefined
  const since = search?.filterGroups[0]?.filters[0]?.value ?? 0
  const all = search ? contacts.filter(({ updatedAt }) => Date.parse(updatedAt) >= since) : archived
  const from = Number(search?.after ?? query.get('after') ?? 0)
  const end = from + Number(search?.limit ?? query.get('limit') ?? 10)
  // A search has at most 10,000 results; here 400.
  if (search && end > 400) return { status: 400, json: { status: 'error', message: 'paging beyond the limit' } }
  return {
    json: {
      ...(search && { total: all.length }),
      results: all.slice(from, end),
      ...(end < all.length && { paging: { next: { after: String(end) } } }),
    },
  }
}

const api = await vendor({
  base: 'HUBSPOT_API',
  environment: { HUBSPOT_TOKEN: 'pat-invented' },
  lets: has('authorization', 'Bearer pat-invented'),
  busy: { status: 429, json: { status: 'error', errorType: 'RATE_LIMIT', policyName: 'SECONDLY' } },
  answer,
})
const { default: pipeline } = await import('../../docs/cookbook/hubspot.ts')
afterAll(async () => api[Symbol.asyncDispose]())

export async function hubspot(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first.streams).toMatchObject({
    contacts: { counts: { inserted: 650 }, completeness: { grade: 'counted' } },
    archived: { counts: { inserted: 210 }, completeness: { grade: 'ended' } },
  })
  expect(api.waited).toBeGreaterThan(450)

  contacts = [
    ...contacts.slice(1),
    {
      ...contact(1, at(9_000)),
      properties: { email: 'new@shop.example', firstname: 'Ana', lastmodifieddate: at(9_000) },
    },
  ]
  archived.push({ ...contact(2_000), archived: true, archivedAt: at(9_000) })
  const second = await run(pipeline, { database: target.url })
  expect(second.streams).toMatchObject({
    contacts: { counts: { updated: 1, unchanged: 6 }, completeness: { grade: 'counted' } },
    archived: { counts: { inserted: 1, unchanged: 210 } },
  })
  const rows = await target.database.query(
    "select email, firstname from hubspot.contacts where id in ('1', '7') order by id",
  )
  expect(rows).toEqual([
    { email: 'new@shop.example', firstname: 'Ana' },
    { email: 'c7@shop.example', firstname: null },
  ])
  await expectRefused(pipeline, 'HUBSPOT_TOKEN', target.url)
}
