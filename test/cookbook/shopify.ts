import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { expectRefused, has, numbers, vendor } from './vendor.ts'

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1) + minute * 60_000).toISOString().replace('.000', '')
const order = (n: number, updatedAt = at(n), cancelledAt: string | null = null) => ({
  id: `gid://shopify/Order/${n}`,
  name: `#${n}`,
  email: null,
  displayFinancialStatus: 'PAID',
  displayFulfillmentStatus: 'UNFULFILLED',
  totalPriceSet: { shopMoney: { amount: '10.50', currencyCode: 'EUR' } },
  customer: { id: 'gid://shopify/Customer/1' },
  createdAt: at(0),
  updatedAt,
  cancelledAt,
})
let orders = numbers(1, 250).map((n) => order(n))
const cost = {
  requestedQueryCost: 42,
  throttleStatus: { maximumAvailable: 2_000, currentlyAvailable: 10, restoreRate: 100 },
}

function answer({ body }: ApiRequest) {
  const { query, variables } = JSON.parse(body) as {
    query: string
    variables: { search: string | null; after?: string }
  }
  expect(query).toContain('sortKey: UPDATED_AT')
  const since = /^updated_at:>='(.*)'$/.exec(variables.search ?? '')?.[1] ?? '0'
  const all = orders.filter(({ updatedAt }) => updatedAt >= since.replace('.000', ''))
  const from = all.findIndex(({ id }) => id === variables.after) + 1
  const nodes = all.slice(from, from + 100)
  const pageInfo = { hasNextPage: from + 100 < all.length, endCursor: nodes.at(-1)?.id ?? null }
  return { json: { data: { orders: { pageInfo, nodes } }, extensions: { cost } } }
}

const api = await vendor({
  base: 'SHOPIFY_API',
  prefix: '/admin/api/2025-10/graphql.json',
  environment: { SHOPIFY_TOKEN: 'shpat_invented' },
  lets: has('x-shopify-access-token', 'shpat_invented'),
  busy: { json: { errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }], extensions: { cost } } },
  answer,
})
const { default: pipeline } = await import('../../docs/cookbook/shopify.ts')
afterAll(async () => api[Symbol.asyncDispose]())

export async function shopify(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first.streams.orders).toMatchObject({ counts: { inserted: 250 }, completeness: { grade: 'ended' } })
  expect(api.served).toHaveLength(3)
  expect(api.waited).toBeGreaterThan(450)

  orders = [...orders.slice(1), order(1, at(9_000), at(9_000))]
  const second = await run(pipeline, { database: target.url })
  expect(second.streams.orders).toMatchObject({
    counts: { updated: 1, unchanged: 2 },
    completeness: { grade: 'ended' },
  })
  const rows = await target.database.query(
    'select name, total::text, currency from shopify.orders where cancelled_at is not null',
  )
  expect(rows).toEqual([{ name: '#1', total: '10.50', currency: 'EUR' }])
  await expectRefused(pipeline, 'SHOPIFY_TOKEN', target.url)
}
