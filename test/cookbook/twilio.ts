import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { expectRefused, has, numbers, vendor } from './vendor.ts'

const mail = (time: number) => new Date(time).toUTCString().replace('GMT', '+0000')
const HOUR = 3_600_000
/** Newest first, one an hour. The newest is not sent yet. */
const messages = numbers(1, 2_300).map((n) => ({
  sid: `SM${n}`,
  status: n > 1 ? 'sent' : 'queued',
  direction: 'outbound-api',
  from: '+1',
  to: '+2',
  body: `Message ${n}`,
  num_segments: '1',
  price: n > 1 ? '-0.00750' : null,
  price_unit: 'USD',
  error_code: null,
  date_created: mail(Date.now() - n * HOUR),
  date_sent: n > 1 ? mail(Date.now() - n * HOUR) : null,
  date_updated: mail(Date.now() - n * HOUR),
}))

function answer({ path, query }: ApiRequest) {
  expect(path).toBe('/2010-04-01/Accounts/AC1/Messages.json')
  const since = new Date(query.get('DateSent>') ?? 0)
  const all = messages.filter(({ date_sent, date_created }) => new Date(date_sent ?? date_created) >= since)
  const [page, size] = [Number(query.get('Page') ?? 0), Number(query.get('PageSize') ?? 50)]
  const next = new URLSearchParams({ ...Object.fromEntries(query), Page: String(page + 1), PageToken: 'PASM' })
  const more = (page + 1) * size < all.length
  return {
    json: {
      messages: all.slice(page * size, (page + 1) * size),
      page,
      page_size: size,
      next_page_uri: more ? `${path}?${next.toString()}` : null,
    },
  }
}

const api = await vendor({
  base: 'TWILIO_API',
  environment: { TWILIO_ACCOUNT_SID: 'AC1', TWILIO_AUTH_TOKEN: 'invented' },
  lets: has('authorization', `Basic ${Buffer.from('AC1:invented').toString('base64')}`),
  busy: { status: 429, json: { code: 20_429, message: 'Too Many Requests', status: 429 } },
  answer,
})
const { default: pipeline } = await import('../../docs/cookbook/twilio.ts')
afterAll(async () => api[Symbol.asyncDispose]())

export async function twilio(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first.streams.messages).toMatchObject({ counts: { inserted: 2_300 }, completeness: { grade: 'ended' } })
  expect(api.served).toHaveLength(3)
  expect(api.waited).toBeGreaterThan(450)

  messages[0] = {
    ...messages[0]!,
    status: 'sent',
    price: '-0.01',
    date_sent: mail(Date.now()),
    date_updated: mail(Date.now()),
  }
  messages[20] = { ...messages[20]!, status: 'delivered', date_updated: mail(Date.now()) }
  const second = await run(pipeline, { database: target.url })
  expect(second.streams.messages).toMatchObject({ requests: 1, counts: { updated: 2, inserted: 0 } })
  const rows = await target.database.query(
    "select sid, status, price::text from twilio.messages where sid in ('SM1', 'SM21') order by sid",
  )
  expect(rows).toEqual([
    { sid: 'SM1', status: 'sent', price: '-0.01' },
    { sid: 'SM21', status: 'delivered', price: '-0.00750' },
  ])
  await expectRefused(pipeline, 'TWILIO_AUTH_TOKEN', target.url)
}
