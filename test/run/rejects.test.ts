import { createHash } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { http, onePage, pipeline, run, type Pipeline } from '../../src/index.ts'
import type { Database } from '../../src/database/database.ts'
import { readRejects } from '../../src/ledger/read/read-rejects.ts'
import { dropRejects } from '../../src/ledger/rejects.ts'
import { replay } from '../../src/run/replay/replay.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

interface Item {
  readonly id: number
  readonly name: string | null
}

/** Rejects items without a name. */
function flowOf(origin: string, options: { readonly key?: 'id'; readonly write?: 'append' }): Pipeline {
  const items = http(origin as 'http://x')
    .get<Item[]>('/items')
    .pages(onePage())
    .records()
    .map(({ id, name }) => {
      if (name === null) throw new Error('it has no name')
      return { id, name }
    })
  return pipeline('shop', {
    streams: { items: items.into('t.items', { maxRejects: 10, ...options } as { key: 'id' }) },
  })
}

const all = (database: Database) => readRejects(database, { settled: true })
const settlements = async (database: Database): Promise<unknown[]> =>
  (await all(database)).map(({ settlement }) => settlement)

describe('a reject', () => {
  test('that is read again is listed once, with the newest record and reason', async () => {
    let served: unknown[] = [
      { id: 1, name: 'one' },
      { id: 2, name: null, was: 1 },
    ]
    await using api = await apiServer(() => ({ json: served }))
    await using test = await testDatabase()
    const flow = flowOf(api.origin, { key: 'id' })
    await run(flow, { database: test.url })
    await run(flow, { database: test.url })
    served = [{ id: 2, name: null, was: 2 }]
    await run(flow, { database: test.url })
    expect(await readRejects(test.database)).toMatchObject([{ run: '3', record: '{"id":2,"name":null,"was":2}' }])
    expect(await settlements(test.database)).toEqual(['superseded', 'superseded', undefined])
  })

  test('is settled by a later good row with the same key, and not by one with another key', async () => {
    let served: Item[] = [
      { id: 1, name: null },
      { id: 2, name: null },
    ]
    await using api = await apiServer(() => ({ json: served }))
    await using test = await testDatabase()
    const flow = flowOf(api.origin, { key: 'id' })
    await run(flow, { database: test.url })
    served = [
      { id: 2, name: 'two' },
      { id: 3, name: 'three' },
    ]
    await run(flow, { database: test.url })
    expect(await readRejects(test.database)).toMatchObject([{ record: '{"id":1,"name":null}' }])
    expect(await settlements(test.database)).toEqual([undefined, 'stored'])
    // What is settled is not replayed.
    expect(await replay(flow, { database: test.url })).toMatchObject({ streams: { items: { counts: { fetched: 1 } } } })
  })

  test('with a version is settled by a good row of that version or a newer one only', async () => {
    let served: unknown[] = [{ id: 1, name: null, at: '2024-01-05' }]
    await using api = await apiServer(() => ({ json: served }))
    await using test = await testDatabase()
    const items = http(api.origin as 'http://x')
      .get<{ id: number; name: string | null; at: string }[]>('/items')
      .pages(onePage())
      .records()
      .map((item) => {
        if (item.name === null) throw new Error('it has no name')
        return item
      })
    const flow = pipeline('shop', {
      streams: { items: items.into('t.items', { key: 'id', versionBy: 'at', maxRejects: 10 }) },
    })
    await run(flow, { database: test.url })
    served = [{ id: 1, name: 'older', at: '2024-01-04' }]
    await run(flow, { database: test.url })
    expect(await settlements(test.database)).toEqual([undefined])
    served = [{ id: 1, name: 'newer', at: '2024-01-06' }]
    await run(flow, { database: test.url })
    expect(await settlements(test.database)).toEqual(['stored'])
  })

  test('of a table without a key is known by its whole record, and each of two equal ones counts', async () => {
    let served: unknown[] = [
      { id: 1, name: null },
      { id: 1, name: null },
    ]
    await using api = await apiServer(() => ({ json: served }))
    await using test = await testDatabase()
    const flow = flowOf(api.origin, { write: 'append' })
    await run(flow, { database: test.url })
    await run(flow, { database: test.url })
    expect(await readRejects(test.database)).toHaveLength(2)
    served = [{ id: 1, name: 'one' }]
    await run(flow, { database: test.url })
    expect(await readRejects(test.database)).toHaveLength(2)
  })

  test('of a parent is not settled by a child whose key is the same number', async () => {
    let fails = true
    await using api = await apiServer(({ url }) => ({
      json: url === '/projects' ? [{ id: 1 }, { id: 5 }] : [{ id: url === '/projects/1/tasks' ? 5 : 1 }],
    }))
    await using test = await testDatabase()
    const source = http(api.origin)
    const tasks = source
      .get<{ id: number }[]>('/projects')
      .pages(onePage())
      .records()
      .flatMap(({ id }) => {
        if (id === 5 && fails) throw new Error('it has no tasks')
        return source.get<{ id: number }[]>(`/projects/${id}/tasks`).pages(onePage()).records()
      })
    const flow = pipeline('shop', { streams: { tasks: tasks.into('t.tasks', { key: 'id', maxRejects: 10 }) } })
    await run(flow, { database: test.url })
    const first = await settlements(test.database)
    await run(flow, { database: test.url })
    expect(first).toEqual([undefined])
    // It is rejected again. A task with the same number was stored, but none of the project.
    expect(await settlements(test.database)).toEqual(['superseded', undefined])
    fails = false
    expect((await run(flow, { database: test.url })).streams.tasks?.counts).toMatchObject({ fetched: 2, rejected: 0 })
    expect(await settlements(test.database)).toEqual(['superseded', undefined])
  })

  test('is not settled by another record whose row got the same key from a stage', async () => {
    let served: unknown[] = [{ id: 5, number: null }]
    await using api = await apiServer(() => ({ json: served }))
    await using test = await testDatabase()
    const items = http(api.origin as 'http://x')
      .get<{ id: number; number: number | null }[]>('/items')
      .pages(onePage())
      .records()
      .map((item) => {
        if (item.number === null) throw new Error('it has no number')
        return { id: item.number }
      })
    const flow = pipeline('shop', { streams: { items: items.into('t.items', { key: 'id', maxRejects: 10 }) } })
    await run(flow, { database: test.url })
    served = [
      { id: 7, number: 5 },
      { id: 5, number: 8 },
      // Another record than the first one, as the other rows show.
      { id: 5, number: null, was: 2 },
    ]
    await run(flow, { database: test.url })
    expect(await settlements(test.database)).toEqual([undefined, undefined])
  })

  test('with a long key is stored', async () => {
    // Text that cannot be compressed: an entry of an index takes 2,700 bytes.
    const id = Array.from({ length: 100 }, (_, index) => createHash('sha256').update(`${index}`).digest('base64')).join(
      '',
    )
    await using api = await apiServer(() => ({ json: [{ id, name: null }] }))
    await using test = await testDatabase()
    const flow = flowOf(api.origin, { key: 'id' })
    const report = await run(flow, { database: test.url })
    expect(report.streams['items']).toMatchObject({ status: 'done', counts: { rejected: 1 } })
  })

  test('is dropped by hand, alone or with all of its stream', async () => {
    await using api = await apiServer([{ json: [1, 2, 3].map((id) => ({ id, name: null })) }])
    await using test = await testDatabase()
    const flow = flowOf(api.origin, { key: 'id' })
    await run(flow, { database: test.url })
    const [first] = await readRejects(test.database)
    expect(await dropRejects(test.database, { pipeline: 'shop', stream: 'items' }, { ids: [first!.id] })).toEqual([
      first!.id,
    ])
    expect(await dropRejects(test.database, { pipeline: 'other' })).toEqual([])
    expect(await readRejects(test.database)).toHaveLength(2)
    expect(await dropRejects(test.database, { pipeline: 'shop' })).toHaveLength(2)
    expect(await settlements(test.database)).toEqual(['dropped', 'dropped', 'dropped'])
    expect(await replay(flow, { database: test.url })).toBeUndefined()
  })
})
