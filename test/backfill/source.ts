import { byCursor, http, pipeline, since, until, type RunEvent } from '../../src/index.ts'
import type { Query } from '../../src/model/request.ts'
import type { ApiHandler } from '../support/api-server.ts'

export interface Row {
  id: number
  name: string
  updated: string
}

export const hour = 3_600_000
export const start = Date.UTC(2024, 0, 1)
/** `n` hours after the beginning of 2024. */
export const moment = (n: number): string => new Date(start + n * hour).toISOString()

/** A record an hour. */
export const rows = (count: number): Row[] =>
  Array.from({ length: count }, (_, n) => ({ id: n, name: `row ${n}`, updated: moment(n) }))

/**
 * Pages by cursor of what changed in a range, looked up at each request; where the API has no `until`, of what changed
 * since.
 */
export const answering =
  (look: () => readonly Row[], size = 10): ApiHandler =>
  ({ query }) => {
    const [from, to] = [query.get('since'), query.get('until')]
    const fitting = look().filter(
      ({ updated }) =>
        (from === null || Date.parse(updated) >= Date.parse(from)) &&
        (to === null || Date.parse(updated) < Date.parse(to)),
    )
    const at = Number(query.get('after') ?? 0)
    return {
      json: { items: fitting.slice(at, at + size), next: at + size < fitting.length ? String(at + size) : null },
    }
  }

export const source = (origin: string, query: Query = { since, until }) =>
  http(origin)
    .get<{ items: Row[]; next: string | null }>('/rows', query)
    .pages(byCursor('after', 'next'))
    .records('items')

/** One stream `rows` that merges into t.rows. */
export const merging = (origin: string) =>
  pipeline('fill', { streams: { rows: source(origin).incremental('updated').into('t.rows', { key: 'id' }) } })

export const february = { from: '2024-01-01', to: '2024-02-01', window: '1d' } as const

export function heard(): {
  events: RunEvent[]
  on: (event: RunEvent) => void
  of: <Type extends RunEvent['type']>(type: Type) => Extract<RunEvent, { type: Type }>[]
} {
  const events: RunEvent[] = []
  return {
    events,
    on: (event) => events.push(event),
    of: (type) => events.filter((event) => event.type === type) as never,
  }
}
