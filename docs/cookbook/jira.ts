// Jira Cloud: issues.
//
// Docs:      developer.atlassian.com, Jira Cloud REST API v3 (issue search by /search/jql; rate limiting), and the JQL
//            reference for dates; looked up 2026-11-27
// Secrets:   JIRA_TOKEN, an API token of a user; JIRA_SITE and JIRA_EMAIL are no secrets
// Limits:    by the cost of requests; 429 with Retry-After
// Paging:    `nextPageToken`, missing on the last page, which says `isLast: true`; no total is stated
// Increment: `updated >= …` in JQL, by minutes on the clock of the user's zone: hence a whole day before the cursor
// Deletions: a deleted issue is not found any more
import { baseUrl, basic, byCursor, http, isoDate, pipeline, secret, since, text } from 'sluice'

interface Issue {
  id: string
  key: string
  fields: {
    summary: string
    status: { name: string }
    issuetype: { name: string }
    project: { key: string }
    priority: { name: string } | null
    assignee: { displayName: string } | null
    labels: string[]
    /** As `2026-01-31T10:00:00.000+0100`, on the clock of the user's zone. */
    created: string
    updated: string
    resolutiondate: string | null
  }
}

const { JIRA_SITE = 'example', JIRA_EMAIL = '' } = process.env

const api = http(baseUrl('JIRA_API', `https://${JIRA_SITE}.atlassian.net/rest/api/3`), {
  auth: basic(JIRA_EMAIL, secret('JIRA_TOKEN')),
  rate: '10/s',
})

const issues = api
  .get<{ issues: Issue[]; isLast?: boolean; nextPageToken?: string }>('/search/jql', {
    jql: text`updated >= "${isoDate(since)}" order by updated asc`,
    fields: 'summary,status,issuetype,project,priority,assignee,labels,created,updated,resolutiondate',
    maxResults: 100,
  })
  .pages(byCursor('nextPageToken', 'nextPageToken', { done: 'isLast' }))
  .records('issues')
  .incremental('fields.updated', { startFrom: '2000-01-01T00:00:00.000Z', lookback: '1d' })
  .map(({ id, key, fields: { summary, labels, ...fields } }) => ({
    id,
    key,
    project: fields.project.key,
    type: fields.issuetype.name,
    summary,
    status: fields.status.name,
    priority: fields.priority?.name,
    assignee: fields.assignee?.displayName,
    labels,
    created: fields.created,
    updated: fields.updated,
    resolved: fields.resolutiondate,
  }))

export default pipeline('jira', {
  streams: { issues: issues.into('jira.issues', { key: 'id', versionBy: 'updated' }) },
})
