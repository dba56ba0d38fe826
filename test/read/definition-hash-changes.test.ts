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

describe('the hash of a definition', () => {
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

  test('depends on every digit of a bigint', () => {
    expect(hash(rows.incremental('n', { startFrom: 9007199254740993n }))).not.toBe(
      hash(rows.incremental('n', { startFrom: 9007199254740992n })),
    )
  })
})
