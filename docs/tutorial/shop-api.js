// The API of the tutorial: 250 orders in pages of 100, each with two lines, and a way to change an order.
//   npx node docs/tutorial/shop-api.js [port]
// It is no TypeScript: Node runs none inside of node_modules, where an installed package has this file.
import { createServer } from 'node:http'

/** @param {number} number */
const day = (number) => new Date(Date.UTC(2025, 0, number)).toISOString()
const orders = Array.from({ length: 250 }, (_, index) => ({
  id: index + 1,
  customer: ['Ada', 'Grace', 'Edsger'][index % 3] ?? '',
  total: 10 + index / 4,
  updated_at: day(1 + index),
}))

/**
 * GET /orders?page=2&updated_since=2025-06-01 returns one page of the orders that changed since then.
 *
 * @param {URLSearchParams} query
 */
function listOrders(query) {
  const page = Number(query.get('page') ?? 1)
  const since = query.get('updated_since') ?? ''
  const changed = orders.filter((order) => order.updated_at >= since)
  return { orders: changed.slice((page - 1) * 100, page * 100), pages: Math.max(1, Math.ceil(changed.length / 100)) }
}

/**
 * GET /orders/7/lines returns the lines of one order.
 *
 * @param {number} id
 */
const listLines = (id) => [
  { line: 1, sku: `book-${id}`, quantity: 1 },
  { line: 2, sku: 'wrapping', quantity: 2 },
]

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://shop.example')
  const [, , id, part] = pathname.split('/')
  const order = orders[Number(id) - 1]
  /**
   * @param {number} status
   * @param {object} body
   */
  const answer = (status, body) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  if (pathname === '/orders') return answer(200, listOrders(searchParams))
  if (!order) return answer(404, { error: 'There is no such order' })
  if (part === 'lines') return answer(200, listLines(order.id))
  if (request.method === 'PATCH') {
    // PATCH /orders/7?total=99 changes an order.
    order.total = Number(searchParams.get('total'))
    order.updated_at = day(300)
  }
  return answer(200, order)
})

server.listen(Number(process.argv[2] ?? 8710), '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object' && address) console.log(`The shop listens on http://127.0.0.1:${address.port}`)
})
