import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Pipeline } from '../../src/define/pipeline.ts'
import { pipeline, run } from '../../src/index.ts'
import { readSecrets } from '../../src/observe/secrets.ts'
import { probe, type Probed } from '../../src/probe/probe.ts'
import { MAX_REQUESTS } from '../../src/probe/send.ts'
import { fakeApi, fakeStyles, type FakeStyle } from '../../src/testing/index.ts'
import { pipelineText } from '../../src/probe/write-pipeline.ts'
import { pagingText } from '../../src/probe/write/write-paging.ts'
import { apiServer, type ApiServer } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { everything } from './everything.ts'
import { COUNT, STYLES, stylesHandler } from './styles.ts'
import { openProject, type Project } from './type-check.ts'

/** By the path of a style: how it is read. */
const PAGING: Readonly<Record<string, string>> = {
  '/link-header': 'byLinkHeader()',
  '/next-url': "byNextUrl('next')",
  '/next-relative': "byNextUrl('links.next')",
  '/odata-list': "byNextUrl('@odata.nextLink')",
  '/hal': "byNextUrl('_links.next.href')",
  '/cursor': "byCursor('cursor', 'meta.next_cursor')",
  '/page-token': "byCursor('pageToken', 'nextPageToken')",
  '/after': "byCursor('after', 'paging.next.after')",
  '/cursor-header': "byCursor('cursor', inHeader('x-next-cursor'))",
  '/page-pages': "byPage('page', { pages: 'total_pages' })",
  '/page-total': "byPage('page', { total: 'totalCount' })",
  '/page-zero': "byPage('page', { start: 0, pages: 'totalPages', total: 'totalElements' })",
  '/page-zero-silent': "byPage('page', { start: 0 })",
  '/page-silent': "byPage('page')",
  '/page-more': "byPage('page', { more: 'has_more' })",
  '/page-headers': "byPage('page', { pages: inHeader('x-wp-totalpages'), total: inHeader('x-wp-total') })",
  '/offset-total': "byOffset('offset', { total: 'total' })",
  '/offset-silent': "byOffset('offset')",
  '/skip-limit': "byOffset('skip')",
  '/offset-whole': "byOffset('offset', { total: 'total', overlap: false })",
  '/stripe': "byLastRecord('starting_after', 'data.id', { more: 'has_more' })",
  '/after-id': "byLastRecord('after_id', 'id')",
  '/json-server-0': "byPage('_page')",
  '/json-server-1': "byPage('_page', { pages: 'pages' })",
  '/pocketbase': "byPage('page', { pages: 'totalPages', total: 'totalItems' })",
  '/directus': "byPage('page')",
  '/redmine': "byOffset('offset', { total: 'total_count' })",
  '/jira': "byOffset('startAt', { total: 'total' })",
  '/scim': "byOffset('startIndex', { start: 1, total: 'totalResults', limit: 'count' })",
  '/datasette': "byNextUrl('next_url')",
  '/mediawiki': "byContinue('continue')",
  '/mediawiki-parts': "byContinue('continue')",
  '/next-page-url': "byNextUrl(inHeader('next-page'))",
  '/continue-token': "byCursor('continue', 'metadata.continue')",
  '/drf': "byNextUrl('next')",
  '/wordpress': 'byLinkHeader()',
  '/jsonapi-list': "byNextUrl('links.next.href')",
  '/jsonapi-number': "byPage('page[number]', { total: 'meta.total' })",
  '/airtable': "byCursor('offset', 'offset')",
  '/laravel': "byNextUrl('next_page_url')",
  '/take': "byOffset('skip')",
  '/gitlab': "byCursor('page', inHeader('x-next-page'))",
  '/fhir': "byNextUrl((body) => body.link?.find(({ relation }) => relation === 'next')?.url ?? null)",
  '/filtered': "byPage('page', { pages: 'pages' })",
  '/next-token': "byCursor('next_token', 'meta.next_token')",
  '/rows.csv': "byPage('page')",
  '/lines': "byPage('page')",
  '/feed.xml': "byPage('page')",
  '/all-came': "byPage('page', { total: 'meta.total' })",
  '/whole': 'onePage({ atMost: 43 })',
  '/full-page': 'onePage({ atMost: 20 })',
  '/announced': 'onePage({ atMost: 20 })',
  '/one': 'onePage()',
}
/** Lists that no request leads on from: a run must not call them complete. */
const OPEN = new Set(['/whole', '/full-page', '/announced'])

/** The field of the cursor, and the parameter that filters by it. */
const filterOf = ({ found }: Probed): [unknown, string | undefined] => {
  const { cursor, query = {} } = found?.streams[0] ?? {}
  return [cursor?.at, Object.keys(query).find((name) => typeof query[name] === 'object')]
}

describe('each style of paging', () => {
  let api: ApiServer
  let stored: TestDatabase
  let project: Project
  const { signal } = new AbortController()
  const probed = new Map<string, Probed>()
  const pipelines = new Map<string, Pipeline>()

  beforeAll(async () => {
    api = await apiServer(stylesHandler)
    stored = await testDatabase()
    project = await openProject()
    await Promise.all(
      Object.keys(STYLES).map(async (path) => {
        probed.set(path, await probe(api.origin + path, { secrets: readSecrets({}), signal }))
      }),
    )
    await project.write('pipelines/everything.ts', pipelineText(everything))
    for (const [path, { found }] of probed) {
      if (!found) throw new Error(`nothing was found at ${path}`)
      const file = await project.write(`pipelines${path}.ts`, pipelineText(found))
      pipelines.set(path, ((await import(file)) as { default: Pipeline }).default)
    }
  })
  afterAll(async () => {
    await project[Symbol.asyncDispose]()
    await stored[Symbol.asyncDispose]()
    await api[Symbol.asyncDispose]()
  })

  test('is proven by a request, or a question says that it is not', () => {
    const found = [...probed].map(([path, { found }]) => [path, found && pagingText(found.streams[0]!.paging)])
    expect(Object.fromEntries(found)).toEqual(PAGING)
    for (const [path, { found }] of probed) {
      const questions = found?.streams[0]?.questions?.join(' ') ?? ''
      expect([path, /whole list|further pages/.test(questions)]).toEqual([path, OPEN.has(path)])
      expect([path, found?.streams[0]?.key]).toEqual([path, [path === '/feed.xml' ? '@id' : 'id']])
    }
  })

  test('a page number that makes a long list short gets a page size', async () => {
    const records = Array.from({ length: 250 }, (_, index) => ({ id: index + 1 }))
    // As json-server: all of them, unless a page is asked for. Then ten, unless `_limit` says how many.
    await using server = await apiServer(({ query }) => {
      const size = Number(query.get('_limit') ?? (query.has('_page') ? 10 : 250))
      const from = (Number(query.get('_page') ?? 1) - 1) * size
      return { json: records.slice(from, from + size) }
    })
    const { found } = await probe(`${server.origin}/posts`, { secrets: readSecrets({}), signal })
    expect(found && pipelineText(found)).toContain("'/posts', { _limit: 100 })\n  .pages(byPage('_page'))")
    expect(server.requests.length).toBeLessThanOrEqual(MAX_REQUESTS)
  })

  test('a field without a value is named, and a filter is shown in both usual forms', async () => {
    const records = [1, 2, 3].map((id) => ({ id, changed: `2026-01-0${id}T00:00:00Z`, closed: null, 'by-whom': null }))
    await using server = await apiServer(() => ({ json: { records } }))
    const { found } = await probe(`${server.origin}/tasks/records`, { secrets: readSecrets({}), signal })
    const text = pipelineText(found!).replaceAll(/\n *(?:\/\/|\*) /g, ' ')
    expect(text).toContain('Null in all records seen, so no column until a value comes: closed, by-whom.')
    expect(text).toContain(
      '{ updated_since: since } or, if it takes a filter as one text, { filter: text`changed>="${since}"` }',
    )
    expect(text).toContain('interface Task {')
  })

  test('a cursor is written only where a request has shown the parameter that filters by it', () => {
    const cursors = [...probed].filter(([, { found }]) => found?.streams[0]?.cursor !== undefined)
    expect(Object.fromEntries(cursors.map(([path, one]) => [path, filterOf(one)]))).toEqual({
      '/filtered': ['updated_at', 'updated_since'],
      '/drf': ['updated_at', 'updated_at__gte'],
      '/wordpress': ['updated_at', 'updated_after'],
    })
  })

  test('the page size is found by the names beside the place, in a URL of the next page, or all names at once', () => {
    const sizes = ['/wordpress', '/mediawiki', '/mediawiki-parts', '/next-page-url', '/drf'].map((path) => {
      const { query = {} } = probed.get(path)?.found?.streams[0] ?? {}
      return Object.entries(query).filter(([, value]) => typeof value === 'number')
    })
    expect(sizes).toEqual([
      [['per_page', 100]],
      [['aplimit', 100]],
      [['gaplimit', 100]],
      [['_limit', 20]],
      [['page_size', 20]],
    ])
  })

  test('records that MediaWiki may send in parts are a question', async () => {
    const asked = ['/mediawiki-parts?prop=categories', '/mediawiki-parts'].map(async (path) => {
      const { found } = await probe(api.origin + path, { secrets: readSecrets({}), signal })
      return /values of `prop`/.test(found?.streams[0]?.questions?.join(' ') ?? '')
    })
    expect(await Promise.all(asked)).toEqual([true, false])
  })

  test('a list without a name in the path is named by its place in the response', async () => {
    await using server = await apiServer(({ path }) =>
      path === '/api.php' ? { json: { query: { allpages: [{ id: 1 }, { id: 2 }] } } } : { json: { data: [{ id: 1 }] } },
    )
    const names = ['/api.php?list=allpages', '/api'].map(async (path) => {
      const { found } = await probe(server.origin + path, { secrets: readSecrets({}), signal })
      return found?.streams[0]?.name
    })
    expect(await Promise.all(names)).toEqual(['allpages', 'records'])
  })

  test('costs few requests', () => {
    const counts = Object.groupBy(api.requests, ({ path }) => path)
    expect(Math.max(...Object.values(counts).map((requests) => requests?.length ?? 0))).toBeLessThanOrEqual(
      MAX_REQUESTS,
    )
  })

  test.each([
    ['/page-zero-silent?page=1&per_page=5', "byPage('page', { start: 0 })"],
    ['/page-zero?page=1&size=5', "byPage('page', { start: 0, pages: 'totalPages', total: 'totalElements' })"],
    ['/page-silent?page=3&per_page=5', "byPage('page')"],
    ['/json-server-1?_page=1&_per_page=5', "byPage('_page', { pages: 'pages' })"],
    ['/offset-total?offset=20&limit=5', "byOffset('offset', { total: 'total' })"],
    ['/cursor?cursor=c10&limit=5', "byCursor('cursor', 'meta.next_cursor')"],
  ])('a URL with a place in the list does not fix that place: %s', async (path, paging) => {
    const { found } = await probe(api.origin + path, { secrets: readSecrets({}), signal: signal })
    expect(pagingText(found!.streams[0]!.paging)).toBe(paging)
    expect(Object.keys(found!.streams[0]!.query!)).not.toContain(/[?&](\w+)=/.exec(path)?.[1])
  })

  // Written by others, and known to this probe by its answers only.
  test.each(Object.entries(fakeStyles).filter(([style]) => style !== 'relay' && style !== 'one page'))(
    'a fake API of the style %s is read to its end',
    async (style, paging) => {
      const type = 'type' in paging ? paging.type : 'function'
      for (const records of [43, 7]) {
        await using fake = await fakeApi({ paging: style as FakeStyle, records })
        const { found } = await probe(`${fake.url}/items`, { name: style, secrets: readSecrets({}), signal })
        const expected = { header: 'cursor', since: 'page' }[type as string] ?? type
        // With all records on one page there is no header `x-next-page`.
        expect(found?.streams[0]?.paging.type).toBe(style === 'header' && records === 7 ? 'page' : expected)
        const file = await project.write(`pipelines/fake-${style}-${records}.ts`, pipelineText(found!))
        const { default: pipeline } = (await import(file)) as { default: Pipeline }
        const [flow] = Object.values(pipeline.streams)
        const rows = await Array.fromAsync(flow!.rows())
        expect([style, rows.length]).toEqual([style, records])
      }
    },
  )

  test('gives a file that type-checks', async () => {
    await expect(project.typeCheck()).resolves.toBe('')
  })

  test('gives a file that stores all records, and says where it cannot', async () => {
    // The streams of all files in one run, which costs a tenth of a run of each.
    const flows = [...pipelines].map(([path, { streams }]) => [path.replaceAll(/\W/g, '_'), Object.values(streams)[0]!])
    const all = pipeline('all', { streams: Object.fromEntries(flows) as Pipeline['streams'] })
    const { streams } = await run(all, { database: stored.url, environment: {} })
    const found = [...pipelines.keys()].map((path) => {
      const { counts, completeness } = streams[path.replaceAll(/\W/g, '_')]!
      return [path, counts.inserted, completeness?.grade === 'open']
    })
    const rows: Readonly<Record<string, number>> = { '/one': 1, '/full-page': 20, '/announced': 20 }
    expect(found).toEqual([...pipelines.keys()].map((path) => [path, rows[path] ?? COUNT, OPEN.has(path)]))
  })
})

test('integers that no number holds are read as any other', async () => {
  const rows = Array.from({ length: 30 }, (_, n) => `{"id":90071992547409${93 + n},"size":${n}}`)
  await using api = await apiServer(({ query }) => {
    const start = Number(query.get('offset') ?? 0)
    const body = `{"rows":[${rows.slice(start, start + 10).join()}],"total":30}`
    return { body, headers: { 'content-type': 'application/json' } }
  })
  const { found } = await probe(`${api.origin}/rows`, {
    secrets: readSecrets({}),
    signal: new AbortController().signal,
  })
  expect(found?.streams[0]).toMatchObject({ key: ['id'], paging: { type: 'offset', parameter: 'offset' } })
})
