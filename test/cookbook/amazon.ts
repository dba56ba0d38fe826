import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { expectRefused, expectWait, has, numbers, vendor } from './vendor.ts'

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1) + minute * 60_000).toISOString().replace('.000', '')
const order = (n: number, LastUpdateDate = at(n), OrderStatus = 'Shipped') => ({
  AmazonOrderId: `302-${n}`,
  OrderStatus,
  FulfillmentChannel: 'AFN',
  MarketplaceId: 'A1PA6795UKMFR9',
  NumberOfItemsShipped: 1,
  NumberOfItemsUnshipped: 0,
  ...(n > 1 && { OrderTotal: { CurrencyCode: 'EUR', Amount: '10.50' } }),
  PurchaseDate: at(0),
  LastUpdateDate,
})
let orders = numbers(1, 250).map((n) => order(n))
let isBusy = false

function answer({ path, query }: ApiRequest) {
  expect(path).toBe('/orders/v0/orders')
  if (isBusy) return { status: 429, json: { errors: [{ code: 'QuotaExceeded' }] } }
  const [since = '', from = '0'] = (query.get('NextToken') ?? query.get('LastUpdatedAfter') ?? '').split('|')
  const all = orders.filter(({ LastUpdateDate }) => Date.parse(LastUpdateDate) >= Date.parse(since))
  const end = Number(from) + 100
  const NextToken = end < all.length ? `${since}|${end}` : undefined
  return { json: { payload: { Orders: all.slice(Number(from), end), ...(NextToken && { NextToken }) } } }
}

const login = await vendor({
  base: 'AMAZON_LOGIN',
  environment: { AMAZON_CLIENT_ID: 'app-1', AMAZON_CLIENT_SECRET: 'invented', AMAZON_REFRESH_TOKEN: 'Atzr-invented' },
  lets: ({ body }) => new URLSearchParams(body).get('client_secret') === 'invented',
  refusal: { status: 400, json: { error: 'invalid_client' } },
  answer: ({ path, body }) =>
    path === '/auth/o2/token' && new URLSearchParams(body).get('refresh_token') === 'Atzr-invented'
      ? { json: { access_token: 'Atza-granted', token_type: 'bearer', expires_in: 3_600 } }
      : { status: 400 },
})
const api = await vendor({ base: 'AMAZON_API', lets: has('x-amz-access-token', 'Atza-granted'), answer })
const { default: pipeline } = await import('../../docs/cookbook/amazon.ts')
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await login[Symbol.asyncDispose]()
})

export async function amazon(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first.streams.orders).toMatchObject({ counts: { inserted: 250 }, completeness: { grade: 'ended' } })
  expect(api.served).toHaveLength(3)
  expect(login.served).toHaveLength(1)

  orders = [...orders.slice(1), order(1, at(9_000), 'Canceled')]
  const second = await run(pipeline, { database: target.url })
  expect(second.streams.orders).toMatchObject({
    counts: { updated: 1, unchanged: 11 },
    completeness: { grade: 'ended' },
  })
  const rows = await target.database.query('select id, status from amazon.orders where total is null')
  expect(rows).toEqual([{ id: '302-1', status: 'Canceled' }])
  await expectRefused(pipeline, 'AMAZON_CLIENT_SECRET', target.url)
  isBusy = true
  await expectWait(pipeline, 60_000)
}
