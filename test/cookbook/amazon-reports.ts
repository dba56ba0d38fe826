import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { expectRefused, has, numbers, vendor } from './vendor.ts'

const HEADER = ['item-name', 'seller-sku', 'price', 'quantity', 'open-date', 'asin1', 'status', 'zshop-category1']
const listings = numbers(1, 1_500).map((n) => [
  n === 3 ? '24" screen' : `Item ${n}`,
  `SKU-${n}`,
  '10.50',
  n === 2 ? '' : '7',
  '2026-01-01 10:00:00 MET',
  `B00${n}`,
  'Active',
  '',
])
let reports = 0

function answer({ path, method, body }: ApiRequest) {
  if (method === 'POST') {
    expect(path).toBe('/reports/2021-06-30/reports')
    expect(JSON.parse(body)).toEqual({
      reportType: 'GET_MERCHANT_LISTINGS_ALL_DATA',
      marketplaceIds: ['A1PA6795UKMFR9'],
    })
    reports += 1
    return { status: 202, json: { reportId: `report-${reports}` } }
  }
  if (path === `/reports/2021-06-30/reports/report-${reports}`)
    return {
      json: { reportId: `report-${reports}`, processingStatus: 'DONE', reportDocumentId: `document-${reports}` },
    }
  expect(path).toBe(`/reports/2021-06-30/documents/document-${reports}`)
  const url = `${files.origin}/${reports}?X-Amz-Signature=invented`
  return { json: { reportDocumentId: `document-${reports}`, compressionAlgorithm: 'GZIP', url } }
}

const login = await vendor({
  base: 'AMAZON_LOGIN',
  environment: { AMAZON_CLIENT_ID: 'app-1', AMAZON_CLIENT_SECRET: 'invented', AMAZON_REFRESH_TOKEN: 'Atzr-invented' },
  lets: ({ body }) => new URLSearchParams(body).get('client_secret') === 'invented',
  refusal: { status: 400, json: { error: 'invalid_client' } },
  answer: () => ({ json: { access_token: 'Atza-granted', token_type: 'bearer', expires_in: 3_600 } }),
})
/** As S3 sends it: a packed file, without a header that says so. */
const files = await vendor({
  base: 'AMAZON_FILES',
  lets: ({ headers }) => headers['x-amz-access-token'] === undefined,
  answer: () => ({
    body: [HEADER, ...listings].map((row) => row.join('\t')).join('\n'),
    encoding: 'gzip',
    headers: { 'content-type': 'text/plain;charset=UTF-8' },
  }),
})
const api = await vendor({ base: 'AMAZON_REPORTS_API', lets: has('x-amz-access-token', 'Atza-granted'), answer })
const { default: pipeline } = await import('../../docs/cookbook/amazon-reports.ts')
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await files[Symbol.asyncDispose]()
  await login[Symbol.asyncDispose]()
})

export async function amazonReports(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first.streams.listings).toMatchObject({ counts: { inserted: 1_500 }, completeness: { grade: 'ended' } })

  listings.splice(20, 1)
  const second = await run(pipeline, { database: target.url })
  expect(second.streams.listings).toMatchObject({ swap: { inserted: 0, updated: 0, deleted: 1 } })
  expect(reports).toBe(2)
  const rows = await target.database.query(
    "select item_name, price::text, quantity::int from amazon.listings where asin1 in ('B002', 'B003') order by 1",
  )
  expect(rows).toEqual([
    { item_name: '24" screen', price: '10.50', quantity: 7 },
    { item_name: 'Item 2', price: '10.50', quantity: null },
  ])
  await expectRefused(pipeline, 'AMAZON_CLIENT_SECRET', target.url)
}
