import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { expectRefused, has, numbers, vendor } from './vendor.ts'

const products = numbers(1, 2_500).map((n) => ({
  id: `gid://shopify/Product/${n}`,
  title: `Product ${n}`,
  vendor: 'Ana',
  status: 'ACTIVE',
  totalInventory: n,
  createdAt: '2026-01-01T00:00:00Z',
  updatedAt: '2026-01-01T00:00:00Z',
}))
let operations = 0

function answer({ body }: ApiRequest) {
  const { query, variables } = JSON.parse(body) as { query: string; variables: { id?: string; query?: string } }
  if (query.startsWith('mutation Run')) {
    expect(variables.query).toContain('products')
    operations += 1
    const bulkOperation = { id: `gid://shopify/BulkOperation/${operations}` }
    return { json: { data: { bulkOperationRunQuery: { bulkOperation, userErrors: [] } } } }
  }
  expect(variables.id).toBe(`gid://shopify/BulkOperation/${operations}`)
  const url = `${files.origin}/bulk-${operations}.jsonl?signature=invented`
  const node = { status: 'COMPLETED', url, errorCode: null, objectCount: String(products.length) }
  return { json: { data: { node } } }
}

const files = await vendor({
  base: 'SHOPIFY_FILES',
  lets: ({ headers }) => headers['x-shopify-access-token'] === undefined,
  answer: () => ({
    body: products.map((product) => `${JSON.stringify(product)}\n`).join(''),
    headers: { 'content-type': 'application/jsonl' },
  }),
})
const api = await vendor({
  base: 'SHOPIFY_API',
  prefix: '/admin/api/2025-10/graphql.json',
  environment: { SHOPIFY_TOKEN: 'shpat_invented' },
  lets: has('x-shopify-access-token', 'shpat_invented'),
  answer,
})
const { default: pipeline } = await import('../../docs/cookbook/shopify-bulk.ts')
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await files[Symbol.asyncDispose]()
})

export async function shopifyBulk(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first.streams.products).toMatchObject({ counts: { inserted: 2_500 }, completeness: { grade: 'counted' } })

  products.splice(10, 1)
  const second = await run(pipeline, { database: target.url })
  expect(second.streams.products).toMatchObject({
    swap: { inserted: 0, updated: 0, deleted: 1 },
    completeness: { grade: 'counted' },
  })
  expect(operations).toBe(2)
  expect(files.served).toHaveLength(2)
  await expectRefused(pipeline, 'SHOPIFY_TOKEN', target.url)
}
