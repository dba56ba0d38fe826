import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { expectRefused, has, numbers, vendor } from './vendor.ts'

const start = Date.UTC(2026, 0, 1)
const invoice = (n: number, minute = n, Status = 'AUTHORISED') => ({
  InvoiceID: `invoice-${n}`,
  InvoiceNumber: `R-${n}`,
  Type: 'ACCREC',
  Status,
  Contact: { ContactID: 'contact-1', Name: 'Ana' },
  DateString: '2026-01-01T00:00:00',
  DueDateString: null,
  CurrencyCode: 'EUR',
  Total: 10.5,
  AmountDue: 10.5,
  AmountPaid: 0,
  UpdatedDateUTC: `/Date(${start + minute * 60_000}+0000)/`,
})
let invoices = numbers(1, 2_300).map((n) => invoice(n))
const timeOf = ({ UpdatedDateUTC }: { UpdatedDateUTC: string }) => Number(/\d+/.exec(UpdatedDateUTC)?.[0])

function answer({ path, query, headers }: ApiRequest) {
  expect(path).toBe('/Invoices')
  const since = Date.parse(headers['if-modified-since'] ?? '1970-01-01')
  const all = invoices.filter((one) => timeOf(one) >= since)
  const [page, pageSize] = [Number(query.get('page')), Number(query.get('pageSize'))]
  return {
    json: {
      pagination: { page, pageSize, pageCount: Math.ceil(all.length / pageSize), itemCount: all.length },
      Invoices: all.slice((page - 1) * pageSize, page * pageSize),
    },
  }
}

const login = await vendor({
  base: 'XERO_LOGIN',
  environment: { XERO_CLIENT: 'app-1', XERO_SECRET: 'invented' },
  lets: has('authorization', `Basic ${Buffer.from('app-1:invented').toString('base64')}`),
  refusal: { status: 400, json: { error: 'invalid_client' } },
  answer: ({ body }) =>
    new URLSearchParams(body).get('grant_type') === 'client_credentials'
      ? { json: { access_token: 'granted', expires_in: 1_800, token_type: 'Bearer' } }
      : { status: 400 },
})
const api = await vendor({
  base: 'XERO_API',
  prefix: '/api.xro/2.0',
  lets: has('authorization', 'Bearer granted'),
  busy: { status: 429, headers: { 'retry-after': '1', 'x-rate-limit-problem': 'minute' } },
  answer,
})
const { default: pipeline } = await import('../../docs/cookbook/xero.ts')
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await login[Symbol.asyncDispose]()
})

export async function xero(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first.streams.invoices).toMatchObject({ counts: { inserted: 2_300 }, completeness: { grade: 'ended' } })
  expect(api.served.map(({ headers }) => headers['if-modified-since'])).toEqual([undefined, undefined, undefined])
  expect(api.waited).toBeGreaterThanOrEqual(990)

  invoices = [...invoices.slice(1), invoice(1, 9_000, 'VOIDED')]
  const second = await run(pipeline, { database: target.url })
  expect(second.streams.invoices).toMatchObject({
    counts: { updated: 1, unchanged: 6 },
    completeness: { grade: 'ended' },
  })
  const rows = await target.database.query("select id, updated_at from xero.invoices where status = 'VOIDED'")
  expect(rows).toEqual([{ id: 'invoice-1', updated_at: new Date(start + 9_000 * 60_000) }])
  await expectRefused(pipeline, 'XERO_SECRET', target.url)
}
