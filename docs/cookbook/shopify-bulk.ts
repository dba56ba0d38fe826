// Shopify, large shops: all products, as one file by a bulk operation.
//
// Docs:      shopify.dev (GraphQL Admin API: bulk operations, bulkOperationRunQuery); looked up 2026-11-27
// Secrets:   SHOPIFY_TOKEN of a custom app with read_products; SHOPIFY_SHOP is no secret
// Limits:    one such operation of a shop at a time, in newer versions five; its costs are not counted
// Paging:    none: a file of JSON lines, whose URL is good for a week
// Increment: none here: all products are read. A search by `updated_at` may stand in the query
// Deletions: a deleted product is not in the file: `replace` deletes its row
import { apiKey, baseUrl, http, ndjson, pipeline, secret } from 'sluice'

interface Started {
  bulkOperationRunQuery: { bulkOperation: { id: string } | null; userErrors: { message: string }[] }
}
interface Polled {
  node: { status: string; url: string | null; errorCode: string | null; objectCount: string }
}
interface Product {
  id: string
  title: string
  vendor: string
  status: string
  totalInventory: number
  createdAt: string
  updatedAt: string
}

const run = `mutation Run($query: String!) {
  bulkOperationRunQuery(query: $query) { bulkOperation { id } userErrors { message } }
}`
const poll = `query Poll($id: ID!) { node(id: $id) { ... on BulkOperation { status url errorCode objectCount } } }`
const cancel = `mutation Cancel($id: ID!) { bulkOperationCancel(id: $id) { userErrors { message } } }`
const query = '{ products { edges { node { id title vendor status totalInventory createdAt updatedAt } } } }'

const shop = `https://${process.env['SHOPIFY_SHOP'] ?? 'example'}.myshopify.com`
const api = http(baseUrl('SHOPIFY_API', `${shop}/admin/api/2025-10/graphql.json`), {
  auth: apiKey(secret('SHOPIFY_TOKEN'), { header: 'x-shopify-access-token' }),
  allowedOrigins: [baseUrl('SHOPIFY_FILES', 'https://storage.googleapis.com')],
})

const products = api
  .graphql<Started>(run, { query })
  .job({
    id: 'bulkOperationRunQuery.bulkOperation.id',
    poll: (id) => api.graphql<Polled>(poll, { id }),
    state: 'node.status',
    done: 'COMPLETED',
    failed: ['FAILED', 'CANCELED'],
    expired: 'EXPIRED',
    error: 'node.errorCode',
    count: 'node.objectCount',
    cancel: (id) => api.graphql(cancel, { id }),
  })
  .download<Product>('node.url', { format: ndjson() })

export default pipeline('shopify-bulk', {
  streams: { products: products.into('shopify.products', { key: 'id', write: 'replace' }) },
})
