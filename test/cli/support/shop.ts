import { apiServer, type ApiServer } from '../../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../../support/database.ts'
import { callSluice } from './call.ts'
import { project, type Ended, type Project } from './command.ts'

const pipeline = `
import { byPage, http, pipeline, since } from 'SLUICE'

const orders = http(process.env.SHOP_API)
  .get('/orders', { since })
  .pages(byPage('page', { pages: 'pages' }))
  .records('orders')
  .incremental('updated', { order: 'ascending' })

export default pipeline('shop', {
  schedule: '0 4 * * *',
  streams: {
    orders: orders.map((order) => {
      if (order.total < 0) throw new Error('a negative total')
      return order
    }).into('shop.orders', { key: 'id' }),
    lines: orders
      .flatMap((order) => [{ order: order.id, line: 1 }, { order: order.id, line: 2 }])
      .into('shop.lines', { key: ['order', 'line'] }),
  },
})
`

/** Five orders, of which the fourth is rejected by the stage of stream `orders`. */
export const orders = [1, 2, 3, 4, 5].map((id) => ({
  id,
  total: id === 4 ? -1 : id * 10,
  updated: `2024-01-0${id}T00:00:00Z`,
}))

export interface Shop extends AsyncDisposable {
  readonly api: ApiServer
  readonly database: TestDatabase
  readonly here: Project
  /** Calls the command in this process, with this API and this database. */
  readonly sluice: (...args: string[]) => Promise<Ended>
}

/** A project with a pipeline `shop`, its API with two orders on each page, and an empty database. */
export async function openShop(files: Readonly<Record<string, string>> = {}): Promise<Shop> {
  await using opened = new AsyncDisposableStack()
  const api = opened.use(
    await apiServer(({ query }) => {
      const fitting = orders.filter(({ updated }) => updated >= (query.get('since') ?? ''))
      const page = Number(query.get('page'))
      return { json: { orders: fitting.slice(page * 2 - 2, page * 2), pages: Math.ceil(fitting.length / 2) } }
    }),
  )
  const database = opened.use(await testDatabase())
  const here = opened.use(await project({ 'pipelines/shop.ts': pipeline, ...files }))
  const all = opened.move()
  return {
    api,
    database,
    here,
    sluice: (...args) => callSluice(args, { cwd: here.cwd, env: { SHOP_API: api.origin, DATABASE_URL: database.url } }),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

/** A project of its own with the same pipeline: a pipeline file reads the address of its API once. */
export const shopProject = (files: Readonly<Record<string, string>> = {}): Promise<Project> =>
  project({ 'pipelines/shop.ts': pipeline, ...files })
