// Twilio: messages.
//
// Docs:      twilio.com/docs (Message resource: read multiple; API responses: paging; error 20429);
//            looked up 2026-11-27
// Secrets:   TWILIO_AUTH_TOKEN; TWILIO_ACCOUNT_SID is no secret
// Limits:    by requests under way at once, 429 beyond, without a time to wait
// Paging:    `next_page_uri`, a path, null on the last page; up to 1,000 messages; newest first
// Increment: by the day of sending, in UTC. A message changes its status after that: hence the lookback
// Deletions: a deleted message is not listed any more
import { baseUrl, basic, byNextUrl, http, isoDate, path, pipeline, secret, since, time } from 'sluice'

interface Message {
  sid: string
  status: string
  direction: string
  from: string
  to: string
  body: string
  num_segments: string
  /** Null until it is known. */
  price: string | null
  price_unit: string
  error_code: number | null
  /** As in a mail: `Fri, 24 May 2019 17:44:46 +0000`. */
  date_created: string
  date_sent: string | null
  date_updated: string
}

const { TWILIO_ACCOUNT_SID: sid = 'AC' } = process.env

const api = http(baseUrl('TWILIO_API', 'https://api.twilio.com'), {
  auth: basic(sid, secret('TWILIO_AUTH_TOKEN')),
  concurrency: 2,
})

const mail = time('rfc 2822')

const messages = api
  .get<{ messages: Message[]; next_page_uri: string | null }>(path`/2010-04-01/Accounts/${sid}/Messages.json`, {
    PageSize: 1_000,
    'DateSent>': isoDate(since),
  })
  .pages(byNextUrl('next_page_uri'))
  .records('messages')
  .incremental('date_sent', { time: mail, lookback: '3d' })
  .pick(
    'sid',
    'status',
    'direction',
    'from',
    'to',
    'body',
    'num_segments',
    'price',
    'price_unit',
    'error_code',
    'date_created',
    'date_sent',
    'date_updated',
  )

export default pipeline('twilio', {
  streams: {
    messages: messages.into('twilio.messages', {
      key: 'sid',
      versionBy: 'date_updated',
      columns: { price: 'numeric', num_segments: 'integer', date_created: mail, date_updated: mail },
    }),
  },
})
