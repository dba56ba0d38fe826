import { byCursor, http, pipeline, since, until, type Pipeline } from '../../src/index.ts'
import type { ApiHandler } from '../support/api-server.ts'

/** An API of two pages of one record each, whose cursor has another name while `isRenamed`. */
export function renamedCursor(): { isRenamed: boolean; readonly handler: ApiHandler } {
  const api: ReturnType<typeof renamedCursor> = {
    isRenamed: true,
    handler: ({ query }) => {
      const isSecond = query.get('cursor') === '2'
      const at = query.get('from') ?? '2024-01-01T00:00:00Z'
      const rows = [{ id: `${at} ${isSecond ? 2 : 1}`, at }]
      return { json: { rows, [api.isRenamed ? 'next_cursor' : 'next']: isSecond ? null : '2' } }
    },
  }
  return api
}

/** A pipeline of that API, with a stream `shop.rows`. */
export const pagedByCursor = (origin: string): Pipeline =>
  pipeline('shop', {
    streams: {
      rows: http(origin, { attempts: 1 })
        .get<{ rows: { id: string; at: string }[]; next: string | null }>('/rows', { from: since, to: until })
        .pages(byCursor('cursor', 'next'))
        .records('rows')
        .incremental('at')
        .into('t.rows', { key: 'id' }),
    },
  })
