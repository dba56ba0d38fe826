import { pipeline, source, type Pipeline, type StatusReport } from '../../../src/index.ts'

export interface Item {
  id: number
  at: string | null
}
export const moment = (n: number): string => new Date(Date.UTC(2024, 0, 1) + n * 60_000).toISOString()

/** Returns a stream whose records a test sets, and a pipeline of it. */
export function adjustableStream(schedule?: Pipeline['schedule']) {
  const now: { items: Item[]; error?: Error } = { items: [] }
  const own = source<Item>(async function* () {
    yield { records: now.items.slice(0, 1), position: 1 }
    if (now.error) throw now.error
    yield { records: now.items.slice(1), position: 2 }
  })
  const rows = own.incremental('at').map((item) => {
    if (item.id < 0) throw new Error('a negative id')
    return item
  })
  return {
    now,
    it: pipeline('shop', {
      ...(schedule !== undefined && { schedule }),
      streams: { rows: rows.into('t.rows', { key: 'id' }) },
    }),
  }
}

export const items = (count: number, from = 0, at = moment): Item[] =>
  Array.from({ length: count }, (_, n) => ({ id: from + n + 1, at: at(from + n) }))

/** The kinds of the findings, with `!` for a fault. */
export const kinds = ({ findings }: StatusReport): string[] =>
  findings.map(({ kind, isFault }) => `${kind}${isFault ? '!' : ''}`)
