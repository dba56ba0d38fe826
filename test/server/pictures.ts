// npm run pictures: takes the pictures of docs/images from a real server that watches a real run and a real backfill of
// an API on this machine.
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { embeddedDatabase } from '../../src/database/embedded/embedded-database.ts'
import { sleep } from '../../src/flow/signals/sleep.ts'
import { byCursor, byPage, http, pipeline, run, since, until } from '../../src/index.ts'
import { serve, type Server } from '../../src/server/serve.ts'
import { apiServer, type ApiAnswer, type ApiServer } from '../support/api-server.ts'
import { openBrowser } from '../support/browser.ts'

const folder = join(import.meta.dirname, '../../docs/images')
const MAX_BYTES = 300_000
const day = 86_400_000
const begin = Date.UTC(2023, 0, 1)

/** Records of each kind: more with each run, so that every run has something new to read. */
const size = { customers: 600, invoices: 900, events: 2_000 }
type Kind = keyof typeof size

const record = (kind: string, id: number): object => ({
  id,
  name: `${kind} ${id}`,
  amount: id % 1_711 === 7 ? 'n/a' : ((id * 7_919) % 100_000) / 100,
  note: id % 3 === 0 ? null : `a note of ${kind} ${id}, as people write them`,
  at: new Date(begin + id * 60_000).toISOString(),
})

/** Returns a page of 200 records that have changed since the cursor. */
function changed(kind: Kind, query: URLSearchParams): ApiAnswer {
  const first = Number(
    query.get('after') ?? (query.has('since') ? Math.ceil((Date.parse(query.get('since')!) - begin) / 60_000) : 1),
  )
  const count = Math.max(0, Math.min(200, size[kind] - first + 1))
  return {
    json: {
      rows: Array.from({ length: count }, (_, at) => record(kind, first + at)),
      next: first + count <= size[kind] ? String(first + count) : null,
    },
  }
}

/** Returns ledger entries of a day, in pages of 200; four days fail. */
function entries(query: URLSearchParams): ApiAnswer {
  const at = (Date.parse(query.get('since') ?? '') - begin) / day
  if ([96, 211, 523, 640].includes(at)) return { status: 404, json: { error: 'this day is archived' } }
  const count = 380 + ((at * 37) % 160)
  const page = Number(query.get('page'))
  return {
    json: {
      rows: Array.from({ length: Math.max(0, Math.min(200, count - (page - 1) * 200)) }, (_, place) => {
        const id = at * 1_000 + (page - 1) * 200 + place
        return {
          id,
          account: `A-${id % 97}`,
          amount: (id % 10_000) / 100,
          at: new Date(begin + at * day + place * 60_000).toISOString(),
        }
      }),
      pages: Math.ceil(count / 200),
    },
  }
}

async function openApi(): Promise<ApiServer> {
  return apiServer(async ({ path, query }) => {
    await sleep(path === '/entries' ? 150 : 25)
    return path === '/entries' ? entries(query) : changed(path.slice(1) as Kind, query)
  })
}

interface Row {
  id: number
  amount: number
  at: string
}

function pipelines(origin: string) {
  const api = http(origin)
  const polite = http(origin, { rate: '12/s' })
  const stream = (from: typeof api, path: `/${string}`) =>
    from
      .get<{ rows: Row[]; next: string | null }>(path, { since })
      .pages(byCursor('after', 'next'))
      .records('rows')
      .incremental('at', { order: 'ascending' })
  const shop = pipeline('shop', {
    schedule: '*/15 * * * *',
    streams: {
      customers: stream(api, '/customers').into('shop.customers', { key: 'id' }),
      invoices: stream(polite, '/invoices').into('shop.invoices', {
        key: 'id',
        columns: { amount: 'numeric(12,2)' },
        maxRejects: 100_000,
      }),
      events: stream(api, '/events').into('shop.events', { write: 'append' }),
    },
  })
  const ledger = pipeline('ledger', {
    streams: {
      entries: http(origin)
        .get<{ rows: Row[]; pages: number }>('/entries', { since, until })
        .pages(byPage('page', { pages: 'pages' }))
        .records('rows')
        .incremental('at')
        .into('ledger.entries', { key: 'id' }),
    },
  })
  return { shop, ledger }
}

async function opened(
  browser: Browser,
  server: Server,
  width: number,
  height: number,
  colorScheme: 'light' | 'dark',
  at = '',
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, reducedMotion: 'reduce' })
  const page = await context.newPage()
  await page.goto(`${server.url}/#/${at}`)
  return page
}

async function picture(page: Page, name: string): Promise<void> {
  const path = join(folder, `${name}.png`)
  await page.screenshot({ path })
  const { size } = await stat(path)
  process.stdout.write(`${path}: ${Math.round(size / 1_000)} kB\n`)
  if (size > MAX_BYTES) throw new Error(`${path} has ${size} bytes, more than ${MAX_BYTES}: show less`)
}

async function post(server: Server, path: string, body: object): Promise<void> {
  const answer = await fetch(new URL(path, server.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`)
}

await mkdir(folder, { recursive: true })
const dir = await mkdtemp(join(tmpdir(), 'sluice-pictures-'))
try {
  await using base = await embeddedDatabase({ dir, durable: false })
  await using api = await openApi()
  const { shop, ledger } = pipelines(api.origin)
  // A past: runs of different sizes.
  for (const [at, more] of [1, 3, 2, 0.4, 5, 1, 2].entries()) {
    for (const kind of Object.keys(size) as Kind[])
      size[kind] += Math.round(more * (kind === 'events' ? 700 : 260) * (1 + (at % 2)))
    await run(shop, { database: base.url })
  }
  await using server = await serve([shop, ledger], { port: 0, database: base.url })
  await using browser = await openBrowser()

  Object.assign(size, { customers: 400_000, invoices: 200_000, events: 400_000 })
  const wide = await opened(browser, server, 1600, 1000, 'light')
  const narrow = await opened(browser, server, 360, 780, 'light')
  await post(server, '/api/runs', { pipeline: 'shop' })
  await wide.locator('.chain').nth(2).waitFor()
  await sleep(50_000)
  await picture(wide, 'page-run-light')
  await picture(narrow, 'page-narrow')
  await wide.getByRole('button', { name: 'Cancel run' }).click()
  await wide.getByRole('button', { name: 'Cancel it now?' }).click()
  await wide.getByText('No run is active.').waitFor({ timeout: 20_000 })

  await post(server, '/api/backfills', {
    pipeline: 'ledger',
    stream: 'entries',
    from: '2023-01-01',
    to: '2026-01-01',
    window: '1d',
    concurrency: 8,
  })
  const map = await opened(browser, server, 1600, 900, 'dark', 'backfills')
  await map.getByRole('link', { name: 'ledger.entries' }).click()
  await map.locator('.map .cell[data-at="560"][data-state=done]').waitFor({ timeout: 300_000 })
  await map.locator('.map .cell[data-state=failed]').nth(2).click()
  await picture(map, 'page-backfill-dark')
} finally {
  await rm(dir, { recursive: true, force: true })
}
