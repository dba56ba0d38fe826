import {
  accounts,
  bearer,
  byPage,
  http,
  pipeline,
  since,
  type Accounts,
  type AccountsPipeline,
  type Rate,
} from '../../../src/index.ts'
import { expandAccounts } from '../../../src/run/accounts/expand-accounts.ts'
import { inTurn } from '../../../src/run/accounts/in-turn.ts'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { apiServer, type ApiServer } from '../../support/api-server.ts'

export interface Order {
  id: number
  of: string
  updated: string
}

export const moment = (n: number): string => new Date(Date.UTC(2024, 0, 1) + n * 60_000).toISOString()

/** Orders of an account. Their ids are those of every other account too. */
export const orders = (of: string, count: number, first = 0): Order[] =>
  Array.from({ length: count }, (_, n) => ({ id: n + 1, of, updated: moment(first + n) }))

export interface ShopApi extends ApiServer {
  /** When the requests of an account have arrived. */
  readonly arrived: ReadonlyMap<string, readonly number[]>
}

/** One API with the orders of many accounts, each by its token `token-of-NAME`: one order on a page. */
export async function shopApi(
  ordersOf: (account: string) => readonly Order[],
  statusOf: (account: string) => number = () => 200,
): Promise<ShopApi> {
  const arrived = new Map<string, number[]>()
  const server = await apiServer(({ headers, query }) => {
    const account = headers.authorization?.replace('Bearer token-of-', '') ?? ''
    arrived.set(account, [...(arrived.get(account) ?? []), performance.now()])
    const status = statusOf(account)
    if (status !== 200) return { status }
    const from = query.get('since')
    const fitting = ordersOf(account).filter(({ updated }) => from === null || Date.parse(updated) >= Date.parse(from))
    const page = Number(query.get('page'))
    return { json: { orders: fitting.slice(page - 1, page), pages: Math.max(1, fitting.length) } }
  })
  return Object.assign(server, { arrived })
}

/** A pipeline of the orders of each account. */
export const shops = (origin: string, from: Accounts = accounts('SHOPS', { concurrency: 20 })): AccountsPipeline =>
  pipeline('shops', {
    for: from,
    streams: (account) => {
      const api = http(account.value('url', origin), {
        auth: bearer(account.secret('TOKEN')),
        rate: account.value('rate', '1000/s') as Rate,
        attempts: 1,
      })
      const all = api
        .get<{ orders: Order[]; pages: number }>('/orders', { since })
        .pages(byPage('page', { pages: 'pages' }))
        .records('orders')
      return { orders: all.incremental('updated', { lookback: 0 }).into('shop.orders', { key: 'id' }) }
    },
  })

/** The variable SHOPS as JSON. */
export const shopsJson = (names: readonly string[], more: (name: string) => object = () => ({})): string =>
  JSON.stringify(names.map((name) => ({ name, token: `token-of-${name}`, ...more(name) })))

/** Runs all accounts of a pipeline, and returns the status and the counts of each. */
export async function runAll(
  definition: AccountsPipeline,
  { database, SHOPS, accounts }: { database: string; SHOPS: string; accounts?: readonly string[] },
) {
  const environment = { SHOPS }
  const { pipelines } = await expandAccounts(definition, { environment, database, accounts })
  const found = pipelines.map((one) => ({ pipeline: one }))
  const reports = await inTurn(found, {}, ({ pipeline }) => runPipeline(pipeline, { database, environment }))
  return Object.fromEntries<unknown>(
    reports.map((report) => [
      String(report?.account),
      { status: report?.status, ...report?.streams['orders']?.counts },
    ]),
  )
}
