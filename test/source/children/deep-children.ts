// A list of lists of lists: each level takes another part of its request from its parent.
import { byPage, http, onePage, path, type Stream } from '../../../src/index.ts'
import { apiServer, type ApiRequest, type ApiServer } from '../../support/api-server.ts'

export interface Named {
  readonly id: string
}

export interface DeepList extends AsyncDisposable {
  readonly server: ApiServer
  /** In a chain of `.flatMap`. */
  readonly chained: Stream<Named>
  /** Each `.flatMap` in the stream that the one before returns. */
  readonly nested: Stream<Named>
}

/**
 * Regions (GET), shops below a path, orders by the query, lines by a body of JSON, notes by a form. `fails` may refuse
 * a request.
 */
export async function deepList(fails: (request: ApiRequest) => boolean = () => false): Promise<DeepList> {
  const server = await apiServer((request) => {
    if (fails(request)) return { status: 500 }
    const { path: asked, query, body } = request
    const [, , region] = asked.split('/')
    const list = asked.split('/').at(-1) ?? ''
    switch (list) {
      case 'regions':
        return { json: [{ id: 'a' }, { id: 'b' }] }
      case 'shops':
        return { json: [1, 2].map((shop) => ({ id: `${region}${shop}` })) }
      case 'orders':
        return page(query.get('shop'), query.get('page'), 3)
      case 'lines': {
        const { order, page: number } = JSON.parse(body) as { order: string; page: number }
        return page(order, String(number), Number(order.at(-1)) % 3)
      }
      default: {
        const form = new URLSearchParams(body)
        return page(form.get('line'), form.get('page'), 1)
      }
    }
  })
  const api = http(server.origin, { attempts: 1 })
  const paging = byPage('page', { pages: 'pages' } as const)
  const regions = api.get<Named[]>('/regions').pages(onePage()).records()
  const shops = ({ id }: Named) =>
    api
      .get<Named[]>(path`/regions/${id}/shops`)
      .pages(onePage())
      .records()
  const orders = ({ id }: Named) => api.get<Body>('/orders', { shop: id }).pages(paging).records('items')
  const lines = ({ id }: Named) =>
    api
      .post<Body>('/lines', { json: { order: id } })
      .pages(paging)
      .records('items')
  const notes = ({ id }: Named) =>
    api
      .post<Body>('/notes', { form: { line: id } })
      .pages(paging)
      .records('items')
  return {
    server,
    chained: regions
      .flatMap(shops, { concurrency: 2 })
      .flatMap(orders)
      .flatMap(lines, { concurrency: 2 })
      .flatMap(notes, { concurrency: 3 }),
    nested: regions.flatMap((region) =>
      shops(region).flatMap(
        (shop) => orders(shop).flatMap((order) => lines(order).flatMap(notes, { concurrency: 2 }), { concurrency: 2 }),
        { concurrency: 2 },
      ),
    ),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

interface Body {
  readonly items: readonly Named[]
  readonly pages: number
}

/** The children of one parent, two to a page. */
function page(parent: string | null, number: string | null, count: number): { json: Body } {
  const from = (Number(number) - 1) * 2
  const items = Array.from({ length: count }, (_, index) => ({ id: `${parent}.${index + 1}` }))
  return { json: { items: items.slice(from, from + 2), pages: Math.ceil(count / 2) } }
}

/** The notes of all lines: orders 1 to 3 of four shops have 1, 2 and 0 lines. */
export const ALL_NOTES: readonly string[] = ['a1', 'a2', 'b1', 'b2'].flatMap((shop) =>
  ['1.1', '2.1', '2.2'].map((line) => `${shop}.${line}.1`),
)
