// A list in ascending order of a value, for the tests of `bySince()`.
import { bySince, http, since, type Paging } from '../../../src/index.ts'
import type { Incremental } from '../../../src/model/recipe.ts'
import type { Page } from '../../../src/model/page.ts'
import { apiServer, type ApiAnswer, type ApiRequest, type ApiServer } from '../../support/api-server.ts'
import { readPages, recordsOf, type ReadingOptions } from '../read-pages.ts'

export interface Row {
  readonly id: number
  readonly at: string | null
}

/** The time of a minute of 2024. */
export const minute = (count: number): string => new Date(Date.UTC(2024, 0, 1) + count * 60_000).toISOString()

export const rows = (count: number, atOf: (id: number) => string | null = minute): Row[] =>
  Array.from({ length: count }, (_, id) => ({ id, at: atOf(id) }))

/** Returns one page of a list: from `since` on, with `limit`, `offset` and `page`. */
export function pageOf(list: readonly Row[], { query }: ApiRequest, { isExclusive = false } = {}): Row[] {
  const from = query.get('since')
  const size = Number(query.get('limit') ?? 10)
  const skipped = query.has('page') ? (Number(query.get('page')) - 1) * size : Number(query.get('offset') ?? 0)
  const found = list.filter(({ at }) => from === null || (at !== null && (isExclusive ? at > from : at >= from)))
  return found.slice(skipped, skipped + size)
}

export interface SinceListOptions {
  readonly paging?: Paging<never>
  readonly limit?: number | undefined
  readonly incremental?: Omit<Incremental, 'at'> | undefined
}

/** The stream of an API's list. */
export const streamOf = (
  { origin }: ApiServer,
  { paging = bySince(), limit, incremental = {} }: SinceListOptions = {},
) =>
  http(origin, { attempts: 1 })
    .get<{ items: Row[] }>('/items', { since, limit })
    .pages(paging as Paging<unknown>)
    .records('items')
    .incremental('at', incremental as { lookback?: '1s' })

export interface Reading {
  readonly ids: number[]
  readonly pages: readonly Page[]
  /** The query of each request. */
  readonly requested: string[]
  readonly completeness: Page['completeness']
  readonly error?: unknown
}

/** Reads a list by `bySince()`, and returns the error instead of throwing it. */
export async function readSince(
  answer: (request: ApiRequest) => readonly Row[] | ApiAnswer,
  options: SinceListOptions & ReadingOptions = {},
): Promise<Reading> {
  await using server = await apiServer((request) => {
    const given = answer(request)
    return Array.isArray(given) ? { json: { items: given as Row[] } } : (given as ApiAnswer)
  })
  const { paging, limit, incremental, ...reading } = options
  const read: Page[] = []
  const requested = (): string[] => server.requests.map(({ url }) => decodeURIComponent(url.split('?')[1] ?? ''))
  try {
    read.push(...(await readPages(streamOf(server, { ...(paging && { paging }), limit, incremental }), reading)))
  } catch (error) {
    return { ids: idsOf(read), pages: read, requested: requested(), completeness: undefined, error }
  }
  return { ids: idsOf(read), pages: read, requested: requested(), completeness: read.at(-1)?.completeness }
}

export const idsOf = (pages: readonly Page[]): number[] => recordsOf(pages).map((row) => (row as Row).id)
