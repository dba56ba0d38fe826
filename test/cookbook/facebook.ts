import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { expectRefused, expectWait, has, numbers, vendor } from './vendor.ts'

const DAY = 86_400_000
const day = (ago: number) => new Date(Date.now() - ago * DAY).toISOString().slice(0, 10)
const spend = new Map<string, string>()
let isBusy = false
/** Minutes until each kind of request is admitted again. */
let usage = [0, 4]
const usageOf = (minutes: number) => ({ call_count: 100, estimated_time_to_regain_access: minutes })

/** Ten ads, each of the last 200 days. */
const insights = numbers(0, 199).flatMap((ago) =>
  numbers(1, 10).map((ad) => ({
    date_start: day(ago),
    date_stop: day(ago),
    campaign_id: '1',
    campaign_name: 'Spring',
    ad_id: String(ad),
    ad_name: `Ad ${ad}`,
    impressions: '1000',
    clicks: '10',
    account_currency: 'EUR',
    actions: [{ action_type: 'link_click', value: '9' }],
  })),
)

function answer({ path, query }: ApiRequest) {
  expect(path).toBe('/act_42/insights')
  if (isBusy)
    return {
      status: 400,
      headers: { 'x-business-use-case-usage': JSON.stringify({ 42: usage.map(usageOf) }) },
      json: { error: { code: 80_000, message: 'too many calls from this ad-account' } },
    }
  const { since, until } = JSON.parse(query.get('time_range') ?? '') as { since: string; until: string }
  expect(Date.parse(until) - Date.parse(since)).toBeLessThanOrEqual(60 * DAY)
  const all = insights.filter(({ date_start }) => date_start >= since && date_start <= until)
  const from = Number(query.get('after') ?? 0)
  const end = from + 100
  const data = all.slice(from, end).map((one) => ({ ...one, spend: spend.get(one.date_start + one.ad_id) ?? '1.25' }))
  const next = `https://graph.facebook.com/v23.0/act_42/insights?access_token=secret&after=${end}`
  return { json: { data, paging: { cursors: { before: '0', after: String(end) }, ...(end < all.length && { next }) } } }
}

const api = await vendor({
  base: 'FACEBOOK_API',
  prefix: '/v23.0',
  environment: { FACEBOOK_TOKEN: 'EAAB-invented', FACEBOOK_ACCOUNT: '42' },
  lets: has('authorization', 'Bearer EAAB-invented'),
  refusal: { status: 400, json: { error: { code: 190, message: 'Invalid OAuth access token' } } },
  answer,
})
const { default: pipeline } = await import('../../docs/cookbook/facebook.ts')
afterAll(async () => api[Symbol.asyncDispose]())

export async function facebook(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  const all = insights.filter(({ date_start }) => date_start >= '2026-01-01' && date_start < day(0)).length
  expect(first.streams.insights).toMatchObject({ counts: { inserted: all }, completeness: { grade: 'ended' } })
  expect(api.served.length).toBeLessThan(40)

  spend.set(`${day(20)}7`, '2.5')
  const second = await run(pipeline, { database: target.url })
  expect(second.streams.insights).toMatchObject({
    counts: { updated: 1, unchanged: 289, inserted: 0 },
    completeness: { grade: 'ended' },
  })
  const rows = await target.database.query('select ad_id from facebook.insights where spend = 2.5 and clicks = 10')
  expect(rows).toEqual([{ ad_id: '7' }])
  await expectRefused(pipeline, 'FACEBOOK_TOKEN', target.url)
  isBusy = true
  await expectWait(pipeline, 240_000)
  usage = [0]
  await expectWait(pipeline, 300_000)
}
