// Facebook Marketing (Meta): what each ad has cost and brought, day by day.
//
// Docs:      developers.facebook.com (Marketing API: insights; Graph API: paginated results, rate limiting, errors);
//            looked up 2026-11-27
// Secrets:   FACEBOOK_TOKEN, the token of a system user with ads_read; FACEBOOK_ACCOUNT is no secret
// Limits:    by account and by the time that reports take. Beyond: status 400 with code 4, 17, 32, 613 or 80000 and
//            more; the header x-business-use-case-usage estimates the minutes until it is over, as JSON
// Paging:    `paging.cursors.after`, while there is a `paging.next`. That URL has the token in it: do not follow it
// Increment: by day; the numbers of a day change for 28 days. Two months at
//            a time, since large reports time out; a day is read when it is over
// Deletions: the insights of deleted ads stay
import { baseUrl, bearer, byCursor, http, inHeader, isoDate, path, pipeline, secret, since, text, until } from 'sluice'

interface Insights {
  data: {
    date_start: string
    date_stop: string
    campaign_id: string
    campaign_name: string
    ad_id: string
    ad_name: string
    /** Numbers are texts. */
    impressions: string
    clicks: string
    spend: string
    account_currency: string
    actions?: { action_type: string; value: string }[]
  }[]
  paging?: { cursors: { after: string }; next?: string }
}

const account = process.env['FACEBOOK_ACCOUNT'] ?? '0'

const api = http(baseUrl('FACEBOOK_API', 'https://graph.facebook.com/v23.0'), {
  auth: bearer(secret('FACEBOOK_TOKEN')),
  concurrency: 2,
  responseRules: [
    {
      status: 400,
      body: { 'error.code': /^(?:4|17|32|613|800(?:0\d|1[0-4]))$/ },
      action: 'retry',
      wait: {
        at: inHeader('x-business-use-case-usage', { json: '*.*.estimated_time_to_regain_access' }),
        unit: 'm',
        otherwise: '5m',
      },
    },
  ],
})

const insights = api
  .get<Insights>(path`/act_${account}/insights`, {
    level: 'ad',
    time_increment: 1,
    time_range: text`{"since":"${isoDate(since)}"${text`,"until":"${isoDate(until)}"`}}`,
    fields: 'campaign_id,campaign_name,ad_id,ad_name,impressions,clicks,spend,account_currency,actions',
    limit: 500,
  })
  .pages(byCursor('after', 'paging.cursors.after', { more: { at: 'paging.next', exists: true } }))
  .records('data')
  .incremental('date_start', { startFrom: '2026-01-01', lookback: '28d', step: '60d' })
  .omit('date_stop')

export default pipeline('facebook', {
  streams: {
    insights: insights.into('facebook.insights', {
      key: ['ad_id', 'date_start'],
      columns: { impressions: 'bigint', clicks: 'bigint', spend: 'numeric' },
    }),
  },
})
