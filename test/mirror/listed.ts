import { pipeline, source, type Flow, type OwnCompleteness } from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { testDatabase } from '../support/database.ts'

export interface Item {
  readonly id: number
  readonly name?: unknown
}

/** Returns records whose keys follow each other. */
export const numbered = (count: number, from = 1): Item[] =>
  Array.from({ length: count }, (_, index) => ({ id: from + index, name: `item ${from + index}` }))

export const ids = (items: readonly Item[]): number[] => items.map(({ id }) => id)

/** A list of one page that a test changes, and what its reading says of itself. */
export function listed(first: readonly Item[]) {
  const state = { list: first, complete: 'ended' as OwnCompleteness, reads: 0 }
  const items = source<Item>(async function* () {
    state.reads++
    yield { records: state.list, complete: state.complete }
  })
  return Object.assign(state, { items })
}

/** A database in which each test has a table and a pipeline of its own. */
export async function mirrorDatabase() {
  const target = await testDatabase()
  const { database } = target
  return {
    ...target,
    query: (sql: string) => database.query(sql),
    /** Runs a pipeline of one stream, and returns its report. */
    sync: async (flow: Flow<unknown>, name: string, options: Parameters<typeof runPipeline>[1] = {}) => {
      const report = await runPipeline(pipeline(name, { streams: { items: flow } }), {
        database: target.url,
        ...options,
      })
      return report.streams.items
    },
    idsOf: async (table: string, condition = 'true'): Promise<number[]> =>
      (await database.query<{ id: number }>(`select id::int from ${table} where ${condition} order by id`)).map(
        ({ id }) => id,
      ),
  }
}

export type MirrorDatabase = Awaited<ReturnType<typeof mirrorDatabase>>
