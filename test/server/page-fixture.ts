import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { byPage, http, pipeline, since, until } from '../../src/index.ts'
import { serve, type Server, type ServeOptions } from '../../src/server/serve.ts'
import type { ApiHandler } from '../support/api-server.ts'
import { complaintsOf } from '../support/browser.ts'

interface Entry {
  id: number
  amount: string
  note: string
  at: string
}

const START = Date.UTC(2024, 0, 1)
/** A value that must not become markup on the page. */
export const evil = '<img src=x onerror="complain(\'a record ran as markup\')">'
const entry = (id: number): Entry => ({
  id,
  amount: id === 7 ? 'n/a' : `${id}.50`,
  note: id % 10 === 7 ? evil : `entry ${id}`,
  at: new Date(START + id * 3_600_000).toISOString(),
})

/**
 * Returns one entry per hour, in pages of fifty, between `since` and `until`. `before` may delay or replace an answer.
 */
export const entries =
  (
    count: number,
    before: (page: number, query: URLSearchParams) => Promise<void> | { status: number; json: unknown } | undefined,
  ): ApiHandler =>
  async ({ query }) => {
    const page = Number(query.get('page') ?? 1)
    const other = await before(page, query)
    if (other) return other
    const hour = (name: string, otherwise: number): number =>
      Math.min(count, Math.max(1, Math.ceil((Date.parse(query.get(name) ?? '') - START) / 3_600_000) || otherwise))
    const [from, to] = [query.has('since') ? hour('since', 1) : 1, query.has('until') ? hour('until', 1) : count + 1]
    const ids = Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at).slice((page - 1) * 50, page * 50)
    return { json: { entries: ids.map(entry), pages: Math.ceil((to - from) / 50) } }
  }

export const book = (origin: string, options: Pick<Parameters<typeof pipeline>[1], 'schedule'> = {}) =>
  pipeline('book', {
    ...options,
    streams: {
      entries: http(origin)
        .get<{ entries: Entry[]; pages: number }>('/entries', { since, until })
        .pages(byPage('page', { pages: 'pages' }))
        .records('entries')
        .incremental('at')
        .into('book.entries', { key: 'id', columns: { amount: 'numeric' }, maxRejects: 10 }),
    },
  })

/** Opens a server with the pipeline of the entries. */
export const serving = async (origin: string, database: string, options: ServeOptions = {}): Promise<Server> =>
  serve(book(origin), { port: 0, database, environment: {}, ...options })

/** Opens the page in its own browser context and waits for its content; `complaints` are errors of the page. */
export async function openPage(
  browser: Browser,
  server: Server,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; complaints: string[] } & AsyncDisposable> {
  const context = await browser.newContext({ viewport: { width: 1600, height: 1000 }, ...options })
  context.setDefaultTimeout(8_000)
  const page = await context.newPage()
  const complaints = await complaintsOf(page)
  await page.goto(server.url)
  await page.getByRole('heading', { name: 'Streams' }).waitFor()
  return { page, complaints, [Symbol.asyncDispose]: async () => context.close() }
}
