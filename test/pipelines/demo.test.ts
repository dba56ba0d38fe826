import { afterAll, expect, test } from '@jest/globals'
import { run } from '../../src/index.ts'
import { demoResponses, type DemoSize } from '../../src/cli/demo/demo-responses.ts'
import { startDemoApi, type DemoApi } from '../../src/cli/demo/start-demo-api.ts'
import type { Database } from '../../src/database/database.ts'
import { testDatabase } from '../support/database.ts'

// The last change and the last event are shared by several records, and another one may still join them.
const small: DemoSize = { customers: 418, events: 12_500 }
const grown: DemoSize = { customers: 419, events: 12_501 }

let api: DemoApi = await startDemoApi({ ...small, latencyMs: 0, port: 0 })
process.env['SLUICE_DEMO_API'] = api.origin
const { default: pipeline } = await import('../../pipelines/demo.ts')

afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

/** The same API, at the same place, with other records. */
async function become(size: DemoSize): Promise<void> {
  await api[Symbol.asyncDispose]()
  api = await startDemoApi({ ...size, latencyMs: 0, port: Number(new URL(api.origin).port) })
}

interface Source {
  customers: {
    id: number
    account_number: string
    name: string
    email: string | null
    city: string
    updated_at: string
  }[]
  invoices: {
    id: string
    amount: string
    status: string
    issued_on: string
    paid_at: string | null
    customer_id: number
  }[]
  events: { type: string; customer_id: number; at: string; page: string; took_ms: number }[]
}

/** Reads all records of the API without a pipeline. Numbers are the digits that the API wrote. */
function known(size: DemoSize): Source {
  const answer = demoResponses(size)
  const get = (url: string): Record<string, Record<string, unknown>[]> => {
    const first = answer(url)
    const { body } = first.status === 200 ? first : answer(url)
    return JSON.parse(body.replaceAll(/("(?:account_number|amount)":)([\d.]+)/g, '$1"$2"')) as never
  }
  const all: Record<keyof Source, Record<string, unknown>[]> = { customers: [], invoices: [], events: [] }
  for (const customer of get(`/customers?limit=500`)['customers'] ?? []) {
    const { address, ...rest } = customer as { address: object }
    all.customers.push({ ...rest, ...address })
    for (const offset of [0, 500])
      all.invoices.push(
        ...(get(`/customers/${String(customer['id'])}/invoices?limit=500&offset=${offset}`)['invoices'] ?? []).map(
          (one) => ({ ...one, customer_id: customer['id'] }),
        ),
      )
  }
  for (let index = 0; index < (size.events ?? 0); index += 1_000) {
    const cursor = Buffer.from(`event:${index}`).toString('base64url')
    all.events.push(
      ...(get(`/events?limit=1000&cursor=${cursor}`)['events'] ?? [])
        .filter(({ type }) => type !== 'heartbeat')
        .map(({ context, id, ...event }) => ({
          ...event,
          event_id: id,
          page: (context as { page: string }).page,
          took_ms: (context as { ms: number }).ms,
        })),
    )
  }
  return all as unknown as Source
}

const utc = (column: string): string => `to_char(${column} at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`
const stored = async (database: Database): Promise<Source> => ({
  customers: await database.query(
    `select id::int, account_number::text, name, email, city, ${utc('updated_at')} as updated_at
     from demo.customers order by id`,
  ),
  invoices: await database.query(
    `select id, amount::text, status, issued_on::text, ${utc('paid_at')} as paid_at, customer_id::int
     from demo.invoices order by id`,
  ),
  events: await database.query(
    `select id as event_id, type, customer_id::int, ${utc('at')} as at, page, took_ms::int
     from demo.events order by id`,
  ),
})
async function expectEqualToSource(database: Database, size: DemoSize): Promise<void> {
  const [source, rows] = [known(size), await stored(database)]
  expect(rows.customers).toEqual(
    source.customers
      .map(({ id, account_number, name, email, city, updated_at }) => ({
        id,
        account_number,
        name,
        email,
        city,
        updated_at,
      }))
      .toSorted((a, b) => a.id - b.id),
  )
  expect(rows.invoices).toEqual(
    source.invoices
      .map(({ id, amount, status, issued_on, paid_at, customer_id }) => ({
        id,
        amount: Number(amount).toFixed(2),
        status,
        issued_on,
        paid_at,
        customer_id,
      }))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  )
  expect(rows.events).toEqual(source.events)
}

test('a run stores all records of an API that is sometimes busy, and the next run only the new ones', async () => {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first).toMatchObject({
    status: 'done',
    streams: {
      customers: { counts: { inserted: 418 } },
      invoices: { counts: { parents: 418 } },
      events: { counts: { fetched: 12_500 } },
    },
  })
  // One of the two streams that read customers meets the refused page of theirs.
  expect(Object.values(first.streams).reduce((sum, { retries }) => sum + retries, 0)).toBe(4)
  await expectEqualToSource(target.database, small)

  const second = await run(pipeline, { database: target.url })
  expect(second).toMatchObject({
    status: 'done',
    streams: {
      customers: {
        since: expect.any(String),
        counts: { fetched: 5, inserted: 0, updated: 0, unchanged: 5 },
      },
      invoices: { since: expect.any(String), counts: { parents: 5, inserted: 0, updated: 0 } },
      events: { since: expect.any(String), requests: 1, counts: { fetched: 2, inserted: 0, duplicate: 2 } },
    },
  })

  // The list of customers is requested by one of the two streams that read it.
  expect([0, 1]).toContain(second.streams.customers.requests)

  await become(grown)
  const third = await run(pipeline, { database: target.url })
  expect(third.streams.customers.counts).toMatchObject({ fetched: 6, inserted: 1, unchanged: 5 })
  expect(third.streams.events.counts).toMatchObject({ fetched: 3, duplicate: 2 })
  await expectEqualToSource(target.database, grown)
}, 30_000)
