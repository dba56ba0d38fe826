// Bounds of the range in the headers of a request, as in If-Modified-Since.
import { expect, test } from '@jest/globals'
import { byNextUrl, byPage, http, isoDate, since, until, unix } from '../../src/index.ts'
import { apiServer } from '../support/api-server.ts'

interface Body {
  rows: { id: number; at: string }[]
  next?: string
}
const rows = [1, 2, 3].map((id) => ({ id, at: `2026-01-0${id}T00:00:00Z` }))

test('a header with a bound is sent with each page, beside those of the API and the request', async () => {
  await using api = await apiServer(({ index }) => ({ json: { rows: index < 2 ? [rows[index]] : [] } }))
  const flow = http(api.origin, { headers: { 'x-api': '1' } })
    .get<Body>('/rows', {}, { headers: { 'if-modified-since': since, 'x-until': unix(until), 'x-request': '2' } })
    .pages(byPage('page'))
    .records('rows')
    .incremental('at')
  const range = { since: '2026-01-01T00:00:00Z', until: '2026-02-01T00:00:00Z' }
  expect(await Array.fromAsync(flow.into('t.rows', { key: 'id' }).rows(range))).toHaveLength(2)
  expect(api.requests).toHaveLength(3)
  for (const { headers } of api.requests)
    expect(headers).toMatchObject({
      'x-api': '1',
      'x-request': '2',
      'if-modified-since': '2026-01-01T00:00:00Z',
      'x-until': String(Date.UTC(2026, 1, 1) / 1_000),
    })
})

test('it is left out while there is no such end, and kept on the pages of a link', async () => {
  await using api = await apiServer(({ index }) => ({
    json: { rows: [rows[index]], ...(index < 2 && { next: `/rows?after=${index}` }) },
  }))
  const flow = http(api.origin)
    .get<Body>('/rows', {}, { headers: { 'x-from': isoDate(since), 'x-until': until } })
    .pages(byNextUrl('next'))
    .records('rows')
    .incremental('at')
  await Array.fromAsync(flow.into('t.rows', { key: 'id' }).rows({ since: '2026-01-01T00:00:00Z' }))
  expect(api.requests.map(({ headers }) => [headers['x-from'], headers['x-until']])).toEqual([
    ['2026-01-01', undefined],
    ['2026-01-01', undefined],
    ['2026-01-01', undefined],
  ])
})

test('a single request without a range has no such header', async () => {
  await using api = await apiServer([{ json: { rows: [] } }])
  const request = http(api.origin).get<Body>('/rows', {}, { headers: { 'x-from': since, 'x-request': '2' } })
  await request.fetch({ signal: AbortSignal.timeout(10_000) })
  expect(api.requests[0]?.headers).toMatchObject({ 'x-request': '2' })
  expect(api.requests[0]?.headers['x-from']).toBeUndefined()
})
