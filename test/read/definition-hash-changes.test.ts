import { describe, expect, test } from '@jest/globals'
import {
  bearer,
  byLinkHeader,
  byPage,
  http,
  onePage,
  path,
  secret,
  since,
  source,
  unix,
  type Stream,
} from '../../src/index.ts'
import { definitionHash } from '../../src/read/definition-hash.ts'

interface Row {
  id: string
  at: string
  name: string | null
  n: number
}
const rows = source<Row>(async function* () {
  yield { records: [] }
})
const api = http('https://api.example/v1')

const listing = (base = 'https://api.example', options = {}, limit = 100, bound = unix(since)) =>
  http(base, options).get<Row[]>('/rows', { limit, since: bound }).pages(byLinkHeader()).records()
const hash = ({ recipe }: Stream<unknown>): string => definitionHash(recipe)
const child = (row: Row): Stream<Row> =>
  api
    .get<Row[]>(path`/rows/${row.id}`)
    .pages(onePage())
    .records()

const exported = (
  options: { every?: '1s'; longest?: '1h'; retries?: number; state?: 'state' | 'status' } = {},
  at = 'url',
) =>
  api
    .post<{ id: string }>('/jobs', { json: { since } })
    .job<{ state: string; status: string; url: string; other: string }>({
      id: 'id',
      poll: (id) => api.get<{ state: string; status: string; url: string; other: string }>(path`/jobs/${id}`),
      state: 'state',
      done: 'done',
      ...options,
    })
    .download<Row>(at as 'url' | 'other')

describe('the hash of a definition', () => {
  test('has what the results of a job depend on, and not how they are waited for', () => {
    const known = hash(exported())
    expect(hash(exported({ every: '1s', longest: '1h', retries: 5 }))).toBe(known)
    expect(hash(exported({ state: 'status' }))).not.toBe(known)
    expect(hash(exported({}, 'other'))).not.toBe(known)
    expect(hash(api.post<Row[]>('/jobs', { json: { since } }).pages(onePage()).records())).not.toBe(known)
  })

  test('stays the same while a stored position fits', () => {
    const known = hash(listing())
    expect(
      hash(
        listing('https://api.example', {
          auth: bearer(secret('OTHER')),
          rate: '5/s',
          concurrency: 2,
          headers: { 'x-trace': '1' },
        }),
      ),
    ).toBe(known)
    expect(hash(listing().map((row) => row.id))).toBe(known)
    expect(hash(listing().flatMap(child, { concurrency: 2 }))).toBe(
      hash(
        listing()
          .flatMap(child, { concurrency: 9 })
          .filter(({ n }) => n > 0),
      ),
    )
  })

  test('differs for definitions that read other records', () => {
    const all = [
      listing(),
      listing('https://other.example'),
      listing(undefined, {}, 50),
      listing(undefined, {}, 100, since),
      listing().incremental('at'),
      listing().incremental('at', { lookback: '1d' }),
      listing().incremental('n'),
      listing().incremental((row) => row.at),
      api
        .get<Row[]>('/rows', { limit: 100, since: unix(since) })
        .pages(byPage('page'))
        .records(),
      listing().flatMap(child),
      listing()
        .filter(({ n }) => n > 1)
        .flatMap(child),
      listing().flatMap((row) => child(row)),
      rows,
      source<Row>(async function* () {
        yield { records: [{} as Row] }
      }),
    ].map(hash)
    expect(new Set(all).size).toBe(all.length)
  })

  test('of a mirror has all that decides which keys are read', () => {
    const flows = [
      listing().into('t.rows', { key: 'id', mirror: true }),
      listing()
        .filter(({ n }) => n > 0)
        .into('t.rows', { key: 'id', mirror: true }),
      listing().into('t.rows', { key: 'at', mirror: true }),
      listing(undefined, { responseRules: [{ status: 404, action: 'empty' }] }).into('t.rows', {
        key: 'id',
        mirror: true,
      }),
    ]
    const all = flows.map(({ recipe, table }) => definitionHash(recipe, table))
    expect(new Set(all).size).toBe(all.length)
  })

  test('depends on every digit of a bigint', () => {
    expect(hash(rows.incremental('n', { startFrom: 9007199254740993n }))).not.toBe(
      hash(rows.incremental('n', { startFrom: 9007199254740992n })),
    )
  })
})
