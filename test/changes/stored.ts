// What is in the table of a seed, with its lists.
import type { Database } from '../../src/database/database.ts'
import { sqlState } from '../../src/database/errors.ts'
import { nameOf, type Line, type State } from './changing-api.ts'
import { keepsHistory, type Scenario } from './scenario.ts'

export interface StoredRow {
  readonly id: number
  readonly name: string
  /** The version in milliseconds; undefined without one. */
  readonly at: number | undefined
  readonly isMarked: boolean
  readonly lines: readonly Line[]
  /** Of a history, in microseconds. `to` is undefined for the current version. */
  readonly from: bigint
  readonly to: bigint | undefined
}

export interface Stored {
  /** In the order of key and beginning. */
  readonly rows: readonly StoredRow[]
  /** Lists of rows that do not exist. */
  readonly orphans: readonly string[]
  /** The rows of the view of a history. */
  readonly current: readonly { readonly id: number; readonly name: string }[]
  /** False until a row was stored. */
  readonly hasTable: boolean
}

interface Row {
  readonly row: {
    readonly id: number
    readonly name: string
    readonly at?: string
    readonly _deleted_at?: string | null
  }
  readonly from: string | null
  readonly to: string | null
}

const microseconds = (time: string): string => `(extract(epoch from (to_jsonb(t) ->> '${time}')::timestamptz) * 1e6)`

export async function readStored(
  database: Database,
  schema: string,
  { isHistory, hasLists }: { readonly isHistory: boolean; readonly hasLists: boolean },
): Promise<Stored> {
  /** A table is made when the first row of it is stored. */
  const read = async <Found extends object>(sql: string): Promise<Found[] | undefined> => {
    try {
      return await database.query<Found>(sql)
    } catch (error) {
      if (sqlState(error) === '42P01') return undefined
      throw error
    }
  }
  const found = await read<Row>(`
    select to_jsonb(t) as row, ${microseconds('_valid_from')}::bigint::text as from,
      ${microseconds('_valid_to')}::bigint::text as to
    from ${schema}.items as t order by id, ${isHistory ? '_valid_from' : 'id'}`)
  const lists = hasLists ? await readLists(read, schema) : new Map<number, Line[]>()
  const rows = (found ?? []).map(({ row: { id, name, at, ...row }, from, to }) => ({
    id,
    name,
    at: at === undefined ? undefined : Date.parse(at),
    isMarked: typeof row._deleted_at === 'string',
    lines: lists.get(id) ?? [],
    from: BigInt(from ?? 0),
    to: to === null ? undefined : BigInt(to),
  }))
  const ids = new Set(rows.map(({ id }) => id))
  return {
    rows,
    orphans: [...lists].flatMap(([id, lines]) => (ids.has(id) ? [] : [`${lines.length} entries of ${id}`])),
    current: isHistory
      ? ((await read<Stored['current'][number]>(`select id::int, name from ${schema}.items_current order by id`)) ?? [])
      : [],
    hasTable: found !== undefined,
  }
}

/**
 * Returns which record of the API has no row. The last reading brings everything back that a mirror has deleted by
 * mistake, so this is asked before it: a reading since the cursor has passed each change, and no reject is left.
 */
export function lostProblem(
  scenario: Scenario,
  { rows, current }: Stored,
  records: readonly State[],
): string | undefined {
  const shown = keepsHistory(scenario) ? current : rows.filter(({ isMarked }) => !isMarked)
  const there = new Set(shown.map(({ id }) => id))
  const lost = records.find(({ id }) => !there.has(id))
  return lost && `before the last reading: the API has ${nameOf(lost)}, and its row is missing`
}

type Read = <Found extends object>(sql: string) => Promise<Found[] | undefined>

async function readLists(read: Read, schema: string): Promise<Map<number, Line[]>> {
  const lines = await read<{ id: number; line: number; sku: string }>(
    `select items_id::int as id, line::int, sku from ${schema}.items_lines order by 1, 2`,
  )
  const tags = await read<{ id: number; line: number; value: string }>(
    `select items_id::int as id, lines_line::int as line, value from ${schema}.items_lines_tags order by 1, 2, _index`,
  )
  const found = new Map<number, Line[]>()
  const left = new Map(Map.groupBy(tags ?? [], ({ id, line }) => `${id}/${line}`))
  for (const { id, line, sku } of lines ?? []) {
    const own = left.get(`${id}/${line}`) ?? []
    left.delete(`${id}/${line}`)
    found.set(id, [...(found.get(id) ?? []), { line, sku, tags: own.map(({ value }) => value) }])
  }
  // Tags whose line is gone are shown as a line of no row.
  for (const { id, line } of [...left.values()].flat())
    found.set(-id, [...(found.get(-id) ?? []), { line, sku: 'gone', tags: [] }])
  return found
}
