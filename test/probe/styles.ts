// An API with one path for each style of paging. All lists have the same records.
import type { ApiAnswer, ApiHandler, ApiRequest } from '../support/api-server.ts'

export const COUNT = 43
const SIZE = 10

const minute = (n: number): string => new Date(Date.UTC(2025, 0, 1) + n * 60_000).toISOString()

/** In the order of their ids. */
export const RECORDS = Array.from({ length: COUNT }, (_, n) => ({
  id: n + 100,
  name: `record ${n}`,
  note: n % 3 === 0 ? null : 'a',
  updated_at: minute((n * 7) % COUNT),
}))

type Query = (name: string, otherwise?: number) => number
interface Asked {
  readonly query: Query
  readonly text: (name: string) => string | null
  readonly url: (parameters: Readonly<Record<string, string | number>>) => string
}

const from = (start: number, size = SIZE): typeof RECORDS => RECORDS.slice(start, start + size)
const byPage = ({ query }: Asked, { name = 'page', size = 'per_page', start = 1, most = 50 } = {}) => {
  const length = Math.min(query(size, SIZE), most)
  const page = query(name, start)
  const at = (page - start) * length
  return { items: from(at, length), page, length, pages: Math.ceil(COUNT / length), next: at + length < COUNT, at }
}

/** By their paths: what the API answers. */
export const STYLES: Readonly<Record<string, (asked: Asked) => ApiAnswer>> = {
  '/link-header': (asked) => {
    const { items, next, page } = byPage(asked)
    const headers = next ? { link: `<${asked.url({ page: page + 1 })}>; rel="next"` } : {}
    return { json: items, headers }
  },
  '/next-url': (asked) => {
    const { items, next, page } = byPage(asked)
    return { json: { results: items, next: next ? asked.url({ page: page + 1 }) : null, count: COUNT } }
  },
  '/next-relative': (asked) => {
    const { items, next, page } = byPage(asked)
    return { json: { data: items, links: { next: next ? `/next-relative?page=${page + 1}` : '' } } }
  },
  '/odata-list': ({ query, url }) => {
    const [skip, top] = [query('$skip', 0), query('$top', SIZE)]
    const next = skip + top < COUNT ? { '@odata.nextLink': url({ $skip: skip + top }) } : {}
    return { json: { '@odata.context': 'x', value: from(skip, top), ...next } }
  },
  '/hal': (asked) => {
    const { items, next, page } = byPage(asked)
    const links = next ? { next: { href: asked.url({ page: page + 1 }) } } : {}
    return { json: { _embedded: { items }, _links: { self: { href: asked.url({}) }, ...links } } }
  },
  '/cursor': ({ query, text }) => {
    const at = Number(text('cursor')?.replace('c', '') ?? 0)
    const size = Math.min(query('limit', SIZE), 20)
    return { json: { items: from(at, size), meta: { next_cursor: at + size < COUNT ? `c${at + size}` : null } } }
  },
  '/page-token': ({ text }) => {
    const at = Number(text('pageToken')?.replace('t', '') ?? 0)
    return { json: { files: from(at), ...(at + SIZE < COUNT && { nextPageToken: `t${at + SIZE}` }) } }
  },
  '/after': ({ text }) => {
    const at = Number(text('after') ?? 0)
    return { json: { results: from(at), ...(at + SIZE < COUNT && { paging: { next: { after: String(at + SIZE) } } }) } }
  },
  '/cursor-header': ({ text }) => {
    const at = Number(text('cursor') ?? 0)
    return { json: from(at), headers: at + SIZE < COUNT ? { 'x-next-cursor': String(at + SIZE) } : {} }
  },
  '/page-pages': (asked) => {
    const { items, page, pages } = byPage(asked)
    return { json: { data: items, page, total_pages: pages } }
  },
  '/page-total': (asked) => {
    const { items, page } = byPage(asked, { size: 'pageSize' })
    return { json: { items, pageNumber: page, pageSize: SIZE, totalCount: COUNT } }
  },
  '/page-zero': (asked) => {
    const { items, page, pages } = byPage(asked, { start: 0, size: 'size' })
    return { json: { content: items, number: page, size: SIZE, totalPages: pages, totalElements: COUNT } }
  },
  '/page-zero-silent': (asked) => ({ json: byPage(asked, { start: 0 }).items }),
  '/page-silent': (asked) => ({ json: byPage(asked).items }),
  '/page-more': (asked) => {
    const { items, next } = byPage(asked)
    return { json: { data: items, has_more: next } }
  },
  '/page-headers': (asked) => {
    const { items, pages } = byPage(asked)
    return { json: items, headers: { 'x-wp-total': String(COUNT), 'x-wp-totalpages': String(pages) } }
  },
  '/offset-total': ({ query }) => {
    const [offset, limit] = [query('offset', 0), Math.min(query('limit', SIZE), 25)]
    return { json: { items: from(offset, limit), offset, limit, total: COUNT } }
  },
  '/offset-silent': ({ query }) => ({ json: from(query('offset', 0), query('limit', SIZE)) }),
  '/skip-limit': ({ query }) => ({ json: { docs: from(query('skip', 0), query('limit', SIZE)) } }),
  '/offset-whole': ({ query }) => {
    const [offset, limit] = [query('offset', 0), query('limit', SIZE)]
    if (offset % limit !== 0) return { status: 400, json: { message: 'offset must be a multiple of limit' } }
    return { json: { items: from(offset, limit), offset, limit, total: COUNT } }
  },
  '/stripe': ({ text, query }) => {
    const after = text('starting_after')
    const at = after === null ? 0 : RECORDS.findIndex(({ id }) => String(id) === after) + 1
    const data = from(at, query('limit', SIZE))
    return { json: { object: 'list', data, has_more: at + data.length < COUNT } }
  },
  '/after-id': ({ text }) => {
    const after = text('after_id')
    return { json: from(after === null ? 0 : RECORDS.findIndex(({ id }) => String(id) === after) + 1) }
  },
  '/json-server-0': ({ query, text }) => {
    const size = query('_limit', SIZE)
    if (text('_page') !== null)
      return { json: from((query('_page') - 1) * size, size), headers: { 'x-total-count': '43' } }
    if (text('_start') !== null && text('_limit') !== null) return { json: from(query('_start'), size) }
    return { json: text('_limit') === null ? RECORDS : from(0, size) }
  },
  '/json-server-1': ({ query, text }) => {
    if (text('_limit') !== null) return { json: from(0, query('_limit')) }
    if (text('_page') === null) return { json: RECORDS }
    const [page, size] = [query('_page'), query('_per_page', SIZE)]
    const pages = Math.ceil(COUNT / size)
    const next = page < pages ? page + 1 : null
    return {
      json: { first: 1, prev: null, next, last: pages, pages, items: COUNT, data: from((page - 1) * size, size) },
    }
  },
  '/pocketbase': ({ query }) => {
    const [page, perPage] = [query('page', 1), query('perPage', SIZE)]
    const totalPages = Math.ceil(COUNT / perPage)
    return { json: { page, perPage, totalPages, totalItems: COUNT, items: from((page - 1) * perPage, perPage) } }
  },
  '/directus': ({ query }) => {
    const limit = query('limit', 100)
    return { json: { data: from(query('offset', (query('page', 1) - 1) * limit), limit) } }
  },
  '/redmine': ({ query }) => {
    const [offset, limit] = [query('offset', 0), query('limit', 25)]
    return { json: { issues: from(offset, limit), total_count: COUNT, offset, limit } }
  },
  '/jira': ({ query }) => {
    const [startAt, maxResults] = [query('startAt', 0), query('maxResults', SIZE)]
    return { json: { startAt, maxResults, total: COUNT, issues: from(startAt, maxResults) } }
  },
  '/scim': ({ query }) => {
    const [startIndex, itemsPerPage] = [query('startIndex', 1), query('count', SIZE)]
    const Resources = from(startIndex - 1, itemsPerPage)
    return { json: { totalResults: COUNT, startIndex, itemsPerPage, Resources } }
  },
  '/datasette': ({ query, url }) => {
    const at = query('_next', 0)
    const rows = from(at).map((one) => Object.values(one))
    const next = at + SIZE < COUNT ? String(at + SIZE) : null
    return { json: { rows, columns: Object.keys(RECORDS[0] ?? {}), next, next_url: next && url({ _next: next }) } }
  },
  '/mediawiki': ({ query, text }) => {
    const at = Number(text('apcontinue')?.slice(1) ?? 0)
    const next = at + SIZE < COUNT ? { continue: { apcontinue: `A${at + SIZE}`, continue: '-||' } } : {}
    return { json: { batchcomplete: true, ...next, query: { allpages: from(at, query('aplimit', SIZE)) } } }
  },
  // Kinto: no `Link`, but a header with the URL. The page size stands in that URL only.
  '/next-page-url': ({ query, url }) => {
    const [at, size] = [query('_token', 0), Math.min(query('_limit', SIZE), 20)]
    const next = at + size < COUNT ? { 'next-page': url({ _limit: size, _token: at + size }) } : {}
    return { json: { data: from(at, size) }, headers: next }
  },
  // Kubernetes.
  '/continue-token': ({ text, query }) => {
    const at = Number(text('continue')?.slice(1) ?? 0)
    const size = query('limit', SIZE)
    return {
      json: { kind: 'List', metadata: { continue: at + size < COUNT ? `t${at + size}` : '' }, items: from(at, size) },
    }
  },
  // Django REST framework, with a page size of any name and a filter by `__gte`.
  '/drf': (asked) => {
    const since = asked.text('updated_at__gte') ?? ''
    const [page, size] = [asked.query('page', 1), Math.min(asked.query('page_size', SIZE), 20)]
    const list = RECORDS.filter((one) => one.updated_at >= since)
    const next = page * size < list.length ? asked.url({ page: page + 1 }) : null
    return { json: { count: list.length, next, previous: null, results: list.slice((page - 1) * size, page * size) } }
  },
  // WordPress: a filter that leaves out records with its own value.
  '/wordpress': (asked) => {
    const after = asked.text('updated_after') ?? ''
    const [page, size] = [asked.query('page', 1), Math.min(asked.query('per_page', SIZE), 100)]
    const list = RECORDS.filter((one) => one.updated_at > after)
    const link = `<${asked.url({ page: page + 1 })}>; rel="next"`
    return { json: list.slice((page - 1) * size, page * size), headers: page * size < list.length ? { link } : {} }
  },
  // MediaWiki sends the categories of the second page in two parts. `gapcontinue` is there if `continue` was sent.
  '/mediawiki-parts': ({ query, text }) => {
    const place = text('gapcontinue')
    const at = Number(place?.slice(1) ?? 0)
    const pages = from(at, query('gaplimit', SIZE))
    const isFirstPart = at === SIZE && text('clcontinue') === null
    const same = place !== null && text('continue') !== null ? { gapcontinue: place } : {}
    const following = at + pages.length < COUNT ? { gapcontinue: `A${at + pages.length}`, continue: '||' } : undefined
    const next = isFirstPart ? { ...same, clcontinue: '31|B', continue: '||' } : following
    return { json: { ...(next && { continue: next }), query: { pages } } }
  },
  '/jsonapi-list': ({ query, url }) => {
    const at = query('page[offset]', 0)
    const data = from(at).map(({ id, ...attributes }) => ({ type: 'node', id: String(id), attributes }))
    const next = at + SIZE < COUNT ? { next: { href: url({ 'page[offset]': at + SIZE }) } } : {}
    return { json: { jsonapi: { version: '1.0' }, data, links: { self: { href: url({}) }, ...next } } }
  },
  '/jsonapi-number': ({ query }) => {
    const [number, size] = [query('page[number]', 1), query('page[size]', SIZE)]
    const data = from((number - 1) * size, size).map(({ id, ...attributes }) => ({
      type: 'x',
      id: `${id}`,
      attributes,
    }))
    return { json: { data, meta: { total: COUNT } } }
  },
  '/airtable': ({ text }) => {
    const at = Number(text('offset')?.slice(3) ?? 0)
    return { json: { records: from(at), ...(at + SIZE < COUNT && { offset: `itr${at + SIZE}` }) } }
  },
  '/laravel': (asked) => {
    const { items, page, pages, next, length } = byPage(asked)
    const links = Array.from({ length: 30 }, (_, n) => ({ url: asked.url({ page: n }), label: `${n}`, active: false }))
    const next_page_url = next ? asked.url({ page: page + 1 }) : null
    return {
      json: { current_page: page, data: items, last_page: pages, links, next_page_url, per_page: length, total: COUNT },
    }
  },
  '/take': ({ query }) => ({ json: from(query('skip', 0), query('take', SIZE)) }),
  '/gitlab': (asked) => {
    const { items, page, next } = byPage(asked)
    return { json: items, headers: { 'x-next-page': next ? String(page + 1) : '', 'x-page': String(page) } }
  },
  '/fhir': (asked) => {
    const { items, page, next } = byPage(asked)
    const link = [{ relation: 'self', url: asked.url({}) }]
    return {
      json: { entry: items, link: next ? [...link, { relation: 'next', url: asked.url({ page: page + 1 }) }] : link },
    }
  },
  '/filtered': ({ query, text }) => {
    const since = text('updated_since') ?? ''
    const page = query('page', 1)
    const list = RECORDS.filter((one) => one.updated_at >= since)
    return { json: { data: list.slice((page - 1) * SIZE, page * SIZE), page, pages: Math.ceil(list.length / SIZE) } }
  },
  '/rows.csv': (asked) => {
    const lines = byPage(asked).items.map((one) => Object.values(one).join(','))
    return { body: `id,name,note,updated_at\n${lines.join('\n')}\n`, headers: { 'content-type': 'text/csv' } }
  },
  '/lines': (asked) => {
    const lines = byPage(asked).items.map((one) => `${JSON.stringify(one)}\n`)
    return { body: lines.join(''), headers: { 'content-type': 'application/x-ndjson' } }
  },
  '/feed.xml': (asked) => {
    const entries = byPage(asked).items.map(({ id, name }) => `<entry id="${id}"><name>${name}</name></entry>`)
    return { body: `<feed><title>All</title>${entries.join('')}</feed>`, headers: { 'content-type': 'text/xml' } }
  },
  // `token`, which is tried first, is ignored.
  '/next-token': ({ text }) => {
    const at = Number(text('next_token')?.slice(1) ?? 0)
    return { json: { data: from(at), meta: at + SIZE < COUNT ? { next_token: `n${at + SIZE}` } : {} } }
  },
  '/whole': () => ({ json: { items: RECORDS } }),
  '/full-page': () => ({ json: { items: from(0, 20) } }),
  '/announced': () => ({ json: { items: from(0, 20), total: COUNT, nextThing: 'x' } }),
  '/all-came': ({ query, text }) => {
    const [page, size] = [query('page', 1), query('per_page', 100)]
    if (text('limit') !== null) return { status: 400, json: { message: 'limit is unknown' } }
    return { json: { data: from((page - 1) * size, size), meta: { page, per_page: size, total: COUNT } } }
  },
  '/one': () => ({ json: { id: 7, name: 'only', tags: ['a', 'b'], updated_at: minute(1) } }),
}

/** Answers by the path. The query is given by numbers. */
export const stylesHandler: ApiHandler = ({ path, query, headers }: ApiRequest) => {
  const style = STYLES[path]
  if (!style) return { status: 404, json: { error: 'there is no such list' } }
  return style({
    query: (name, otherwise = 0) => (query.has(name) ? Number(query.get(name)) : otherwise),
    text: (name) => query.get(name),
    url: (parameters) => {
      const url = new URL(`http://${headers.host}${path}?${query.toString()}`)
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, String(value))
      return url.href
    },
  })
}
