// How a request may be sent: JSON with bounds and cursors at any depth, forms, PUT, and a time limit of its own.
import { expect, jest, test } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  apiKey,
  byCursor,
  byPage,
  bySince,
  http,
  onePage,
  pipeline,
  secret,
  since,
  unixMs,
  until,
} from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer, type ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

jest.setTimeout(30_000)

interface Contact {
  id: number
  changed: string
}
const day = (number: number): string => new Date(Date.UTC(2024, 0, number)).toISOString()
const contacts = (count: number): Contact[] => Array.from({ length: count }, (_, id) => ({ id, changed: day(id + 1) }))

interface Search {
  filters: { field: string; operator: string; value?: number }[]
  paging: { after?: string; limit: number }
}

/** As the search of a CRM: conditions in lists, and the cursor within an object. */
function search(list: readonly Contact[], { body }: ApiRequest): { status?: number; json: unknown } {
  const { filters, paging } = JSON.parse(body) as Search
  if (filters.some(({ value }) => value === undefined))
    return { status: 400, json: { error: 'a filter needs a value' } }
  const from = filters.find(({ operator }) => operator === 'GTE')?.value ?? 0
  const found = list.filter(({ changed }) => Date.parse(changed) >= from)
  const at = Number(paging.after ?? 0)
  const results = found.slice(at, at + paging.limit)
  return { json: { results, ...(at + paging.limit < found.length && { paging: { next: `${at + paging.limit}` } }) } }
}

test('bounds and a cursor stand at any depth of a body, and a condition without its bound is left out', async () => {
  const list = contacts(5)
  await using api = await apiServer((request) => search(list, request))
  await using target = await testDatabase()
  const found = http(api.origin, { attempts: 1 })
    .post<{ results: Contact[]; paging?: { next: string } }>('/contacts/search', {
      json: {
        filters: [
          { field: 'changed', operator: 'GTE', value: unixMs(since) },
          { field: 'changed', operator: 'LT', value: unixMs(until) },
        ],
        paging: { limit: 2 },
      },
    })
    .pages(byCursor('paging.after', 'paging.next'))
    .records('results')
    .incremental('changed')
  const flow = pipeline('p', { streams: { contacts: found.into('t.contacts', { key: 'id' }) } })
  const first = await runPipeline(flow, { database: target.url })
  expect(first.streams.contacts).toMatchObject({ status: 'done', counts: { fetched: 5, inserted: 5 } })
  const bodies = () => api.requests.map(({ body }) => JSON.parse(body) as Search)
  expect(bodies()).toEqual([
    { filters: [], paging: { limit: 2 } },
    { filters: [], paging: { limit: 2, after: '2' } },
    { filters: [], paging: { limit: 2, after: '4' } },
  ])
  list.push({ id: 5, changed: day(6) })
  const second = await runPipeline(flow, { database: target.url })
  expect(second.streams.contacts.counts).toMatchObject({ fetched: 2, inserted: 1 })
  expect(bodies()[3]?.filters).toEqual([{ field: 'changed', operator: 'GTE', value: Date.parse(day(5)) - 60_000 }])
})

/** The fields of a page of the multipart form. */
const sent = (page: string): [string, string][] => [
  ['a %22name%22', 'ä--b\r\nc'],
  ['tags', 'x'],
  ['tags', 'y'],
  ['key', 's3cret'],
  ['page', page],
]

test('a multipart form is sent again after a failure, with the parameter of the paginator in it', async () => {
  const forms: [string, unknown][][] = []
  await using api = await apiServer(async ({ index, body, headers }) => {
    const type = headers['content-type'] ?? ''
    if (!type.startsWith('multipart/form-data; boundary=')) return { status: 415, json: {} }
    // Parsed by undici, as any other server would.
    const form = await new Response(body, { headers: { 'content-type': type } }).formData()
    forms.push([...form.entries()])
    if (index === 1) return { status: 503 }
    const page = Number(form.get('page'))
    return { json: contacts(3).slice(page * 2 - 2, page * 2) }
  })
  const rows = http(api.origin, { attempts: 2, auth: apiKey(secret('KEY'), { header: 'x-key' }) })
    .post<Contact[]>('/list', {
      multipart: { 'a "name"': 'ä--b\nc', tags: ['x', 'y'], key: '{secret:KEY}', from: since, until },
    })
    .pages(byPage('page', { max: 2 }))
    .records()
  await using target = await testDatabase()
  const flow = pipeline('p', { streams: { rows: rows.into('t.contacts', { key: 'id' }) } })
  const { streams } = await runPipeline(flow, { database: target.url, environment: { KEY: 's3cret' } })
  expect(streams.rows).toMatchObject({ status: 'done', counts: { inserted: 3 }, retries: 1 })
  expect(forms.map((form) => form.map(([name, value]) => [name.replace('a "name"', 'a %22name%22'), value]))).toEqual([
    sent('1'),
    sent('2'),
    sent('2'),
  ])
  expect(api.requests[1]?.body).toBe(api.requests[2]?.body)
  const stored = await target.database.query('select position::text, definition from sluice.slices')
  expect(JSON.stringify(stored)).not.toContain('s3cret')
})

test('an interrupted reading goes on with a multipart form', async () => {
  let isBroken = true
  await using api = await apiServer(({ body, headers }) => {
    const page = Number(/name="page"\r\n\r\n(\d)/.exec(body)?.[1])
    if (page === 2 && isBroken) return { status: 500 }
    return headers['content-type']?.startsWith('multipart/') ? { json: [{ id: page }] } : { status: 415, json: {} }
  })
  await using target = await testDatabase()
  const rows = http(api.origin, { attempts: 1 })
    .post<{ id: number }[]>('/list', { multipart: { kind: 'a' } })
    .pages(byPage('page', { max: 3 }))
    .records()
  const flow = pipeline('p', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })
  expect((await runPipeline(flow, { database: target.url })).streams.rows.status).toBe('failed')
  isBroken = false
  expect((await runPipeline(flow, { database: target.url })).streams.rows).toMatchObject({
    status: 'done',
    counts: { inserted: 2 },
  })
  expect(await target.database.query('select id::int from t.rows order by 1')).toEqual([
    { id: 1 },
    { id: 2 },
    { id: 3 },
  ])
})

test('a form is sent as one, with the parameter of the paginator in it', async () => {
  await using api = await apiServer(({ body, headers }) => {
    if (headers['content-type'] !== 'application/x-www-form-urlencoded') return { status: 415, json: {} }
    const page = Number(new URLSearchParams(body).get('page'))
    return { json: contacts(5).slice(page * 2 - 2, page * 2) }
  })
  const rows = http(api.origin, { attempts: 1 })
    .post<Contact[]>('/list', { form: { kind: 'a&b', tags: ['x', 'y'] }, query: { v: 1 } })
    .pages(byPage('page'))
    .records()
    .into('t.contacts', { key: 'id' })
  const read: Contact[] = []
  for await (const row of rows.rows()) read.push(row)
  expect(read).toEqual(contacts(5))
  expect(api.requests[0]).toMatchObject({ url: '/list?v=1', body: 'kind=a%26b&tags=x&tags=y&page=1' })
})

test('bySince() finds `since` in the middle of a body', async () => {
  const list = contacts(7)
  await using api = await apiServer(({ body, method }) => {
    const { query } = JSON.parse(body) as { query: { range: { gte?: string } } }
    const found = list.filter(({ changed }) => changed >= (query.range.gte ?? ''))
    return method === 'PUT' ? { json: found.slice(0, 3) } : { status: 405, json: {} }
  })
  const rows = http(api.origin, { attempts: 1 })
    .put<Contact[]>('/search', { json: { query: { range: { gte: since } } } })
    .pages(bySince(undefined, { field: 'changed' }))
    .records()
    .into('t.contacts', { key: 'id' })
  const read = new Set<number>()
  for await (const { id } of rows.rows({ complete: 'any' })) read.add(id)
  expect([...read]).toEqual(list.map(({ id }) => id))
})

test('a request may have a time limit of its own', async () => {
  await using api = await apiServer(async ({ path }) => {
    if (path === '/slow') await sleep(600)
    return { json: [] }
  })
  const source = http(api.origin, { attempts: 1, timeout: '200ms' })
  const read = async (timeout?: '5s'): Promise<void> => {
    const rows = source
      .get<Contact[]>('/slow', {}, timeout ? { timeout } : {})
      .pages(onePage())
      .records()
    for await (const _ of rows.into('t.contacts', { key: 'id' }).rows()) break
  }
  await expect(read()).rejects.toThrow('200')
  await expect(read('5s')).resolves.toBeUndefined()
})

test('two bodies, and a time limit that is none, are refused', () => {
  const api = http('http://localhost')
  expect(() => api.post('/x', { form: {}, multipart: {} })).toThrow('a request has one body')
  expect(() => api.post('/x', { json: {}, form: {} })).toThrow(
    'a request has one body. Give one of json, form and multipart',
  )
  expect(() => api.get('/x', {}, { timeout: 'soon' as never })).toThrow('timeout: "soon" is no duration')
})
