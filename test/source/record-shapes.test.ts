import { describe, expect, test } from '@jest/globals'
import { fromIncluded, fromLists, fromMembers, fromResources, fromRows, http, onePage } from '../../src/index.ts'
import { apiServer } from '../support/api-server.ts'
import { readPages, recordsOf } from './read-pages.ts'

describe('records that are made of a body', () => {
  test.each<[string, ReturnType<typeof fromRows>, unknown, unknown]>([
    [
      'rows with a header row',
      fromRows('values'),
      { values: [['id', 'n'], [1, 'a'], [2]] },
      [{ id: 1, n: 'a' }, { id: 2 }],
    ],
    [
      'rows with names elsewhere',
      fromRows('rows', { header: 'meta.columns' }),
      { meta: { columns: [{ name: 'id' }, 'n'] }, rows: [[1, 2]] },
      [{ id: 1, n: 2 }],
    ],
    ['rows with names of the pipeline', fromRows('', { header: ['id'] }), [[1], [2]], [{ id: 1 }, { id: 2 }]],
    [
      'rows of several lists, each with names of its own',
      fromRows('rows', { lists: { dims: 'dimHeaders', nums: 'meta.numHeaders' }, value: 'value' }),
      {
        dimHeaders: [{ name: 'day' }, { name: 'source' }],
        meta: { numHeaders: [{ name: 'users', type: 'INTEGER' }] },
        rows: [{ dims: [{ value: '20260131' }, { value: 'a' }], nums: [{ value: '5' }] }],
      },
      [{ day: '20260131', source: 'a', users: '5' }],
    ],
    ['no rows of several lists', fromRows('rows', { lists: { a: 'names' } }), { rows: [] }, []],
    ['no rows', fromRows('values'), { values: [] }, []],
    [
      'members',
      fromMembers('items', { key: 'sku' }),
      { items: { a1: { n: 1 }, b2: { n: 2, sku: 'b2' } } },
      [
        { n: 1, sku: 'a1' },
        { n: 2, sku: 'b2' },
      ],
    ],
    [
      'members that are no objects',
      fromMembers('rates', { key: 'currency' }),
      { rates: { EUR: 1, USD: 1.1 } },
      [
        { currency: 'EUR', value: 1 },
        { currency: 'USD', value: 1.1 },
      ],
    ],
    [
      'all lists at a path that leads through lists, null being none',
      fromLists('batches.groups.orders'),
      {
        batches: [
          { groups: [{ orders: [{ id: 1 }, { id: 2 }] }, { orders: null }] },
          { groups: { orders: [{ id: 3 }] } },
        ],
      },
      [{ id: 1 }, { id: 2 }, { id: 3 }],
    ],
    ['no lists', fromLists('batches.orders'), { batches: [] }, []],
  ])('%s', async (_, shape, body, records) => {
    await using server = await apiServer([{ json: body }])
    const flow = http(server.origin).get<unknown>('/x').pages(onePage()).records(shape)
    expect(recordsOf(await readPages(flow))).toEqual(records)
  })

  test('a list that is missing in one element is an error, unless it may be', async () => {
    const body = { batches: [{ orders: [{ id: 1 }] }, { orders_: [{ id: 2 }] }, { orders: [{ id: 3 }] }] }
    await using server = await apiServer(() => ({ json: body }))
    const pages = http(server.origin).get<unknown>('/x').pages(onePage())
    await expect(readPages(pages.records(fromLists('batches.orders')))).rejects.toThrow(
      "fromLists(): 'batches.orders' is missing in the body, or in an element of a list on the way",
    )
    await expect(readPages(pages.records(fromLists('batches.orders.id'), { optional: true }))).rejects.toThrow(
      "'batches.orders.id' holds a number where a list was expected",
    )
    const read = await readPages(pages.records(fromLists('batches.orders'), { optional: true }))
    expect(recordsOf(read)).toEqual([{ id: 1 }, { id: 3 }])
  })

  test('a row with more values than names, and a member with another key of its own, are rejects', async () => {
    await using server = await apiServer([{ json: { values: [['id'], [1], [2, 3], 4], items: { a: { id: 'b' } } } }])
    const pages = http(server.origin).get<unknown>('/x').pages(onePage())
    const [rows] = await readPages(pages.records(fromRows('values')))
    expect(rows?.rejects.map(({ reason }) => reason)).toEqual([
      'row 2 has 2 values where 1 columns have names',
      'row 3 is a number, not a list',
    ])
    const [members] = await readPages(pages.records(fromMembers('items', { key: 'id' })))
    expect(members?.rejects.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^the member "a" has a field "id" of its own/),
    ])
  })

  test('a row of several lists with too few values, or a cell without its value, is a reject', async () => {
    const names = ['x', 'y']
    const rows = [{ a: [1, 2] }, { a: [1] }, { b: [] }, 5]
    await using server = await apiServer([
      { json: { names, rows } },
      { json: { names, rows: [{ a: [{ v: 1 }, { w: 2 }] }] } },
    ])
    const pages = http(server.origin).get<unknown>('/x').pages(onePage())
    const [page] = await readPages(pages.records(fromRows('rows', { lists: { a: 'names' } })))
    expect(page?.records).toEqual([{ x: 1, y: 2 }])
    expect(page?.rejects.map(({ reason }) => reason)).toEqual([
      'row 2 has 1 value in a, where 2 columns have names',
      'row 3 has no list in a, where 2 columns have names',
      'row 4 is a number, not an object of lists',
    ])
    const [cells] = await readPages(pages.records(fromRows('rows', { lists: { a: 'names' }, value: 'v' })))
    expect(cells?.rejects.map(({ reason }) => reason)).toEqual(["row 1: the cell of y has no member 'v'"])
    expect(() => fromRows('rows', { header: 'a', lists: { a: 'b' } })).toThrow(/give header or lists, not both/)
    expect(() => fromRows('rows', { lists: {} })).toThrow(/lists names the lists of a row/)
    expect(() => fromRows('rows', { list: 'a' } as never)).toThrow(/there is no option "list"/)
  })

  test('a missing place is an error, and null an empty page', async () => {
    await using server = await apiServer([{ json: { values: null } }])
    const pages = http(server.origin).get<unknown>('/x').pages(onePage())
    expect(recordsOf(await readPages(pages.records(fromRows('values'))))).toEqual([])
    await expect(readPages(pages.records(fromRows('rows')))).rejects.toThrow("the body has no 'rows', only values")
  })

  test('the resources of JSON:API are flat, with what they are related to, which is a stream too', async () => {
    const document = {
      data: [
        {
          type: 'articles',
          id: '1',
          attributes: { title: 'A' },
          relationships: {
            author: { data: { type: 'people', id: '9' } },
            tags: { data: [{ type: 'tags', id: '5' }] },
            editor: { data: null },
            comments: { links: { related: '/articles/1/comments' } },
          },
          links: { self: '/articles/1' },
        },
      ],
      included: [
        {
          type: 'people',
          id: '9',
          attributes: { name: 'Ada' },
          relationships: { boss: { data: { type: 'people', id: '9' } } },
        },
        { type: 'other', id: '1' },
      ],
    }
    await using server = await apiServer([{ json: document }])
    const pages = http(server.origin).get<unknown>('/articles').pages(onePage())
    const ada = { type: 'people', id: '9', name: 'Ada', boss: { type: 'people', id: '9' } }
    expect(recordsOf(await readPages(pages.records(fromResources())))).toEqual([
      { type: 'articles', id: '1', title: 'A', author: ada, tags: [{ type: 'tags', id: '5' }], editor: null },
    ])
    expect(recordsOf(await readPages(pages.records(fromIncluded('people'))))).toEqual([ada])
  })
})
