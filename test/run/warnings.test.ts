import { describe, expect, test } from '@jest/globals'
import { byPage, http, onePage, pipeline, readStatus } from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

interface Item {
  id: number
  name: string
  updated: string
}

const moment = (n: number): string => new Date(Date.UTC(2024, 0, 1) + n * 60_000).toISOString()
const items = (count: number): Item[] =>
  Array.from({ length: count }, (_, n) => ({ id: n + 1, name: `item ${n + 1}`, updated: moment(n) }))

describe('run', () => {
  test('a run that could store nothing of what it read says so', async () => {
    await using api = await apiServer([{ json: [{ id: 1 }, { id: 2 }] }])
    await using test = await testDatabase()
    const rows = http(api.origin).get<{ id: number; uid: number }[]>('/').pages(onePage()).records()
    const { streams } = await runPipeline(
      pipeline('nothing', { streams: { rows: rows.into('t.rows', { key: 'uid' }) } }),
      {
        database: test.url,
      },
    )
    expect(streams.rows).toMatchObject({
      counts: { fetched: 2, rejected: 2 },
      warnings: [
        expect.stringContaining('nothing was stored: all 2 records'),
        expect.stringContaining('no record has the field uid of the key'),
      ],
    })
  })

  test('a run that read nothing where the last one read something says so', async () => {
    let rows = items(3)
    await using api = await apiServer(() => ({ json: rows }))
    await using test = await testDatabase()
    const flow = pipeline('silent', {
      streams: {
        all: http(api.origin).get<Item[]>('/').pages(onePage()).records().into('t.all', { key: 'id' }),
      },
    })
    expect((await runPipeline(flow, { database: test.url })).streams.all.warnings).toEqual([])
    rows = []
    const { status, streams } = await runPipeline(flow, { database: test.url })
    expect(status).toBe('done')
    expect(streams.all.warnings).toEqual([
      expect.stringContaining('nothing was read, and the run before read 3 records'),
    ])
  })

  test('a run whose key is shared by records that differ says so once, with an example', async () => {
    const pages = [0, 1, 2].map((page) =>
      items(6).map((item) => ({ ...item, id: page * 6 + item.id, user: item.id % 3 })),
    )
    await using api = await apiServer(({ query }) => ({ json: pages[Number(query.get('page') ?? 1) - 1] ?? [] }))
    await using test = await testDatabase()
    const rows = http(api.origin).get<{ id: number; user: number }[]>('/').pages(byPage('page')).records()
    const keyed = (key: 'user' | 'id') =>
      runPipeline(pipeline('shared', { streams: { rows: rows.into(`t.by_${key}`, { key }) } }), { database: test.url })
    const { streams } = await keyed('user')
    expect(streams.rows.warnings.filter((warning) => warning.includes('the key of another one'))).toEqual([
      expect.stringMatching(
        /^t\.by_user: \d+ records of a page have .* such as user = \d: only the last of each is stored/,
      ),
    ])
    expect((await keyed('id')).streams.rows.warnings).toEqual([])
  })

  test('a key that is not unique is a problem until it changes or everything was read without doubles', async () => {
    let all = items(6).map((item) => ({ ...item, user: item.id % 3 }))
    await using api = await apiServer(() => ({ json: all }))
    await using test = await testDatabase()
    const rows = http(api.origin).get<typeof all>('/').pages(onePage()).records()
    const by = (key: 'user' | 'id') =>
      pipeline('shared', { streams: { rows: rows.into('t.rows', { key, complete: 'any' }) } })
    const status = async (key: 'user' | 'id') => {
      const { ok, findings } = await readStatus([by(key)], { database: test.url })
      return { ok, kinds: findings.map(({ kind }) => kind) }
    }
    const found = { ok: false, kinds: ['key not unique'] }
    const nothing = { ok: true, kinds: [] }
    await runPipeline(by('user'), { database: test.url })
    const { findings } = await readStatus([by('user')], { database: test.url })
    expect(findings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^run \d+ found that the key is not unique: t\.rows: 3 records .* such as user = \d: /),
    ])
    expect(await status('id')).toEqual(nothing)
    // What has read nothing proves nothing.
    all = []
    await runPipeline(by('user'), { database: test.url })
    expect((await status('user')).kinds).toContain('key not unique')
    all = items(6).map((item) => ({ ...item, user: item.id % 3 }))
    await runPipeline(by('user'), { database: test.url })
    expect(await status('user')).toEqual(found)
    all = items(6).map((item) => ({ ...item, user: item.id }))
    await runPipeline(by('user'), { database: test.url })
    expect(await status('user')).toEqual(nothing)
  })
})
