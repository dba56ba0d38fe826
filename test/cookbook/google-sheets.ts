import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { googleLogin, otherGoogleKey } from './google-login.ts'
import { expectRefused, has, numbers, vendor } from './vendor.ts'

const values: unknown[][] = [
  ['order', 'customer', 'total', 'paid'],
  ...numbers(1, 300).map((n) => (n % 2 ? [n, `Customer ${n}`, n + 0.5, true] : [n, `Customer ${n}`])),
]
let requests = 0

function answer({ path, query }: ApiRequest) {
  expect(path).toBe('/spreadsheets/sheet-1/values/Orders!A%3AD')
  expect(query.get('valueRenderOption')).toBe('UNFORMATTED_VALUE')
  if (requests++ === 1) return { status: 429, headers: { 'retry-after': '1' }, json: { error: { code: 429 } } }
  return { json: { range: 'Orders!A1:D301', majorDimension: 'ROWS', values } }
}

const login = await googleLogin('https://www.googleapis.com/auth/spreadsheets.readonly')
const api = await vendor({
  base: 'SHEETS_API',
  prefix: '/v4',
  environment: { GOOGLE_SHEET: 'sheet-1', GOOGLE_RANGE: 'Orders!A:D' },
  lets: has('authorization', 'Bearer ya29.granted'),
  refusal: { status: 403, json: { error: { code: 403, status: 'PERMISSION_DENIED' } } },
  answer,
})
const { default: pipeline } = await import('../../docs/cookbook/google-sheets.ts')
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await login[Symbol.asyncDispose]()
})

export async function googleSheets(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first.streams.rows).toMatchObject({ counts: { inserted: 300 }, completeness: { grade: 'ended' } })

  values.splice(4, 1)
  values.push(['', ''])
  const second = await run(pipeline, { database: target.url })
  expect(second.streams.rows).toMatchObject({
    retries: 1,
    counts: { filtered: 1 },
    swap: { inserted: 0, updated: 0, deleted: 1 },
    completeness: { grade: 'ended' },
  })
  const rows = await target.database.query(
    'select "order"::int, total::text, paid from google_sheets.orders where "order" in (2, 3, 4)',
  )
  expect(rows).toEqual([
    { order: 2, total: null, paid: null },
    { order: 3, total: '3.5', paid: true },
  ])
  await expectRefused(pipeline, 'GOOGLE_KEY', target.url, otherGoogleKey())
}
