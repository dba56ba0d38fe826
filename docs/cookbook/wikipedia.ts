// Wikipedia (MediaWiki): recent changes, without a key.
//
// Docs:      mediawiki.org/wiki (API:RecentChanges, API:Continue, API:Etiquette, Manual:Maxlag parameter);
//            looked up 2026-11-27
// Secrets:   none; the header `user-agent` says who reads, as the etiquette asks
// Limits:    one request at a time, and `maxlag`: if replicas are behind, an answer 200 with the error `maxlag` and
//            Retry-After
// Paging:    all members of `continue` go into the next request; it is missing on the last page
// Increment: `rcstart`, from the oldest to the newest; changes are kept for 30 days there
// Deletions: a change `log` with `logtype: delete` tells that a page was deleted
import { baseUrl, byContinue, http, pipeline, since } from 'sluice'

interface Change {
  rcid: number
  type: 'edit' | 'new' | 'log' | 'categorize' | 'external'
  ns: number
  title: string
  pageid: number
  revid: number
  old_revid: number
  /** Missing where it was hidden. */
  user?: string
  bot: boolean
  minor: boolean
  oldlen: number
  newlen: number
  timestamp: string
  comment?: string
  logtype?: string
  logaction?: string
}
interface Changes {
  continue?: { rccontinue: string; continue: string }
  query: { recentchanges: Change[] }
}

const api = http(baseUrl('WIKIPEDIA_API', 'https://en.wikipedia.org/w'), {
  headers: { 'user-agent': 'sluice-cookbook/1.0 (https://example.org/contact)' },
  concurrency: 1,
  responseRules: [
    { status: 200, body: { 'error.code': 'maxlag' }, action: 'retry' },
    { status: 200, body: { 'error.code': /./ }, action: 'fail', message: 'error.info' },
  ],
})

const changes = api
  .get<Changes>('/api.php', {
    action: 'query',
    list: 'recentchanges',
    rcprop: 'ids|title|user|flags|sizes|timestamp|comment|loginfo',
    rcnamespace: 0,
    rcdir: 'newer',
    rcstart: since,
    rclimit: 500,
    format: 'json',
    formatversion: 2,
    maxlag: 5,
  })
  .pages(byContinue('continue'))
  .records('query.recentchanges')
  .incremental('timestamp', { startFrom: new Date(Date.now() - 3_600_000).toISOString() })
  .pick(
    'rcid',
    'type',
    'title',
    'pageid',
    'revid',
    'old_revid',
    'user',
    'bot',
    'minor',
    'oldlen',
    'newlen',
    'timestamp',
    'comment',
    'logtype',
    'logaction',
  )

export default pipeline('wikipedia', {
  streams: { changes: changes.into('wikipedia.changes', { key: 'rcid' }) },
})
