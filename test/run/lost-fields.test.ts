import { expect, test } from '@jest/globals'
import { byCursor, http, pipeline, readStatus, type Pipeline } from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

// A field that was renamed at the API loses its values, and each run would end as done.

type Row = Readonly<Record<string, unknown>>
const rows = (number: number, of: (id: number) => Row): Row[] => Array.from({ length: number }, (_, id) => of(id))
const old = (id: number): Row => ({ id, title: `title ${id}`, note: id === 3 ? 'rare' : null })
const renamed = (id: number): Row => ({ id, headline: `title ${id}` })

/** An API with pages of 50 records, and one stream that reads them. */
async function listing(options: object = {}) {
  let records: readonly Row[] = []
  const api = await apiServer(({ query }) => {
    const from = Number(query.get('after') ?? 0)
    return { json: { rows: records.slice(from, from + 50), next: records.length > from + 50 ? from + 50 : null } }
  })
  const test = await testDatabase()
  const list = http(api.origin)
    .get<{ rows: Row[]; next: number | null }>('/')
    .pages(byCursor('after', 'next'))
    .records('rows')
  const flow = (more: object = {}): Pipeline =>
    pipeline('p', { streams: { rows: list.into('t.rows', { key: 'id', ...options, ...more } as never) } })
  return {
    read: async (
      all: readonly Row[],
      { status = 'done', full = false, ...more }: { status?: string; full?: boolean; columns?: object } = {},
    ) => {
      records = all
      const report = await runPipeline(flow(more), { database: test.url, full })
      expect(report.status).toBe(status)
      return report.streams['rows']!.warnings
    },
    findings: async () => (await readStatus([flow()], { database: test.url })).findings,
    test,
    [Symbol.asyncDispose]: async () => {
      await test[Symbol.asyncDispose]()
      await api[Symbol.asyncDispose]()
    },
  }
}

const WARNING =
  'the field title has no value any more, and earlier readings brought some. Check whether the API has renamed it. ' +
  'If it is gone for good, leave it out with columns: { "title": false }'

test('a field that lost its values is a warning of that run, and a finding until it has values again', async () => {
  await using api = await listing()
  expect(await api.read(rows(120, old))).toEqual([])
  expect(await api.findings()).toEqual([])
  expect(await api.read(rows(120, renamed))).toEqual([WARNING])
  const found = { kind: 'values lost', isFault: true, pipeline: 'p', stream: 'rows', message: WARNING }
  expect(await api.findings()).toEqual([found])
  expect(await api.read(rows(5, renamed))).toEqual([])
  expect(await api.findings()).toEqual([found])
  expect(await api.read(rows(120, old))).toEqual([expect.stringMatching(/^the field headline has no value any more/)])
  expect((await api.findings()).map(({ message }) => message)).toEqual([expect.stringContaining('headline')])
})

test('a field that is left out is not missed', async () => {
  await using api = await listing()
  await api.read(rows(120, old))
  expect(await api.read(rows(120, renamed))).toHaveLength(1)
  expect(await api.read(rows(120, renamed), { columns: { title: false } })).toEqual([])
  expect(await api.findings()).toEqual([])
})

test('a reading of 20 records says nothing', async () => {
  await using api = await listing()
  await api.read(rows(120, old))
  expect(await api.read(rows(20, renamed))).toEqual([])
  expect(await api.read(rows(21, renamed))).toEqual([WARNING])
})

test('an interrupted reading is compared as a whole', async () => {
  await using api = await listing({ maxRejects: 0 })
  await api.read(rows(120, old))
  // The second page cannot be stored, and the next run goes on there.
  const broken = rows(120, (id) => ({ ...(id < 50 ? old(id) : renamed(id)), id: id === 60 ? null : id }))
  await api.read(broken, { status: 'failed' })
  expect(await api.read(rows(120, renamed))).toEqual([])
  expect(await api.test.database.query('select count(*)::int as n from t.rows where title is null')).toEqual([
    { n: 70 },
  ])
})

test('a reading that restarts is compared without what it had read before', async () => {
  await using api = await listing({ maxRejects: 0 })
  const broken = rows(120, (id) => ({ ...old(id), id: id === 60 ? null : id }))
  await api.read(broken, { status: 'failed' })
  const stored = () => api.test.database.query('select field_values as values, lost_fields as lost from sluice.slices')
  expect(await stored()).toEqual([
    { values: { rows: 50, read: expect.objectContaining({ title: [8, 8], note: [1, 8] }) }, lost: null },
  ])
  await api.read(rows(120, renamed), { full: true })
  const values = { full: { id: [23, 23], headline: [23, 23] }, part: {} }
  expect(await stored()).toEqual([{ values: expect.objectContaining(values), lost: [] }])
})
