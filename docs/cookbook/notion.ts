// Notion: the pages of a data source (a table of a database), with their properties.
//
// Docs:      developers.notion.com (query a data source, filter and sort entries, pagination, request limits);
//            looked up 2026-11-27
// Secrets:   NOTION_TOKEN, the secret of an integration that the database is shared with
// Limits:    three requests a second on average; 429 with Retry-After
// Paging:    `next_cursor` goes into the body as `start_cursor`, until `has_more` is false; up to 100 pages
// Increment: a filter on the timestamp `last_edited_time`, which is cut to the minute
// Deletions: a page in the trash is not returned any more
import { baseUrl, bearer, byCursor, bySince, http, path, pipeline, secret, since } from 'sluice'

interface Page {
  id: string
  created_time: string
  last_edited_time: string
  in_trash: boolean
  url: string
  /** By their names. Each has a type, and its value in the member of that name. */
  properties: Record<string, Property>
}
interface Property {
  type: string
  title?: { plain_text: string }[]
}

/** From "Copy data source ID" in the settings of the database. */
const source = process.env['NOTION_DATA_SOURCE'] ?? '00000000-0000-0000-0000-000000000000'

const api = http(baseUrl('NOTION_API', 'https://api.notion.com/v1'), {
  auth: bearer(secret('NOTION_TOKEN')),
  headers: { 'notion-version': '2025-09-03' },
  rate: '3/s',
})

const pages = api
  .post<{ results: Page[]; has_more: boolean; next_cursor: string | null }>(path`/data_sources/${source}/query`, {
    json: {
      filter: { timestamp: 'last_edited_time', last_edited_time: { on_or_after: since } },
      sorts: [{ timestamp: 'last_edited_time', direction: 'ascending' }],
      page_size: 100,
    },
  })
  .pages(bySince(byCursor('start_cursor', 'next_cursor', { more: 'has_more' })))
  .records('results')
  .incremental('last_edited_time', { startFrom: '2013-01-01T00:00:00.000Z', lookback: '2m' })
  .map(({ id, created_time, last_edited_time, in_trash, url, properties }) => ({
    id,
    title: Object.values(properties)
      .flatMap(({ title = [] }) => title)
      .map(({ plain_text }) => plain_text)
      .join(''),
    properties,
    in_trash,
    url,
    created_time,
    last_edited_time,
  }))

export default pipeline('notion', {
  streams: { pages: pages.into('notion.pages', { key: 'id' }) },
})
