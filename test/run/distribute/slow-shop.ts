import { byPage, http, pipeline, type Pipeline } from '../../../src/index.ts'

/** Two streams of many pages. Rows are appended without a key, so a page that is stored twice shows. */
export function slowShop(origin: string): Pipeline {
  const api = http(origin, { rate: '1000/s' })
  const rows = (path: '/one' | '/two') =>
    api
      .get<{ data: { id: number }[]; pages: number }>(path)
      .pages(byPage('page', { pages: 'pages' }))
      .records('data')
  return pipeline('slow', {
    streams: {
      one: rows('/one').into('t.one', { write: 'append' }),
      two: rows('/two').into('t.two', { write: 'append' }),
    },
  })
}
