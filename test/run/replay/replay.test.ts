import { describe, expect, test } from '@jest/globals'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { byPage, http, onePage, path, pipeline } from '../../../src/index.ts'
import { replay } from '../../../src/run/replay/replay.ts'
import { apiServer } from '../../support/api-server.ts'
import { testDatabase } from '../../support/database.ts'
import { type Item, items, mapped, waiting } from './replayed.ts'

describe('a replay', () => {
  test('sends a reject of a stage through all present stages, and settles it in the same transaction', async () => {
    await using api = await apiServer([{ json: items('one', 'bad', 'three') }])
    await using test = await testDatabase()
    await runPipeline(mapped(api.origin, { broken: true, key: 'id' }), { database: test.url })
    expect(await waiting(test)).toEqual([{ stage: 'map', reason: 'no bad' }])

    const asked = api.requests.length
    const report = await replay(mapped(api.origin, { broken: false, key: 'id' }), { database: test.url })
    expect(report).toMatchObject({
      kind: 'replay',
      status: 'done',
      streams: { rows: { status: 'done', counts: { fetched: 1, inserted: 1, rejected: 0 } } },
    })
    expect(api.requests).toHaveLength(asked)
    expect(await test.database.query('select id::int, name from t.rows order by id')).toEqual([
      { id: 1, name: 'ONE' },
      { id: 2, name: 'BAD' },
      { id: 3, name: 'THREE' },
    ])
    expect(await waiting(test)).toEqual([])
    expect(
      await test.database.query(
        `select kind, status, fetched::int, inserted::int, position::text from sluice.slices where kind = 'replay'`,
      ),
    ).toEqual([{ kind: 'replay', status: 'done', fetched: 1, inserted: 1, position: '{"end":true}' }])
    expect(await replay(mapped(api.origin, { broken: false, key: 'id' }), { database: test.url })).toBeUndefined()
  })

  test('stores the corrected records and lists the others as new rejects', async () => {
    await using api = await apiServer([{ json: items('bad 1', 'bad 2', 'ok') }])
    await using test = await testDatabase()
    await runPipeline(mapped(api.origin, { broken: true, key: 'id' }), { database: test.url })
    const every = http(api.origin).get<Item[]>('/').pages(onePage()).records()
    const half = pipeline('replayed', {
      streams: {
        rows: every
          .map((item) => {
            if (item.name === 'bad 2') throw new Error('still')
            return item
          })
          .into('t.rows', { key: 'id' }),
      },
    })
    const report = await replay(half, { database: test.url })
    expect(report!.streams['rows']).toMatchObject({ counts: { fetched: 2, inserted: 1, rejected: 1 } })
    expect(await waiting(test)).toEqual([{ stage: 'map', reason: 'still' }])
  })

  test('sends a row that the database refused as it was, past the stages', async () => {
    await using api = await apiServer([
      {
        json: [
          { id: 1, name: 'one' },
          { id: 2, name: 'two' },
        ],
      },
    ])
    await using test = await testDatabase()
    const flow = mapped(api.origin, { broken: false, key: 'id' })
    await test.database.query('create schema t')
    await test.database.query(`create table t.rows (id bigint primary key, name text check (name <> 'TWO'))`)
    expect((await runPipeline(flow, { database: test.url })).streams['rows']).toMatchObject({
      counts: { inserted: 1, rejected: 1 },
    })
    expect(await waiting(test)).toMatchObject([{ stage: 'database' }])
    expect((await replay(flow, { database: test.url }))!.streams['rows']).toMatchObject({ counts: { rejected: 1 } })
    expect(await waiting(test)).toMatchObject([{ stage: 'database' }])

    await test.database.query('alter table t.rows drop constraint rows_name_check')
    expect((await replay(flow, { database: test.url }))!.streams['rows']).toMatchObject({
      counts: { fetched: 1, inserted: 1 },
    })
    expect(await test.database.query('select name from t.rows order by id')).toEqual([{ name: 'ONE' }, { name: 'TWO' }])
  })

  test('keeps every digit', async () => {
    await using api = await apiServer([
      { body: '[{"id": 9007199254740993, "name": null}]', headers: { 'content-type': 'application/json' } },
    ])
    await using test = await testDatabase()
    const every = http(api.origin).get<{ id: bigint; name: string | null }[]>('/').pages(onePage()).records()
    const flow = (broken: boolean) =>
      pipeline('digits', {
        streams: {
          rows: every
            .map((item) => {
              if (broken) throw new Error('not yet')
              return item
            })
            .into('t.digits', { key: 'id' }),
        },
      })
    await runPipeline(flow(true), { database: test.url })
    await replay(flow(false), { database: test.url })
    expect(await test.database.query('select id::text from t.digits')).toEqual([{ id: '9007199254740993' }])
  })

  test('asks for the child of a rejected child by its parent, and for the children of a rejected parent', async () => {
    await using api = await apiServer(({ path: asked, query }) => {
      const [, parent] = /^\/(\d)\/notes$/.exec(asked) ?? []
      if (parent === undefined) return { json: items('one', 'two', 'three') }
      return { json: Number(query.get('page')) > 2 ? [] : [{ id: `${parent}-${query.get('page')}` }] }
    })
    await using test = await testDatabase()
    const notes = (broken: boolean) =>
      pipeline('notes', {
        streams: {
          notes: http(api.origin)
            .get<Item[]>('/items')
            .pages(onePage())
            .records()
            .map((item) => {
              if (broken && item.id === 3) throw new Error('no third')
              return { ...item, more: item.name.length }
            })
            .flatMap((item) =>
              http(api.origin)
                .get<{ id: string }[]>(path`/${item.id}/notes`)
                .pages(byPage('page'))
                .records()
                .map((note) => {
                  if (broken && note.id === '2-1') throw new Error('no 2-1')
                  return { ...note, item: item.id, more: item.more }
                }),
            )
            .into('t.notes', { key: 'id' }),
        },
      })
    expect((await runPipeline(notes(true), { database: test.url })).streams['notes']).toMatchObject({
      counts: { inserted: 3, rejected: 2 },
    })
    const asked = api.requests.length
    const report = await replay(notes(false), { database: test.url })
    expect(report!.streams['notes']).toMatchObject({ status: 'done', counts: { inserted: 3, rejected: 0 } })
    expect(api.requests.slice(asked).map((request) => request.path)).toEqual(['/3/notes', '/3/notes', '/3/notes'])
    expect(await test.database.query('select id, item::int, more::int from t.notes order by id')).toEqual(
      ['1-1', '1-2', '2-1', '2-2', '3-1', '3-2'].map((id) => ({
        id,
        item: Number(id[0]),
        more: [3, 3, 5][Number(id[0]) - 1],
      })),
    )
  })

  test('without a key, a record that becomes several rows is rejected again, and no row is stored twice', async () => {
    await using api = await apiServer([{ json: items('a', 'b') }])
    await using test = await testDatabase()
    const every = http(api.origin).get<Item[]>('/').pages(onePage()).records()
    const twice = (broken: boolean) =>
      pipeline('twice', {
        streams: {
          rows: every
            .flatMap(({ id }) => [{ id }, { id: -id }])
            .map((row) => {
              if (broken && row.id === -2) throw new Error('not yet')
              return row
            })
            .into('t.twice', { write: 'append' }),
        },
      })
    await runPipeline(twice(true), { database: test.url })
    await replay(twice(false), { database: test.url })
    expect(await test.database.query('select id::int from t.twice order by id')).toEqual([
      { id: -1 },
      { id: 1 },
      { id: 2 },
    ])
    expect(await waiting(test)).toMatchObject([{ reason: expect.stringContaining('becomes several rows') }])
  })

  test('stores all of a stream or nothing', async () => {
    await using api = await apiServer([{ json: items('bad 1', 'ok', 'bad 3') }])
    await using test = await testDatabase()
    await runPipeline(mapped(api.origin, { broken: true, key: 'id' }), { database: test.url })
    const every = http(api.origin).get<Item[]>('/').pages(onePage()).records()
    const failing = pipeline('replayed', {
      streams: {
        rows: every
          .tap(({ id }) => {
            if (id === 3) throw new Error('the other system is down')
          })
          .into('t.rows', { key: 'id' }),
      },
    })
    const report = await replay(failing, { database: test.url })
    expect(report!.streams['rows']).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('the other system is down'),
    })
    expect(await test.database.query('select id::int from t.rows')).toEqual([{ id: 2 }])
    expect(await waiting(test)).toHaveLength(2)
    expect(await test.database.query(`select status from sluice.slices where kind = 'replay'`)).toEqual([
      { status: 'failed' },
    ])
  })

  test('refuses a table that is replaced as a whole, and rejects that there are not', async () => {
    await using api = await apiServer([{ json: items('bad') }])
    await using test = await testDatabase()
    const every = http(api.origin).get<Item[]>('/').pages(onePage()).records()
    const flow = pipeline('whole', {
      streams: {
        rows: every
          .map((item) => {
            if (item.name === 'bad') throw new Error('no')
            return item
          })
          .into('t.whole', { write: 'replace' }),
      },
    })
    await runPipeline(flow, { database: test.url })
    const report = await replay(flow, { database: test.url })
    expect(report).toMatchObject({
      status: 'failed',
      streams: { rows: { error: expect.stringContaining('each run replaces the whole table') } },
    })
    await expect(replay(flow, { database: test.url, ids: ['99'] })).rejects.toThrow(
      'whole: there is no reject 99 to replay. See: sluice rejects list whole',
    )
  })
})
