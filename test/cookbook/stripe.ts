import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { expectRefused, has, numbers, vendor } from './vendor.ts'

const NOW = Math.floor(Date.now() / 1_000)
/** Newest first, as Stripe lists them: the n-th was created n hours ago. */
const made = (prefix: string, count: number, more: (n: number) => object) =>
  numbers(1, count).map((n) => ({ id: `${prefix}_${count - n}`, created: NOW - n * 3_600, ...more(n) }))
const lists: Record<string, { id: string; created: number }[]> = {
  '/customers': made('cus', 230, (n) => ({ object: 'customer', name: `Customer ${n}`, email: null, metadata: {} })),
  '/balance_transactions': made('txn', 400, (n) => ({ amount: n, fee: 1, net: n - 1, available_on: NOW })),
  '/events': made('evt', 250, (n) => ({ type: 'customer.updated', data: { object: { id: `cus_${n}` } } })),
}

function answer({ path, query }: ApiRequest) {
  const all = (lists[path] ?? []).filter(({ created }) => created >= Number(query.get('created[gte]') ?? 0))
  const after = all.findIndex(({ id }) => id === query.get('starting_after')) + 1
  const data = all.slice(after, after + Number(query.get('limit') ?? 10))
  return { json: { object: 'list', url: `/v1${path}`, has_more: after + data.length < all.length, data } }
}

const api = await vendor({
  base: 'STRIPE_API',
  prefix: '/v1',
  environment: { STRIPE_KEY: 'rk_invented' },
  lets: has('authorization', 'Bearer rk_invented'),
  busy: { status: 429, headers: { 'stripe-rate-limited-reason': 'endpoint-rate' }, json: { error: {} } },
  answer,
})
const { default: pipeline } = await import('../../docs/cookbook/stripe.ts')
afterAll(async () => api[Symbol.asyncDispose]())

export async function stripe(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first.streams).toMatchObject({
    customers: { counts: { inserted: 230 }, completeness: { grade: 'ended' } },
    transactions: { counts: { inserted: 400 }, completeness: { grade: 'ended' } },
    events: { counts: { inserted: 250 }, completeness: { grade: 'ended' } },
  })
  expect(api.served).toHaveLength(3 + 4 + 3)
  expect(api.waited).toBeGreaterThan(450)

  // A customer is gone, which an event tells, and a transaction of some days ago has become available.
  const [gone] = lists['/customers']!.splice(5, 1)
  const pending = lists['/balance_transactions']!
  pending[100] = { ...pending[100]!, status: 'available' } as never
  lists['/events']!.unshift({ id: 'evt_new', created: NOW, type: 'customer.deleted', data: { object: gone } } as never)
  const second = await run(pipeline, { database: target.url })
  expect(second.streams).toMatchObject({
    customers: { swap: { inserted: 0, updated: 0, deleted: 1 }, completeness: { grade: 'ended' } },
    transactions: { counts: { fetched: 337, updated: 1, inserted: 0 }, completeness: { grade: 'ended' } },
    events: { counts: { fetched: 3, inserted: 1, unchanged: 2 }, completeness: { grade: 'ended' } },
  })
  const [row] = await target.database.query<{ object_id: string; created: Date }>(
    "select object_id, created from stripe.events where type = 'customer.deleted'",
  )
  expect(row).toEqual({ object_id: gone?.id, created: new Date(NOW * 1_000) })
  await expectRefused(pipeline, 'STRIPE_KEY', target.url)
}
