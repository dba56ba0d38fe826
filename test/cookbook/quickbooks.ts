import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { expectWait, has, numbers, vendor } from './vendor.ts'

/** On the clock of the company, eight hours behind UTC; a minute apart, until yesterday. */
const start = Math.floor(Date.now() / 60_000) * 60_000 - 86_400_000 - 2_300 * 60_000
const at = (n: number) => new Date(start + n * 60_000 - 8 * 3_600_000).toISOString().replace('.000Z', '-08:00')
const invoice = (n: number, updated = at(n), Balance = 10.5) => ({
  Id: String(n),
  SyncToken: String(n > 2_300 || Balance === 0 ? 1 : 0),
  DocNumber: `R-${n}`,
  TxnDate: '2026-01-01',
  CustomerRef: { value: '1', name: 'Ana' },
  TotalAmt: 10.5,
  Balance,
  MetaData: { CreateTime: at(0), LastUpdatedTime: updated },
})
let invoices = numbers(1, 2_300).map((n) => invoice(n))
let deleted: object[] = []
let isBusy = false
let most = 5

function answer({ path, query }: ApiRequest) {
  if (isBusy) return { status: 429 }
  if (path === '/v3/company/42/cdc') {
    const changed = invoices.filter(
      ({ MetaData }) => new Date(MetaData.LastUpdatedTime) >= new Date(query.get('changedSince') ?? 0),
    )
    return { json: { CDCResponse: [{ QueryResponse: [{ Invoice: [...deleted, ...changed.slice(-most)] }] }] } }
  }
  expect(path).toBe('/v3/company/42/query')
  const text = query.get('query') ?? ''
  const [, since = ''] = /^select \* from Invoice where MetaData.LastUpdatedTime >= '(.*)' orderby/.exec(text) ?? []
  const found = invoices.filter(({ MetaData }) => new Date(MetaData.LastUpdatedTime) >= new Date(since)).slice(0, 1_000)
  return {
    json: { QueryResponse: found.length > 0 ? { Invoice: found, startPosition: 1, maxResults: found.length } : {} },
  }
}

/** The refresh token is replaced at each use, and the former one is no longer good. */
let token = 'refresh-1'
const login = await vendor({
  base: 'QUICKBOOKS_TOKEN_URL',
  prefix: '/oauth2/v1/tokens/bearer',
  environment: {
    QUICKBOOKS_CLIENT: 'app-1',
    QUICKBOOKS_SECRET: 'invented',
    QUICKBOOKS_REFRESH_TOKEN: token,
    SLUICE_KEY: Buffer.alloc(32, 7).toString('base64'),
  },
  lets: has('authorization', `Basic ${Buffer.from('app-1:invented').toString('base64')}`),
  refusal: { status: 401, json: { error: 'invalid_client' } },
  answer: ({ body }) => {
    if (new URLSearchParams(body).get('refresh_token') !== token)
      return { status: 400, json: { error: 'invalid_grant' } }
    token = `refresh-${login.served.length + 1}`
    return { json: { access_token: 'granted', refresh_token: token, expires_in: 3_600, token_type: 'bearer' } }
  },
})
const api = await vendor({
  base: 'QUICKBOOKS_API',
  environment: { QUICKBOOKS_COMPANY: '42' },
  lets: has('authorization', 'Bearer granted'),
  answer,
})
const { default: pipeline } = await import('../../docs/cookbook/quickbooks.ts')
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await login[Symbol.asyncDispose]()
})

export async function quickbooks(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first.streams).toMatchObject({
    invoices: { counts: { inserted: 2_300 }, completeness: { grade: 'counted' } },
    deleted: { counts: { inserted: 0, filtered: 5 }, completeness: { grade: 'ended' } },
  })

  invoices = [...invoices.slice(2), invoice(2, at(2_400), 0)]
  deleted = [{ Id: '1', status: 'Deleted', MetaData: { LastUpdatedTime: at(2_401) } }]
  const second = await run(pipeline, { database: target.url })
  expect(second.streams).toMatchObject({
    invoices: { counts: { updated: 1, unchanged: 2 }, completeness: { grade: 'counted' } },
    deleted: { counts: { inserted: 1 } },
  })
  most = 1_000 - deleted.length
  const full = await run(pipeline, { database: target.url, streams: ['deleted'], full: true })
  expect(full.streams.deleted).toMatchObject({
    status: 'failed',
    error: expect.stringContaining('the API returns at most 1,000'),
  })
  const [row] = await target.database.query("select balance::text, updated_at from quickbooks.invoices where id = '2'")
  expect(row).toEqual({ balance: '0', updated_at: new Date(start + 2_400 * 60_000) })
  // One refresh for both streams and all runs.
  expect(login.served).toHaveLength(1)
  isBusy = true
  // Another database begins with the first token.
  token = 'refresh-1'
  await expectWait(pipeline, 60_000)
}
