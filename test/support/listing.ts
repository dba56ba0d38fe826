import { http, onePage, pipeline, type Flow } from '../../src/index.ts'
import { apiServer } from './api-server.ts'
import type { TestDatabase } from './database.ts'

export interface Item {
  readonly id: number
  readonly name?: string | null
  readonly at?: string
  readonly gone?: boolean
}

/** Returns a pipeline of one stream. */
export const one = (items: Flow<unknown>) => pipeline('p', { streams: { items } })

/** Returns rows of the table `t.items` as lists of values. */
export async function rowsOf({ database }: TestDatabase, columns = 'id::int, name'): Promise<unknown[]> {
  return (await database.query(`select ${columns} from t.items order by id`)).map((row) => Object.values(row))
}

/** An API whose list is what the test says. */
export async function listing(first: readonly unknown[]) {
  const state = { list: first }
  const api = await apiServer(() => ({ json: state.list }))
  const items = http(api.origin).get<Item[]>('/items').pages(onePage()).records()
  return Object.assign(state, { items, [Symbol.asyncDispose]: async () => api[Symbol.asyncDispose]() })
}
