// An API whose answers made pipelines lose records without a word, or end where they need not. Each path is one case.
import { apiServer, type ApiAnswer, type ApiRequest, type ApiServer } from '../support/api-server.ts'

export interface Row {
  readonly id: number
  readonly updated_at: string
}

export interface Body {
  readonly items: Row[]
  readonly has_more: boolean
  readonly pages: number
  readonly total: number
  readonly meta: { readonly next?: string | null }
}

const minute = (n: number): string => new Date(Date.UTC(2024, 0, 1) + n * 60_000).toISOString()

/** The rows `from` to `to - 1`, a minute apart. */
const rows = (from: number, to: number): Row[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, n) => ({ id: from + n, updated_at: minute(from + n) }))

/** Ten rows of a list that is paged by number or by offset, of those since a moment. */
function pageOf(list: readonly Row[], { query }: ApiRequest): { items: Row[]; pages: number; total: number } {
  const since = query.get('since')
  const matching = list.filter((row) => since === null || row.updated_at >= since)
  const from = query.has('page') ? (Number(query.get('page')) - 1) * 10 : Number(query.get('offset') ?? 0)
  return { items: matching.slice(from, from + 10), pages: Math.ceil(matching.length / 10), total: matching.length }
}

type Path = (request: ApiRequest, page: number, asked: number) => ApiAnswer

/** Starts the API. Its lists are new. */
export function readingApi(): Promise<ApiServer> {
  const asked = new Map<string, number>()
  const touched = rows(0, 100)
  const deleted = rows(0, 100)

  const paths: Readonly<Record<string, Path>> = {
    // Pages 2 and 5 of 8 are empty, and the API says that more follows.
    '/empty-page-more': (_, page) => ({
      json: { items: [2, 5].includes(page) ? [] : rows(page * 10, page * 10 + 10), has_more: page < 8 },
    }),
    '/empty-page-pages': (_, page) => ({
      json: { items: page === 2 ? [] : rows(page * 10, page * 10 + 10), pages: 4 },
    }),
    // The rows from offset 20 to 29 are announced, and never come.
    '/empty-page-total': (request) => {
      const page = pageOf(rows(0, 50), request)
      return { json: { ...page, items: page.items[0]?.id === 20 ? [] : page.items } }
    },
    '/never-ending': () => ({ json: { items: [], has_more: true } }),
    // The cursor was `meta.next` once.
    '/renamed-cursor': ({ query }) => {
      const from = Number(query.get('cursor'))
      return { json: { items: rows(from, from + 10), meta: { next_cursor: from < 90 ? String(from + 10) : null } } }
    },
    '/omits-cursor-at-end': ({ query }) => {
      const from = Number(query.get('cursor'))
      return {
        json: { items: rows(from, Math.min(from + 10, 95)), meta: from < 90 ? { next: String(from + 10) } : {} },
      }
    },
    // After the third request a row that was read is touched, and moves to the end.
    '/touched': (request, _, count) => {
      const answer = { json: pageOf(touched, request) }
      if (count === 3) touched.push(...touched.splice(5, 1).map(({ id }) => ({ id, updated_at: minute(2_000) })))
      return answer
    },
    // After the third request two rows that were read are deleted.
    '/deleted': (request, _, count) => {
      const answer = { json: pageOf(deleted, request) }
      if (count === 3) deleted.splice(4, 2)
      return answer
    },
    '/past-the-end': (_, page) =>
      page > 3
        ? { status: 400, json: { code: 'invalid_page_number' } }
        : { json: { items: rows(page * 10, page * 10 + 10) } },
    '/in-headers': (_, page) =>
      page > 4
        ? { status: 400, json: {} }
        : { json: rows((page - 1) * 10, Math.min(page * 10, 37)), headers: { 'x-total-pages': '4', 'x-total': '37' } },
    // `Link` is sent only to clients that ask for a page.
    '/link-on-demand': ({ query }, page) => ({
      json: rows((page - 1) * 100, page * 100),
      headers: {
        'x-total-count': '2000',
        ...(query.has('page') && page < 20 && { link: `</link-on-demand?page=${page + 1}>; rel="next"` }),
      },
    }),
    '/lists': () => ({ json: { items: [{ id: 1 }, { id: 2 }, { id: 3 }] } }),
    '/list-of-two-pages': ({ query }) => ({
      json: { items: rows(Number(query.get('list')) * 100, Number(query.get('list')) * 100 + 3), total_pages: 2 },
    }),
  }

  return apiServer((request) => {
    const count = (asked.get(request.path) ?? 0) + 1
    asked.set(request.path, count)
    return paths[request.path]?.(request, Number(request.query.get('page') ?? 1), count) ?? { status: 404, json: {} }
  })
}
