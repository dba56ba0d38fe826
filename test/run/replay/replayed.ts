import { http, onePage, pipeline, type Pipeline } from '../../../src/index.ts'
import { readRejects } from '../../../src/ledger/read/read-rejects.ts'
import type { TestDatabase } from '../../support/database.ts'

export interface Item {
  id: number
  name: string
  version?: number
}

export const items = (...names: string[]): Item[] => names.map((name, index) => ({ id: index + 1, name }))

/** The rejects that wait for a replay. */
export const waiting = async ({ database }: TestDatabase): Promise<{ stage: string; reason: string }[]> =>
  (await readRejects(database)).map(({ stage, reason }) => ({ stage, reason }))

/** Records that a map refuses as long as it is broken. */
export function mapped(
  origin: string,
  options: { broken: boolean; write?: 'merge' | 'append'; key?: 'id'; versionBy?: 'version' },
): Pipeline {
  const { broken, write = 'merge', key, versionBy } = options
  const every = http(origin).get<Item[]>('/').pages(onePage()).records()
  const rows = every.map((item) => {
    if (broken && item.name.startsWith('bad')) throw new Error(`no ${item.name}`)
    return { ...item, name: item.name.toUpperCase() }
  })
  return pipeline('replayed', {
    streams: {
      rows: rows.into('t.rows', { write, ...(key && { key }), ...(versionBy && { versionBy }) } as { key: 'id' }),
    },
  })
}
