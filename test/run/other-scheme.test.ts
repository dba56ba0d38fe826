import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { readFile } from 'node:fs/promises'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { byNextUrl, http, pipeline, run } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'
import { AUTHORITY } from '../support/tls-server.ts'
import { twoSchemeServer } from '../support/two-scheme-server.ts'

const before = getCACertificates('default')
beforeAll(async () => setDefaultCACertificates([...before, await readFile(AUTHORITY, 'utf8')]))
afterAll(() => setDefaultCACertificates(before))

test('a position that names a page by http:// is resumed by https://', async () => {
  const known = { host: '', isBroken: true }
  await using api = await twoSchemeServer(({ url }) => {
    const page = Number(new URL(url, 'http://x').searchParams.get('page') ?? 1)
    if (page === 3 && known.isBroken) return { status: 403 }
    return { json: { data: [{ id: page }], ...(page < 5 && { next: `http://${known.host}/rows?page=${page + 1}` }) } }
  })
  known.host = api.host
  await using database = await testDatabase()
  const rows = http(`https://${api.host}`)
    .get<{ data: { id: number }[]; next?: string }>('/rows')
    .pages(byNextUrl('next'))
    .records('data')
    .into('t.rows', { key: 'id' })
  const flow = pipeline('schemes', { streams: { rows } })
  const options = { database: database.url, throwOnFailure: false }
  expect(await run(flow, options)).toMatchObject({ status: 'failed' })
  expect(
    await database.database.query(`select position ->> 'url' as url from sluice.slices where status = 'open'`),
  ).toEqual([{ url: `http://${api.host}/rows?page=3` }])
  known.isBroken = false
  const asked = api.requests.length
  expect(await run(flow, options)).toMatchObject({ status: 'done', streams: { rows: { resumed: true } } })
  expect(api.requests.slice(asked).map(({ scheme, url }) => `${scheme} ${url}`)).toEqual([
    // The page before the position, to see that the list has not moved since.
    'https /rows?page=2',
    'https /rows?page=3',
    'https /rows?page=4',
    'https /rows?page=5',
  ])
  expect(await database.database.query('select count(*)::int as n from t.rows')).toEqual([{ n: 5 }])
})
