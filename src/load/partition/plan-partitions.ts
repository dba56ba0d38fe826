import { quoteIdentifier, quoteLiteral, quoteTable, splitTable } from '../../database/quote.ts'
import { SchemaError } from '../../model/errors.ts'
import type { Table } from '../../model/recipe.ts'
import { dateText } from '../../value/instant.ts'
import { columnName, fitName } from '../shape/column-name.ts'
import type { TableShape } from '../shape/table-shape.ts'
import { periodName, periodOf, type Period } from './period.ts'

/** Each partition is a table with files and locks of its own. A wrong unit of a time would make one for each record. */
const MAX_PARTITIONS = 5_000

/** Returns the end of the statement that creates a table. */
export const divisionSql = ({ partition }: Table): string =>
  partition ? ` partition by range (${quoteIdentifier(columnName(partition.by))})` : ''

/** Returns the statement for the partition of all other rows: those without a time, or with an odd one. */
export const defaultPartitionSql = (table: Table): string =>
  `create table ${partName(table, 'default')} partition of ${quoteTable(table.name)} default`

export interface PlannedPartitions {
  /** What is written behind the table's name, for each new partition. */
  readonly made: readonly string[]
  readonly statements: readonly string[]
}

/**
 * Plans the partitions for some times, in milliseconds since 1970. A time that has one by now needs none.
 *
 * A partition is filled with rows that lie in the default one, and then attached: `create table … partition of` would
 * lock the table for its readers, and would fail at such rows.
 */
export function planPartitions(times: readonly number[], table: Table, shape: TableShape): PlannedPartitions {
  const { partition } = table
  const { partitions } = shape
  const made: string[] = []
  const statements: string[] = []
  if (!partition || !partitions) return { made, statements }
  const periods = [...partitions.periods]
  const column = quoteIdentifier(columnName(partition.by))
  const columns = [...shape.columns.keys()].filter((name) => !shape.generated.has(name))
  const list = columns.map(quoteIdentifier).join(', ')
  for (const ms of times) {
    if (periods.some(({ from, to }) => ms >= from && ms < to)) continue
    if (periods.length >= MAX_PARTITIONS) throw tooMany(table, periods)
    const whole = periodOf(ms, partition.every)
    const period = between(whole, ms, periods)
    const suffix = periodName(period, period.from === whole.from ? partition.every : '1d')
    const name = partName(table, suffix)
    const [from, to] = [boundText(period.from), boundText(period.to)]
    const parent = quoteTable(table.name)
    statements.push(
      `create table ${name} (like ${parent} including defaults including constraints including generated ` +
        'including storage)',
      ...(partitions.rest === undefined
        ? []
        : [
            `with moved as (delete from only ${partitions.rest} where ${column} >= ${from} and ${column} < ${to} ` +
              `returning ${list}) insert into ${name} (${list}) select ${list} from moved`,
          ]),
      `alter table ${parent} attach partition ${name} for values from (${from}) to (${to})`,
    )
    made.push(suffix)
    periods.push(period)
  }
  return { made, statements }
}

/** Returns the part of a period around a time that no partition has: another `every` may have made them before. */
function between(whole: Period, ms: number, periods: readonly Period[]): Period {
  const before = periods.filter(({ to }) => to <= ms).map(({ to }) => to)
  const after = periods.filter(({ from }) => from > ms).map(({ from }) => from)
  return { from: Math.max(whole.from, ...before), to: Math.min(whole.to, ...after) }
}

function partName({ name }: Table, suffix: string): string {
  const { schema, table } = splitTable(name)
  const whole = `${table}_${suffix}`
  return `${quoteIdentifier(schema)}.${quoteIdentifier(fitName(whole, whole))}`
}

/** A column without a zone reads the same text without its offset. */
const boundText = (ms: number): string => quoteLiteral(dateText(new Date(ms)))

function tooMany({ name, partition }: Table, periods: readonly Period[]): SchemaError {
  const ends = periods.flatMap(({ from, to }) => [from, to]).filter((ms) => Number.isFinite(ms))
  const [first, last] = [Math.min(...ends), Math.max(...ends)].map((ms) => new Date(ms).toISOString().slice(0, 10))
  return new SchemaError(
    `${name}: the times of ${partition?.by} need more than ${MAX_PARTITIONS} partitions of ${partition?.every}, from ` +
      `${first} to ${last}. Choose a greater every, or correct the times in a stage such as .map()`,
  )
}
