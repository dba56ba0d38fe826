// Google Analytics 4: sessions and users of each day, by source and medium.
//
// Docs:      developers.google.com/analytics (Data API v1: properties.runReport, quotas); looked up 2026-11-27
// Secrets:   GOOGLE_KEY, the JSON key of a service account that may read the property, or GOOGLE_KEY_FILE with its
//            path; GA_PROPERTY is no secret
// Limits:    tokens of an hour and a day, by the size of reports, 10 requests at once; 429 beyond
// Paging:    `limit` and `offset` in the body; `rowCount` counts all rows of the report
// Increment: by date; the numbers of a day may change for two days and more
// Deletions: none
import {
  baseUrl,
  byOffset,
  fromRows,
  googleServiceAccount,
  http,
  isoDate,
  path,
  pipeline,
  secret,
  since,
  time,
} from 'sluice'

interface Report {
  dimensionHeaders: { name: string }[]
  metricHeaders: { name: string; type: string }[]
  /** Missing if there is none. */
  rows?: { dimensionValues: { value: string }[]; metricValues: { value: string }[] }[]
  rowCount?: number
}
interface Row {
  /** As 20260131. */
  date: string
  sessionSource: string
  sessionMedium: string
  sessions: string
  totalUsers: string
}

const property = process.env['GA_PROPERTY'] ?? '0'
const dimensions = ['date', 'sessionSource', 'sessionMedium'].map((name) => ({ name }))

const api = http(baseUrl('GA_API', 'https://analyticsdata.googleapis.com/v1beta'), {
  auth: googleServiceAccount({
    key: secret('GOOGLE_KEY'),
    scope: 'https://www.googleapis.com/auth/analytics.readonly',
    tokenUrl: baseUrl('GOOGLE_TOKEN_URL', 'https://oauth2.googleapis.com/token'),
  }),
  concurrency: 4,
})

const rows = fromRows<Row>('rows', {
  lists: { dimensionValues: 'dimensionHeaders', metricValues: 'metricHeaders' },
  value: 'value',
})

const sessions = api
  .post<Report>(path`/properties/${property}:runReport`, {
    json: {
      dimensions,
      metrics: [{ name: 'sessions' }, { name: 'totalUsers' }],
      dateRanges: [{ startDate: isoDate(since), endDate: 'today' }],
      orderBys: dimensions.map(({ name }) => ({ dimension: { dimensionName: name } })),
      limit: 10_000,
    },
  })
  .pages(byOffset('offset', { total: 'rowCount' }))
  .records(rows, { optional: true })
  .incremental('date', { time: time('YYYYMMDD'), startFrom: '2026-01-01', lookback: '3d' })

export default pipeline('google-analytics', {
  streams: {
    sessions: sessions.into('google_analytics.sessions', {
      key: ['date', 'sessionSource', 'sessionMedium'],
      columns: { sessions: 'bigint', totalUsers: 'bigint' },
    }),
  },
})
