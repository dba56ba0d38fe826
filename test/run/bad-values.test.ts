import { describe, expect, test } from '@jest/globals'
import { http, onePage, pipeline, run, type Stream, type TableOptions } from '../../src/index.ts'
import { readRejects } from '../../src/ledger/read/read-rejects.ts'
import { replay } from '../../src/run/replay/replay.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'

interface Item {
  readonly id: number
  readonly v?: unknown
}

const items = (origin: string): Stream<Item> =>
  http(origin, { attempts: 1 }).get<{ items: Item[] }>('/items').pages(onePage()).records('items')

const flow = (stream: Stream<Item>, options: Partial<TableOptions<Item, 'merge'>> = {}) =>
  pipeline('cases', { streams: { items: stream.into('t.items', { key: 'id', ...options }) } })

/** The types admit no such column, since they do not know the values. */
const asFloat = { columns: { v: 'float8' } } as unknown as Partial<TableOptions<Item, 'merge'>>

const valuesIn = ({ database }: TestDatabase) =>
  database.query<{ id: number; v: unknown }>('select id::int, v::text from t.items order by id')

const rejectsIn = async ({ database }: TestDatabase): Promise<[stage: string, reason: string, record: string][]> =>
  (await readRejects(database)).map(({ stage, reason, record }) => [stage, reason, record])

const withByte = (byte: number, before: string, behind: string): Buffer =>
  Buffer.concat([Buffer.from(before), Buffer.from([byte]), Buffer.from(behind)])

/** Reads one body into a new table, and returns what came of it. */
async function readBody(
  body: string | Uint8Array,
  options: Partial<TableOptions<Item, 'merge'>> = {},
  change: (stream: Stream<Item>) => Stream<Item> = (stream) => stream,
) {
  await using api = await apiServer([{ body, headers: { 'content-type': 'application/json' } }])
  await using store = await testDatabase()
  const { items: report } = (
    await run(flow(change(items(api.origin)), options), { database: store.url, throwOnFailure: false })
  ).streams
  const isStored = report.status === 'done'
  return { report, rows: isStored ? await valuesIn(store) : [], rejects: await rejectsIn(store) }
}

const NAN = '{"items":[{"id":1,"v":1.5},{"id":2,"v":NaN},{"id":3,"v":-Infinity},{"id":4,"v":"NaN"}]}'

describe('numbers that JSON does not know', () => {
  test('reject their records only, with a reason that names the field and what would admit it', async () => {
    const { report, rows, rejects } = await readBody(NAN)
    expect(report).toMatchObject({ status: 'done', counts: { fetched: 4, inserted: 2, rejected: 2 } })
    expect(rows).toEqual([
      { id: 1, v: '1.5' },
      { id: 4, v: 'NaN' },
    ])
    const remedy = 'Correct it in a stage such as .map()'
    expect(rejects.map(([stage, reason]) => [stage, reason])).toEqual([
      ['encode', `v: only a column of type double precision can hold NaN. ${remedy}`],
      ['encode', `v: only a column of type double precision can hold -Infinity. ${remedy}`],
    ])
  })

  test('are stored by a column of type double precision', async () => {
    const { rows, rejects } = await readBody('{"items":[{"id":1,"v":NaN},{"id":2,"v":Infinity}]}', asFloat)
    expect([rows, rejects]).toEqual([
      [
        { id: 1, v: 'NaN' },
        { id: 2, v: 'Infinity' },
      ],
      [],
    ])
  })

  test('can be corrected by a stage, or left out', async () => {
    const body = '{"items":[{"id":1,"v":1.5},{"id":2,"v":NaN}]}'
    const corrected = await readBody(body, {}, (stream) =>
      stream.map((item) => ({ ...item, v: Number.isNaN(item.v) ? null : item.v })),
    )
    expect([corrected.rows.length, corrected.rejects]).toEqual([2, []])
    const without = await readBody(body, {}, (stream) => stream.map(({ id }) => ({ id, v: 0 })))
    expect([without.rows.length, without.rejects]).toEqual([2, []])
  })

  test('are found in a body that is parsed in parts, also inside jsonb', async () => {
    const list = Array.from({ length: 3_000 }, (_, id) => `{"id":${id},"name":"${'x'.repeat(60)}","v":{"w":[${id}]}}`)
    list[7] = '{"id":7,"name":"x","v":{"w":[NaN]}}'
    list[2_500] = '{"id":2500,"name":"x","v":{"w":[Infinity]}}'
    const { report, rejects } = await readBody(`{"items":[${list.join(',')}],"more":false}`)
    expect(report.counts).toMatchObject({ fetched: 3_000, inserted: 2_998, rejected: 2 })
    expect(rejects.map(([, reason]) => reason)).toEqual([
      'v: it holds NaN, which JSON does not know. Correct it in a stage such as .map()',
      'v: it holds Infinity, which JSON does not know. Correct it in a stage such as .map()',
    ])
  })

  test('fail the stream if they are not in a record', async () => {
    const { report } = await readBody('{"items":[{"id":1,"v":1}],"total":NaN}')
    expect(report.error).toBe(
      'GET /items answered 200 with JSON that is not valid: total holds NaN, which JSON does not know [DECODE]',
    )
  })

  test('are replayed as they came, after a stage has been corrected', async () => {
    await using api = await apiServer([{ body: '{"items":[{"id":1,"v":1.5},{"id":2,"v":NaN}]}' }])
    await using store = await testDatabase()
    await run(flow(items(api.origin)), { database: store.url })
    expect((await rejectsIn(store)).map(([, , record]) => record)).toEqual(['{"not JSON":"{\\"id\\":2,\\"v\\":NaN}"}'])

    // Without a change the reject stays what it was, and the column does not become text.
    await replay(flow(items(api.origin)), { database: store.url })
    expect((await rejectsIn(store)).map(([, , record]) => record)).toEqual(['{"not JSON":"{\\"id\\":2,\\"v\\":NaN}"}'])
    const type = `select data_type from information_schema.columns where table_name = 'items' and column_name = 'v'`
    expect(await store.database.query(type)).toEqual([{ data_type: 'numeric' }])

    const corrected = items(api.origin).map((item) => ({ ...item, v: Number.isNaN(item.v) ? 0 : item.v }))
    await replay(flow(corrected), { database: store.url })
    expect(await valuesIn(store)).toEqual([
      { id: 1, v: '1.5' },
      { id: 2, v: '0' },
    ])
    expect(await rejectsIn(store)).toEqual([])
  })

  test('settle their reject when the record comes with a right value', async () => {
    let body = '{"items":[{"id":1,"v":1.5},{"id":2,"v":NaN}]}'
    await using api = await apiServer(() => ({ body }))
    await using store = await testDatabase()
    await run(flow(items(api.origin)), { database: store.url })
    expect(await rejectsIn(store)).toHaveLength(1)
    body = '{"items":[{"id":2,"v":2.5}]}'
    await run(flow(items(api.origin)), { database: store.url })
    expect(await rejectsIn(store)).toEqual([])
  })
})

test('numbers beyond the doubles are stored with every digit, or reject their record', async () => {
  const body = '{"items":[{"id":1,"v":1e400},{"id":2,"v":1e-400},{"id":3,"v":1}]}'
  const { rows, rejects } = await readBody(body)
  expect(rows.map(({ v }) => String(v).length)).toEqual([401, 402, 1])
  expect(rejects).toEqual([])
  const declared = await readBody(body, asFloat)
  expect(declared.rows).toEqual([{ id: 3, v: '1' }])
  expect(declared.rejects.map(([, reason]) => reason)).toEqual([
    expect.stringContaining('v: 1e400 is out of range of double precision'),
    expect.stringContaining('v: 1e-400 does not fit double precision'),
  ])
})

test('a NUL in the name of a field does not fail the stream', async () => {
  const { report, rows } = await readBody(String.raw`{"items":[{"id":1,"v":"a","\u0000name":"b"}]}`)
  expect(report).toMatchObject({ status: 'done', counts: { inserted: 1 } })
  expect(rows).toEqual([{ id: 1, v: 'a' }])
})

test('numbers that no double holds reject their records only where the column is a declared integer', async () => {
  const body = '{"items":[{"id":1,"v":-70089435178.299782},{"id":2,"v":9007199254740993},{"id":3,"v":5}]}'
  const asInteger = { columns: { v: 'integer' } } as unknown as Partial<TableOptions<Item, 'merge'>>
  const { report, rows, rejects } = await readBody(body, asInteger)
  expect(report).toMatchObject({ status: 'done', counts: { inserted: 1, rejected: 2 } })
  expect(rows).toEqual([{ id: 3, v: '5' }])
  expect(rejects.map(([, reason]) => reason)).toEqual([
    expect.stringContaining('v: -70089435178.299782 does not fit integer'),
    expect.stringContaining('v: 9007199254740993 is out of range of integer'),
  ])
})

describe('a byte that is not UTF-8', () => {
  test('rejects its record only, and the reason names it', async () => {
    const { report, rows, rejects } = await readBody(
      withByte(0xff, '{"items":[{"id":1,"v":"a"},{"id":2,"v":"b', '"},{"id":3,"v":"ü😀"}]}'),
    )
    expect(report).toMatchObject({ status: 'done', counts: { fetched: 3, inserted: 2, rejected: 1 } })
    expect(rows).toEqual([
      { id: 1, v: 'a' },
      { id: 3, v: 'ü😀' },
    ])
    expect(rejects).toEqual([
      [
        'encode',
        'v: it holds the byte 0xff, which is not UTF-8. Correct it in a stage such as .map()',
        '{"id":2,"v":"b\\udcff"}',
      ],
    ])
  })

  test('can be replaced by a stage', async () => {
    const { rows, rejects } = await readBody(withByte(0xff, '{"items":[{"id":1,"v":"b', '"}]}'), {}, (stream) =>
      stream.map((item) => ({ ...item, v: String(item.v).toWellFormed() })),
    )
    expect([rows, rejects]).toEqual([[{ id: 1, v: 'b\ufffd' }], []])
  })

  test('makes no column if it is in the name of a field', async () => {
    const { report, rows, rejects } = await readBody(
      withByte(0xe9, '{"items":[{"id":1,"v":"a"},{"id":2,"v":"b","n', '":1}]}'),
    )
    expect(report).toMatchObject({ status: 'done', counts: { inserted: 1, rejected: 1 } })
    expect(rows).toEqual([{ id: 1, v: 'a' }])
    expect(rejects.map(([, reason]) => reason)).toEqual([
      'n\ufffd: as the name of a field, it holds the byte 0xe9, which is not UTF-8. ' +
        'Correct it in a stage such as .map()',
    ])
  })

  test('does not write to the column of a similar name if it is in the name of a field', async () => {
    const { report, rows, rejects } = await readBody(
      withByte(0xe9, '{"items":[{"id":1,"v":"a","n_":"x"},{"id":2,"v":"b","n', '":1}]}'),
    )
    expect([report.status, rows, rejects.length]).toEqual(['done', [{ id: 1, v: 'a' }], 1])
  })

  test('in jsonb rejects its record', async () => {
    const { rejects } = await readBody(withByte(0x80, '{"items":[{"id":1,"v":{"w":"', '"}},{"id":2,"v":{}}]}'))
    expect(rejects.map(([, reason]) => reason)).toEqual([
      'v: it holds the byte 0x80, which is not UTF-8. Correct it in a stage such as .map()',
    ])
  })

  test('fails the stream if it is not in a record', async () => {
    const { report } = await readBody(withByte(0xff, '{"items":[{"id":1}],"note":"', '"}'))
    expect(report.error).toContain('bytes that are not UTF-8 (application/json), as JSON must be: note holds the byte')
  })

  test('does not become the cursor', async () => {
    await using api = await apiServer([
      { body: withByte(0xff, '{"items":[{"id":1,"v":"a"},{"id":2,"v":"z', '"},{"id":3,"v":"b"}]}') },
    ])
    await using store = await testDatabase()
    const stream = http(api.origin).get<{ items: { id: number; v: string }[] }>('/items').pages(onePage())
    const cases = pipeline('cases', {
      streams: { items: stream.records('items').incremental('v').into('t.items', { key: 'id' }) },
    })
    expect((await run(cases, { database: store.url })).streams.items.cursor).toBe('b')
  })
})

const lists = (levels: number, inner: string): string => '['.repeat(levels) + inner + ']'.repeat(levels)

describe('values that are nested too deeply', () => {
  const bodies = [
    ['1,001 levels', 1_001, '1'],
    ['100,000 levels', 100_000, '1'],
    ['1,001 levels with a number that is no double', 1_001, '12345678901234567890'],
    ['100,000 levels with such a number', 100_000, '12345678901234567890'],
  ] as const

  test.each(bodies)('reject their record alone: %s', async (_, levels, inner) => {
    const deep = `{"id":2,"v":${lists(levels, inner)}}`
    const { report, rows, rejects } = await readBody(
      `{"items":[{"id":1,"v":[1]},${deep},{"id":3,"v":${lists(900, '1')}}]}`,
    )
    expect(report).toMatchObject({ status: 'done', counts: { fetched: 3, inserted: 2, rejected: 1 } })
    expect(rows).toEqual([
      { id: 1, v: '[1]' },
      { id: 3, v: lists(900, '1') },
    ])
    expect(rejects).toEqual([
      [expect.any(String), expect.stringContaining('is nested more than 1,000 levels deep'), expect.anything()],
    ])
  })

  test('are not stored without their inner part by a replay of their reject', async () => {
    const body = `{"items":[{"id":1,"v":[1]},{"id":2,"v":${lists(1_001, '1')}}]}`
    await using api = await apiServer([{ body }])
    await using store = await testDatabase()
    await run(flow(items(api.origin)), { database: store.url })
    await replay(flow(items(api.origin)), { database: store.url })
    expect(await valuesIn(store)).toEqual([{ id: 1, v: '[1]' }])
    expect(await rejectsIn(store)).toHaveLength(1)
  })

  test('lead a function to the next page by the id that is known', async () => {
    const deep = `{"id":2,"v":${lists(1_001, '12345678901234567890')}}`
    await using api = await apiServer(({ query }) => ({
      body: query.has('after') ? '{"items":[{"id":3,"v":[3]}]}' : `{"items":[{"id":1,"v":[1]},${deep}]}`,
      headers: { 'content-type': 'application/json' },
    }))
    await using store = await testDatabase()
    const paged = http(api.origin, { attempts: 1 })
      .get<{ items: Item[] }>('/items')
      .pages(({ records }, request) => {
        const id = (records.at(-1) as Item | undefined)?.id
        return id === undefined || id === 3 ? undefined : { ...request, query: { after: String(id) } }
      })
      .records('items')
    await run(flow(paged), { database: store.url, throwOnFailure: false })
    expect((await valuesIn(store)).map(({ id }) => id)).toEqual([1, 3])
  })

  test('reject the lines of a file alone', async () => {
    const deep = `{"id":2,"v":${lists(100_000, '12345678901234567890')}}`
    await using api = await apiServer([
      { body: `{"id":1,"v":[1]}\n${deep}\n{"id":3,"v":[3]}\n`, headers: { 'content-type': 'application/x-ndjson' } },
    ])
    await using store = await testDatabase()
    const lines = http(api.origin, { attempts: 1 }).get<Item[]>('/items').pages(onePage()).records()
    const { items: report } = (await run(flow(lines), { database: store.url, throwOnFailure: false })).streams
    expect(report).toMatchObject({ status: 'done', counts: { fetched: 3, inserted: 2, rejected: 1 } })
  })
})
