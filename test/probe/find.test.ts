import { describe, expect, test } from '@jest/globals'
import { findCursor } from '../../src/probe/find-cursor.ts'
import { findKey } from '../../src/probe/find-key.ts'
import { findLimits } from '../../src/probe/find-limits.ts'
import { findRecords } from '../../src/probe/find-records.ts'
import { readTarget } from '../../src/probe/target.ts'

const list = (count: number, make: (n: number) => object = (n) => ({ id: n })): object[] =>
  Array.from({ length: count }, (_, n) => make(n))

describe('findRecords()', () => {
  test.each([
    ['the body', list(2), ''],
    ['a known name before a longer list', { data: list(3), tags: list(5) }, 'data'],
    ['the longest list', { one: list(2), other: list(9) }, 'other'],
    ['a list below', { response: { docs: list(2), start: 0 } }, 'response.docs'],
    ['an embedded list', { _embedded: { items: list(2) }, _links: { next: { href: '/x' } } }, '_embedded.items'],
    ['no list of links', { data: list(1), links: list(20) }, 'data'],
    ['an empty list with a known name', { items: [], total: 0 }, 'items'],
  ])('finds %s', (_, body, at) => {
    expect(findRecords(body)?.records).toEqual({ shape: 'list', at })
  })

  test('a list of scalars is never one, and an object with an id is one record', () => {
    expect(findRecords({ id: 1, name: 'a', tags: ['a', 'b'] })?.records).toEqual({ shape: 'object', at: '' })
    expect(findRecords(['a', 'b'])).toBeUndefined()
    expect(findRecords('text')).toBeUndefined()
    const order = findRecords({ id: 1, lines: list(3) })
    expect(order).toEqual({ records: { shape: 'object', at: '' }, others: ['lines'] })
  })

  test('JSON:API and rows of values have shapes of their own', () => {
    const resource = { type: 'a', id: '1', attributes: { name: 'a' } }
    expect(findRecords({ data: [resource], included: list(9) })?.records).toEqual({ shape: 'resources', at: 'data' })
    expect(findRecords({ rows: [[1, 'a']], columns: ['id', 'name'] })?.records).toEqual({
      shape: 'rows',
      at: 'rows',
      header: 'columns',
    })
  })
})

describe('findKey()', () => {
  test('an id before other unique fields, and never a field that repeats, is null or is missing', () => {
    expect(
      findKey(
        list(9, (n) => ({ name: `n${n}`, id: n })),
        'orders',
      ),
    ).toEqual({ key: ['id'], questions: [] })
    expect(
      findKey(
        list(9, (n) => ({ order_id: n, customer_id: n })),
        'orders',
      ).key,
    ).toEqual(['order_id'])
    expect(
      findKey(
        list(9, (n) => ({ id: n === 3 ? null : n, uuid: `u${n}` })),
        'orders',
      ).key,
    ).toEqual(['uuid'])
    expect(
      findKey(
        list(9, (n) => ({ ...(n > 0 && { id: n }), code: `c${n}` })),
        'orders',
      ).key,
    ).toEqual(['code'])
  })

  test('what may be unique by chance is asked', () => {
    expect(
      findKey(
        list(9, (n) => ({ customer_id: n })),
        'orders',
      ),
    ).toEqual({
      key: ['customer_id'],
      questions: [
        expect.stringMatching(/'customer_id' was different in 9 records. Does it identify a record for ever/),
      ],
    })
    expect(findKey(list(2), 'orders').questions).toEqual(['Only 2 records were seen: is this key right?'])
    const pairs = list(9, (n) => ({ order_id: n % 3, line_no: Math.floor(n / 3), text: 'a' }))
    expect(findKey(pairs, 'lines')).toMatchObject({ key: ['order_id', 'line_no'], questions: [expect.anything()] })
    // A time or a sum is no key, however unique.
    expect(
      findKey(
        list(9, (n) => ({ at: `2025-01-0${n + 1}`, sum: n })),
        'orders',
      ).key,
    ).toEqual([])
  })
})

const times = (field: string, make: (n: number) => unknown): object[] => list(3, (n) => ({ id: n, [field]: make(n) }))

describe('findCursor()', () => {
  test.each([
    [
      'updated_at',
      (n: number) => `2025-01-0${3 - n}T00:00:00.123Z`,
      'times with an offset, 3 digits of a second',
      'descending',
    ],
    ['lastModified', (n: number) => `2025-01-0${n + 1} 10:00:00`, 'times without an offset', 'ascending'],
    ['modified', (n: number) => 1_735_689_600 + n, 'seconds since 1970', 'ascending'],
    ['changed_on', (n: number) => `2025-01-0${[2, 1, 3][n]}`, 'days', undefined],
  ])('%s: its format and order', (field, make, format, order) => {
    const { format: found, order: inOrder, isCreation } = findCursor(times(field, make))!
    expect([found, inOrder, isCreation]).toEqual([format, order, false])
  })

  test('a field of the creation is none of a change, and other texts are no times', () => {
    expect(findCursor(times('created_at', () => '2025-01-01T00:00:00Z'))?.isCreation).toBe(true)
    expect(findCursor(times('updated_at', () => 'yesterday'))).toBeUndefined()
    expect(findCursor(times('updated_at', () => 'Tue, 01 Jan 2024'))).toBeUndefined()
  })
})

const rate = (headers: Record<string, string>): unknown => findLimits({ headers })?.rate

test('limits of headers become a rate where they name a second, a minute or an hour', () => {
  expect(rate({ 'ratelimit-policy': '"default";q=100;w=60' })).toBe('100/m')
  expect(rate({ 'ratelimit-limit': '100, 100;w=3600' })).toBe('100/h')
  expect(rate({ 'ratelimit-policy': '10;w=7' })).toBeUndefined()
  expect(findLimits({ headers: { 'x-ratelimit-remaining': '59' } })?.text).toBe('x-ratelimit-remaining: 59')
  expect(findLimits({ headers: {} })).toBeUndefined()
})

test.each([
  ['https://api.shop.example/v1/orders', 'https://api.shop.example/v1', '/orders', 'orders', 'shop', {}],
  [
    'https://www.shop.co.uk/wp-json/wp/v2/posts?status=x&page=1',
    'https://www.shop.co.uk/wp-json/wp/v2',
    '/posts',
    'posts',
    'shop',
    { status: 'x' },
  ],
  [
    'http://127.0.0.1:8080/repos/a/b/issues.json',
    'http://127.0.0.1:8080',
    '/repos/a/b/issues.json',
    'issues',
    'issues',
    {},
  ],
  [
    'https://api.example/users/17/?limit=5&offset=20',
    'https://api.example',
    '/users/17/',
    'users',
    'api',
    { limit: '5' },
  ],
  [
    'http://127.0.0.1/api/collections/tasks/records',
    'http://127.0.0.1/api',
    '/collections/tasks/records',
    'tasks',
    'tasks',
    {},
  ],
  ['http://127.0.0.1/orders/17/items', 'http://127.0.0.1', '/orders/17/items', 'items', 'items', {}],
  ['http://127.0.0.1/api/records', 'http://127.0.0.1/api', '/records', 'records', 'records', {}],
])('readTarget(%s)', (url, base, path, stream, name, query) => {
  expect(readTarget(url)).toMatchObject({ base, path, stream, name, query })
})
