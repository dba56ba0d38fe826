import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { googleLogin, otherGoogleKey } from './google-login.ts'
import { expectRefused, has, numbers, vendor } from './vendor.ts'

const DAY = 86_400_000
const day = (ago: number) => new Date(Date.now() - ago * DAY).toISOString().slice(0, 10)
/** Of each of the last 250 days a hundred sources; in the order of the dimensions. */
const rows = numbers(0, 249).flatMap((n) =>
  numbers(101, 200).map((source) => ({
    dimensionValues: [{ value: day(249 - n).replaceAll('-', '') }, { value: `source-${source}` }, { value: 'organic' }],
    metricValues: [{ value: '12' }, { value: '10' }],
  })),
)

interface Asked {
  dateRanges: { startDate: string; endDate: string }[]
  limit: number
  offset: number
}

function answer({ path, body }: ApiRequest) {
  expect(path).toBe('/properties/42:runReport')
  const { dateRanges, limit, offset } = JSON.parse(body) as Asked
  const from = dateRanges[0]?.startDate.replaceAll('-', '') ?? ''
  const found = rows.filter(({ dimensionValues }) => dimensionValues[0]!.value >= from)
  const page = found.slice(offset, offset + limit)
  return {
    json: {
      dimensionHeaders: ['date', 'sessionSource', 'sessionMedium'].map((name) => ({ name })),
      metricHeaders: ['sessions', 'totalUsers'].map((name) => ({ name, type: 'TYPE_INTEGER' })),
      ...(page.length > 0 && { rows: page, rowCount: found.length }),
      kind: 'analyticsData#runReport',
    },
  }
}

const login = await googleLogin('https://www.googleapis.com/auth/analytics.readonly')
const api = await vendor({
  base: 'GA_API',
  prefix: '/v1beta',
  environment: { GA_PROPERTY: '42' },
  lets: has('authorization', 'Bearer ya29.granted'),
  busy: { status: 429, json: { error: { code: 429, status: 'RESOURCE_EXHAUSTED' } } },
  answer,
})
const { default: pipeline } = await import('../../docs/cookbook/google-analytics.ts')
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await login[Symbol.asyncDispose]()
})

export async function googleAnalytics(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first.streams.sessions).toMatchObject({ counts: { inserted: 25_000 }, completeness: { grade: 'counted' } })
  expect(api.waited).toBeGreaterThan(450)

  rows[24_750]!.metricValues[0]!.value = '99'
  const second = await run(pipeline, { database: target.url })
  expect(second.streams.sessions).toMatchObject({
    counts: { updated: 1, unchanged: 399 },
    completeness: { grade: 'counted' },
  })
  expect(
    await target.database.query('select date::text, session_source from google_analytics.sessions where sessions = 99'),
  ).toEqual([{ date: day(2), session_source: 'source-151' }])
  await expectRefused(pipeline, 'GOOGLE_KEY', target.url, otherGoogleKey())
}
