// An API whose list can be changed between two requests, for the tests of src/source/moving.
import { apiServer, type ApiServer } from '../../support/api-server.ts'

export interface Row {
  readonly id: number
  readonly [name: string]: unknown
}

export interface MovingServer extends AsyncDisposable {
  readonly server: ApiServer
  readonly rows: Row[]
  /** The offsets or pages that were requested, in order. */
  readonly requested: () => number[]
}

/** `after` is called when the answer to the n-th request, counted from 1, has been made. */
export async function movingServer(
  count: number,
  {
    size = 5,
    after = () => {},
    by = 'offset',
    start = by === 'page' ? 1 : 0,
    members = () => ({}),
  }: {
    size?: number
    after?: (request: number, rows: Row[]) => void
    by?: 'offset' | 'page'
    start?: number
    members?: (rows: readonly Row[]) => object
  } = {},
): Promise<MovingServer> {
  const rows: Row[] = Array.from({ length: count }, (_, id) => ({ id }))
  const server = await apiServer(({ query, index }) => {
    const place = Number(query.get(by) ?? start) - start
    const from = by === 'page' ? place * size : place
    const json = { items: rows.slice(from, from + size), ...members(rows) }
    after(index + 1, rows)
    return { json }
  })
  return {
    server,
    rows,
    requested: () => server.requests.map(({ query }) => Number(query.get(by))),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

export const numbers = (length: number): number[] => Array.from({ length }, (_, index) => index)
