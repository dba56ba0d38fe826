import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Pipeline } from '../../src/define/pipeline.ts'
import { run } from '../../src/index.ts'
import { readSecrets } from '../../src/observe/secrets.ts'
import { probe, type Probed } from '../../src/probe/probe.ts'
import { MAX_REQUESTS } from '../../src/probe/send.ts'
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
  '/mediawiki': "byCursor('apcontinue', 'continue.apcontinue')",
  '/jsonapi-list': "byNextUrl('links.next.href')",
  '/jsonapi-number': "byPage('page[number]', { total: 'meta.total' })",
  '/airtable': "byCursor('offset', 'offset')",
  '/laravel': "byNextUrl('next_page_url')",
  '/take': "byOffset('skip')",
  '/gitlab': "byCursor('page', inHeader('x-next-page'))",
  '/fhir': "byNextUrl((body) => body.link?.find(({ relation }) => relation === 'next')?.url ?? null)",
  '/filtered': "byPage('page', { pages: 'pages' })",
  '/all-came': "byPage('page', { total: 'meta.total' })",
  '/whole': 'onePage()',
  '/full-page': 'onePage({ atMost: 20 })',
  '/announced': 'onePage({ atMost: 20 })',
  '/one': 'onePage()',
}
/** Lists that no request leads on from: a run must not call them complete. */
const OPEN = new Set(['/full-page', '/announced'])

describe('each style of paging', () => {
  let api: ApiServer
  let stored: TestDatabase
  let project: Project
  const probed = new Map<string, Probed>()
  const pipelines = new Map<string, Pipeline>()

  beforeAll(async () => {
    api = await apiServer(stylesHandler)
    stored = await testDatabase()
    project = await openProject()
    const { signal } = new AbortController()
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
      expect([path, /whole list|further pages/.test(questions)]).toEqual([path, OPEN.has(path) || path === '/whole'])
      expect([path, found?.streams[0]?.key]).toEqual([path, ['id']])
    }
  })

  test('costs few requests', () => {
    const counts = Object.groupBy(api.requests, ({ path }) => path)
    expect(Math.max(...Object.values(counts).map((requests) => requests?.length ?? 0))).toBeLessThanOrEqual(
      MAX_REQUESTS,
    )
  })

  test('gives a file that type-checks', async () => {
    await expect(project.typeCheck()).resolves.toBe('')
  })

  test('gives a file that stores all records, and says where it cannot', async () => {
    for (const [path, pipeline] of pipelines) {
      const { streams } = await run(pipeline, { database: stored.url, environment: {} })
      const [report] = Object.values(streams)
      const rows = { '/one': 1, '/full-page': 20, '/announced': 20 }[path] ?? COUNT
      expect([path, report?.counts.inserted]).toEqual([path, rows])
      expect([path, report?.completeness?.grade === 'open']).toEqual([path, OPEN.has(path)])
    }
  })
})
