import { http, onePage, pipeline } from '../src/index.ts'

const { BODIES_API = 'http://127.0.0.1:1', BODIES_FORMAT = 'json' } = process.env

interface Row {
  readonly id: number | string
  readonly serial: number | string
  readonly at: string
  readonly price: number | string
  readonly text: string
}
interface Element extends Omit<Row, 'id'> {
  readonly '@id': string
}

const api = http(BODIES_API)
const rows = () => {
  switch (BODIES_FORMAT) {
    case 'json':
      return api.get<{ items: Row[] }>('/json').pages(onePage()).records('items')
    case 'xml':
      return api
        .get<{ export: { items: { item: Element[] } } }>('/xml')
        .pages(onePage())
        .records('export.items.item')
        .rename('@id', 'id')
    default:
      return api.get<Row[]>(`/${BODIES_FORMAT}`).pages(onePage()).records()
  }
}
const columns = { id: 'bigint', serial: 'bigint', at: 'timestamptz', price: 'numeric' } as const

// Nothing but the position inside the body keeps a row from coming twice.
export default pipeline('bodies', {
  streams: { rows: rows().into('bodies.rows', { write: 'append', columns, maxRejects: 0 }) },
})
