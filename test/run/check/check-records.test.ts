// `check` looks for what the definition says about records in those of the first page: fields, order, times.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { http, onePage, since, source, type Flow, type Stream } from '../../../src/index.ts'
import { apiServer, type ApiServer } from '../../support/api-server.ts'
import { findingsOf, remarksOf, useDatabase } from './support.ts'

useDatabase()

type Item = Record<string, unknown> & { id: number; at: string }

let api: ApiServer
let records: object[] = []
let requests = 0
beforeAll(async () => {
  api = await apiServer(() => ({ json: records }))
})
afterAll(async () => api[Symbol.asyncDispose]())
beforeEach(() => {
  requests = api.requests.length
})

const items = () => http(api.origin).get<Item[]>('/items').pages(onePage()).records()
const into = (stream: Stream<Item>, options: object = {}): Flow<unknown> =>
  stream.into('t.items', { key: 'id', ...options } as never)

/** Returns the remarks, which cost one request. */
async function remarks(flow: Flow<unknown>): Promise<string[]> {
  const found = await remarksOf(flow)
  expect(api.requests.length - requests).toBe(1)
  return found
}

describe('fields', () => {
  test('a cursor whose field no record has is a problem, with the fields that are there', async () => {
    records = [{ id: 1, updated_at: '2024-01-01' }, { id: 2 }]
    expect(await remarks(into(items().incremental('at')))).toEqual([
      "problem: .incremental('at'): none of 2 records has this field. A record has id, updated_at. " +
        'Correct the name: without it the cursor does not move, and every run reads everything',
    ])
  })

  test('a cursor that is text and does not grow is advice, with the field that is meant', async () => {
    records = [
      { id: 1, at: 'Post 999', created: '2024-01-01', updatedAt: '2024-01-02T00:00:00Z', changedBy: 'me' },
      { id: 2, at: 'Post 1000' },
    ]
    expect(await remarks(into(items().incremental('at')))).toEqual([
      "advice: .incremental('at'): the value is text that is no time and no number ('Post 999'), so it is compared " +
        'as text, by its characters. A record that changes later is read only if its text then is greater than all ' +
        "before. Did you mean 'updatedAt'? It looks like the time of the last change. If the text does grow with " +
        'each change, say so: { grows: true }',
    ])
    expect(await remarksOf(into(items().incremental('at', { grows: true })))).toEqual([])
    expect(() => items().incremental('at', { grows: 'yes' } as never)).toThrow('grows is true or false')
  })

  test.each([
    [
      'ULIDs in any order',
      ['01J5ZC8V7H3T0000000000000B', '01J5ZC8V7H3T0000000000000A', '01J5ZC8V7H3T0000000000000C'],
      true,
    ],
    ['numbers with zeros before them', ['rev-0009', 'rev-0010', 'rev-0011'], true],
    ['hexadecimal counters, the newest first', ['0x00b1', '0x00b0', '0x00b0', '0x00af'], true],
    ['one value with a digit', ['a1'], true],
    ['numbers without zeros', ['rev-9', 'rev-10'], false],
    ['hashes', ['a0f1', 'f1d0', '03cc'], false],
    ['words', ['draft'], false],
    ['titles of one length', ['Post 101', 'Post 102'], false],
  ])('text of a cursor: %s', async (_, values, isQuiet) => {
    records = values.map((at, id) => ({ id, at }))
    const texts = isQuiet ? [] : ['No field of the record looks like the time of its last change']
    const found = await remarks(into(items().incremental('at')))
    expect(found.map((text) => /No field of .* last change/.exec(text)?.[0])).toEqual(texts)
  })

  test('a key that records of one page share is a problem, unless a version says which of them is newer', async () => {
    records = [
      { id: 7, at: '2024-01-01', n: 1 },
      { id: 7, at: '2024-01-02', n: 2 },
      { id: 8, at: '2024-01-03', n: 3 },
      { id: 8, at: '2024-01-03', n: 3 },
    ]
    expect(await remarks(into(items()))).toEqual([
      'problem: t.items: 1 record of a page has the key of another one and differs from it, such as id = 7: only the ' +
        'last of each is stored. Is (id) the whole key? If a list has several versions of a record, give versionBy',
    ])
    requests = api.requests.length
    expect(await remarks(into(items(), { versionBy: 'at' }))).toEqual([])
  })

  test('a key whose field no record has is a problem, with the fields that are there', async () => {
    records = [
      { uid: 1, name: 'a' },
      { uid: 2, name: 'b' },
    ]
    expect(await remarks(into(items()))).toEqual([
      expect.stringMatching(
        /^problem: 2 of 2 records on .* would be rejected: encode: id: .*\(it has uid, name\)\. Did you mean uid\?/,
      ),
    ])
  })

  test('declared columns that no record has are advice, with the fields that are there', async () => {
    records = [{ id: 1, price: 1 }]
    expect(await remarks(into(items(), { columns: { prise: 'numeric', price: 'numeric', x: false } }))).toEqual([
      'advice: none of 1 record of the first page has the declared field prise. A record has id, price. ' +
        'Correct its name in columns, unless other records have it',
    ])
  })

  test('fields that some records have, that are null, or that a stage makes are not missing', async () => {
    records = [
      { id: 1, at: null },
      { id: 2, at: '2024-01-01', sum: 1 },
    ]
    expect(await remarks(into(items().incremental('at'), { columns: { sum: 'int', at: 'date' } }))).toEqual([])
    requests = api.requests.length
    const made = items().map((item) => ({ ...item, made: 1 }))
    expect(await remarks(into(made as never, { columns: { made: 'int' } }))).toEqual([])
  })

  test('a page without records says nothing about fields', async () => {
    records = []
    const flow = into(items().incremental('at', { order: 'ascending' }), { columns: { sum: 'int' } })
    expect(await remarks(flow)).toEqual([])
  })

  test('rows of stages with effects are not looked for', async () => {
    records = [{ uid: 1 }]
    expect(
      await remarks(
        into(
          items().tap(() => {}),
          { columns: { sum: 'int' } },
        ),
      ),
    ).toEqual([])
  })
})

describe('rejects', () => {
  test('records that a stage or the encoder rejects are advice while others are left', async () => {
    records = [
      { id: 1, n: 'x' },
      { id: 2, n: 2 },
    ]
    expect(await remarks(into(items(), { columns: { n: 'bigint' } }))).toEqual([
      expect.stringMatching(/^advice: 1 record of 2 on the first page would be rejected: encode: n: /),
    ])
  })

  test('more of them than the table admits are a problem', async () => {
    records = [
      { id: 1, n: 'x' },
      { id: 2, n: 2 },
    ]
    expect(await remarks(into(items(), { columns: { n: 'bigint' }, maxRejects: 0 }))).toEqual([
      expect.stringMatching(/^problem: 1 of 2 records on the first page would be rejected: encode: n: /),
    ])
  })
})

const at = (...days: number[]): object[] => days.map((day, id) => ({ id, at: `2024-01-0${day}` }))

describe('order', () => {
  test('a page in the opposite order is a problem', async () => {
    records = at(3, 2, 1)
    expect(await remarks(into(items().incremental('at', { order: 'ascending' })))).toEqual([
      "problem: .incremental('at') says order: 'ascending', but the records of the first page are in descending " +
        'order. A reading ends behind its range in this order, so it would miss records. Write order: ' +
        "'descending', or let the API sort by this field",
    ])
  })

  test('a page without an order is a problem, with the two values', async () => {
    records = at(3, 1, 2)
    expect(await remarks(into(items().incremental('at', { order: 'descending' })))).toEqual([
      expect.stringContaining("but '2024-01-01' comes before '2024-01-02' on the first page"),
    ])
  })

  test('equal values, values that are null and order any are no problem', async () => {
    records = [...at(1, 1, 2), { id: 9, at: null }]
    expect(await remarks(into(items().incremental('at', { order: 'ascending' })))).toEqual([])
    requests = api.requests.length
    records = at(3, 1, 2)
    expect(await remarks(into(items().incremental('at')))).toEqual([])
  })
})

describe('times', () => {
  test('times without an offset are advice that names the zone', async () => {
    records = [{ id: 1, at: '2024-01-31 10:00:00' }]
    expect(await remarks(into(items()))).toEqual([
      "advice: at has times without an offset, such as '2024-01-31 10:00:00', so it is stored as text. To store " +
        "times, declare columns: { at: { type: 'timestamptz', zone: 'Europe/Berlin' } }, with the zone of the API",
    ])
  })

  test('a declared timestamptz without a zone is a problem that names the zone', async () => {
    records = [{ id: 1, at: '2024-01-31 10:00:00' }]
    expect(await remarks(into(items(), { columns: { at: 'timestamptz' } }))).toEqual([
      expect.stringMatching(/^problem: the only record on the first page would be rejected: encode: at: .*zone/),
    ])
  })

  test.each([
    [
      ['2024-01-31', '2024-01-31T10:00:00Z'],
      'a day (2024-01-31) and a time with an offset (2024-01-31T10:00:00Z)',
      '.map()',
    ],
    [
      ['2024-01-31T10:00:00', '2024-01-31T10:00:00Z'],
      'a time with an offset (2024-01-31T10:00:00Z) and a time without an offset (2024-01-31T10:00:00)',
      "{ at: { type: 'timestamptz', zone: 'Europe/Berlin' } }",
    ],
    [
      [1706695200, '2024-01-31T10:00:00Z'],
      'a time with an offset (2024-01-31T10:00:00Z) and a number (1706695200)',
      '.map()',
    ],
    [
      ['', '2024-01-31T10:00:00Z'],
      "a time with an offset (2024-01-31T10:00:00Z) and the empty text ''",
      "{ at: { type: 'timestamptz', emptyText: 'null' } }",
    ],
    [['', '2024-01-31'], "a day (2024-01-31) and the empty text ''", "{ at: { type: 'date', emptyText: 'null' } }"],
  ])('times in several formats are advice: %j', async (values, formats, remedy) => {
    records = values.map((at, id) => ({ id, at }))
    const [only, ...others] = await remarks(into(items()))
    expect(others).toEqual([])
    expect(only).toContain(`advice: at has times in several formats: ${formats}, so it is stored as text. `)
    expect(only).toContain(remedy)
  })

  test.each([
    ['times with offsets and fractions', ['2024-01-31T10:00:00Z', '2024-01-31T10:00:00.5+01:00', null]],
    ['days', ['2024-01-31', '2024-02-01']],
    ['numbers', [1706695200, 1706695201.5]],
    ['texts, of which one is a day', ['2024-01-31', 'soon']],
  ])('%s are no remark', async (_, values) => {
    records = values.map((at, id) => ({ id, at }))
    expect(await remarks(into(items()))).toEqual([])
  })

  test('fields that are declared or left out, or whose empty text is null, are no remark', async () => {
    records = [
      { id: 1, a: '2024-01-31 10:00:00', b: '2024-01-31 10:00:00', c: '' },
      { id: 2, c: '2024-01-31' },
    ]
    expect(await remarks(into(items(), { columns: { a: 'timestamp', b: false }, emptyText: 'null' }))).toEqual([])
  })

  test("several formats of the cursor's field are a problem, whatever its column is", async () => {
    records = [
      { id: 1, at: '2024-01-31T10:00:00' },
      { id: 2, at: '2024-01-31T10:00:00+02:00' },
    ]
    const columns = { at: { type: 'timestamptz', zone: 'Europe/Berlin' } }
    expect(await remarks(into(items().incremental('at'), { columns }))).toEqual([
      expect.stringMatching(/^problem: \.incremental\('at'\) has times in several formats: .*returns one format$/),
    ])
  })
})

test('the page is requested as the first run requests it, from startFrom on', async () => {
  records = at(3, 2, 1)
  const list = http(api.origin)
    .get<Item[]>('/items', { since, limit: 3 })
    .pages(onePage())
    .records()
    .incremental('at', { startFrom: '2024-01-02', order: 'descending' })
  // The declared order ends the reading, so a full page is no problem.
  expect(await remarks(into(list))).toEqual([])
  expect(api.requests.at(-1)?.url).toBe('/items?since=2024-01-02&limit=3')
})

test('a custom source is not read', async () => {
  const own = source(async function* () {
    yield { records: [{ id: 1 }] }
  })
  expect(await findingsOf(own.into('t.items', { key: 'nothing' as 'id' }))).toEqual([
    { location: 'p.items', isFault: false, text: 'a custom source, which is not read' },
  ])
})
