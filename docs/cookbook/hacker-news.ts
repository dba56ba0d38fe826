// Hacker News: stories with a word in them, by its search, without a key.
//
// Docs:      hn.algolia.com/api; looked up 2026-11-27
// Secrets:   none
// Limits:    10,000 requests an hour of an address
// Paging:    page numbers from 0 to `nbPages`; a search has at most 1,000 hits: hence a week at a time,
//            and with more the reading is open, because `nbHits` counts them all
// Increment: `numericFilters` on the time of creation. Points and comments grow for some days: hence the lookback
// Deletions: not told
import { baseUrl, byPage, http, pipeline, since, text, time, until } from 'sluice'

interface Story {
  objectID: string
  title: string
  url: string | null
  author: string
  points: number | null
  num_comments: number | null
  /** Seconds since 1970. */
  created_at_i: number
}
interface Found {
  hits: Story[]
  nbHits: number
  nbPages: number
  page: number
  hitsPerPage: number
}

const word = 'postgresql'

const api = http(baseUrl('HACKER_NEWS_API', 'https://hn.algolia.com/api/v1'), { rate: '9000/h' })

const stories = api
  .get<Found>('/search_by_date', {
    query: word,
    tags: 'story',
    numericFilters: text`created_at_i>=${since}${text`,created_at_i<${until}`}`,
    hitsPerPage: 100,
  })
  .pages(byPage('page', { start: 0, pages: 'nbPages', total: 'nbHits' }))
  .records('hits')
  .incremental('created_at_i', { unit: 's', startFrom: '2026-10-01', lookback: '3d', step: '7d' })
  .map(({ objectID, title, url, author, points, num_comments, created_at_i }) => ({
    id: objectID,
    title,
    url,
    author,
    points,
    comments: num_comments,
    created_at: created_at_i,
  }))

export default pipeline('hacker-news', {
  streams: {
    stories: stories.into('hacker_news.stories', {
      key: 'id',
      columns: { id: 'bigint', created_at: time('unix') },
    }),
  },
})
