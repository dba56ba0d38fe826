import { quoteIdentifier, quoteTable } from '../../database/quote.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import { systemColumns } from '../shape/system-columns.ts'
import { EXACT_TYPES } from '../upsert-sql.ts'
import { isTimelessEndSql } from './close-versions.ts'
import { FROM, TO } from './columns.ts'
import { BEFORE_ALL, momentSql, type VersionTime } from './version-time.ts'

export interface HistoryOptions {
  /** The name of the table. */
  readonly name: string
  /** The quoted name of a table with the sent rows, numbered by `SENT`. */
  readonly source: string
  /** The quoted name of the temporary table that is made for the plan. */
  readonly plan: string
  readonly columns: readonly LoadedColumn[]
  readonly time: VersionTime
  readonly loadedAt: boolean
  /** A key that has a row keeps it, and the sent row counts as duplicate. */
  readonly keepsStored: boolean
}

/** The number of a sent row in the order of reading. No field gives a column such a name, as those below. */
export const SENT = '"?sent"'
const NTH = '"?nth"'
const ACTION = '"?action"'
const SPLITS = '"?splits"'
const ENDS = '"?ends"'
const STORED = '"?stored"'

/**
 * Returns the statements that write one batch into a history. The results of the last four are: rows corrected,
 * versions ended, rows inserted, and the plan's own numbers, to compare with.
 *
 * 1. The plan: what becomes of each sent row that is not stored as it is. A row with the key and beginning of a stored
 *    one corrects it; any other one is a new version, which ends where the stored version that it falls into has ended,
 *    or where the next one begins. A gap before it is a deletion, and stays one. If a deletion without a time has ended
 *    the last version of its key, a newer one does not end with it: its record has come back.
 * 2. Corrections, in a statement of their own: a version may be corrected and ended by one batch.
 * 3. The versions that new ones fall into end where the first of those begins. They end before the new ones are
 *    inserted, because a key has only one current version.
 * 4. The new versions.
 *
 * Each new row looks up its neighbours by the primary key, so that the length of a row's history does not matter.
 * Stored rows that are not changed are neither written nor locked.
 */
export function historySql(options: HistoryOptions): string[] {
  const { name, plan, columns, loadedAt } = options
  const table = quoteTable(name)
  const { names, keys, changing } = partsOf(columns)
  const stamp = loadedAt ? [quoteIdentifier(systemColumns.loadedAt)] : []
  const stamped = stamp.map((column) => `, ${column} = statement_timestamp()`).join('')
  const at = (one: string, other: string): string => keys.map((key) => `${one}.${key} = ${other}.${key}`).join(' and ')
  return [
    planSql(options),
    // Without statistics the planner takes a small plan for a large one, and reads the whole table for it.
    `analyze ${plan} (${[...keys, FROM, ACTION].join(', ')})`,
    `with written as (
  update ${table} as t set ${changing.map((column) => `${column} = p.${column}`).join(', ')}${stamped}
  from ${plan} as p where p.${ACTION} = 'correct' and ${at('t', 'p')} and t.${FROM} = p.${FROM} returning 1
)
select count(*) as corrected from written`,
    `with written as (
  update ${table} as t set ${TO} = p.${ENDS}${stamped}
  from (
    select ${keys.join(', ')}, ${SPLITS}, min(${FROM}) as ${ENDS} from ${plan}
    where ${ACTION} = 'insert' and ${SPLITS} is not null group by ${keys.join(', ')}, ${SPLITS}
  ) as p
  where ${at('t', 'p')} and t.${FROM} = p.${SPLITS} returning 1
)
select count(*) as ended from written`,
    `with written as (
  insert into ${table} (${[...names, FROM, TO, ...stamp].join(', ')})
  select ${[...names, FROM, TO, ...stamp.map(() => 'statement_timestamp()')].join(', ')}
  from ${plan} where ${ACTION} = 'insert' order by ${[...keys, FROM].join(', ')} returning 1
)
select count(*) as inserted from written`,
    `select count(*) filter (where ${ACTION} = 'correct') as corrected,
  count(*) filter (where ${ACTION} = 'insert') as inserted,
  count(*) filter (where ${ACTION} = 'skip') as duplicate,
  count(distinct row(${keys.join(', ')}, ${SPLITS})) filter (where ${ACTION} = 'insert' and ${SPLITS} is not null)
    as ended
from ${plan}`,
  ]
}

interface Parts {
  /** All loaded columns, quoted. */
  readonly names: readonly string[]
  readonly keys: readonly string[]
  /** Those that may differ between two rows of one key. */
  readonly changing: readonly string[]
}

const namesOf = (columns: readonly LoadedColumn[]): string[] => columns.map(({ name }) => quoteIdentifier(name))

function partsOf(columns: readonly LoadedColumn[]): Parts {
  const keys = namesOf(columns.filter(({ key }) => key))
  const changing = namesOf(columns.filter(({ key, type }) => !key || !EXACT_TYPES.has(type.base)))
  // A table that has only its key: nothing can differ, and a statement without an assignment would be an error.
  return { names: namesOf(columns), keys, changing: changing.length > 0 ? changing : keys }
}

function planSql({ name: tableName, source, plan, columns, time, keepsStored }: HistoryOptions): string {
  const table = quoteTable(tableName)
  const { names, keys, changing } = partsOf(columns)
  const list = names.join(', ')
  const sameKey = (of: string): string => keys.map((key) => `o.${key} = ${of}.${key}`).join(' and ')
  const row = (of: string): string => `row(${changing.map((name) => `${of}.${name}`).join(', ')})::record`
  const isStored = `o.${STORED} is not null`
  const differs = `${row('o')} *<> ${row('s')}`
  const { begins, stored, changes, rest } =
    time === 'load'
      ? {
          begins: undefined,
          // The last version, current or ended.
          stored: `where ${sameKey('s')} order by o.${FROM} desc limit 1`,
          changes: `o.${TO} is not null or ${differs}`,
          rest: keepsStored ? `when ${isStored} then 'skip' else 'insert'` : `else 'insert'`,
        }
      : {
          begins: time === 'unknown' ? BEFORE_ALL : momentSql(quoteIdentifier(time.name), time.type),
          stored: `where ${sameKey('s')} and o.${FROM} = s.${FROM} limit 1`,
          changes: differs,
          rest: `when ${isStored} then 'correct' else 'insert'`,
        }
  const sent = [...keys, ...(begins === undefined ? [] : [begins])].join(', ')
  const from =
    begins === undefined
      ? `greatest(statement_timestamp(), o.${FROM} + interval '1 microsecond', o.${TO}) as ${FROM}`
      : `s.${FROM}`
  const reopens =
    begins === undefined
      ? ''
      : `\n      when before.${TO} is not null and after.${FROM} is null
        and ${isTimelessEndSql(tableName, 'c', columns, `before.${TO}`)} then null`
  return `create temporary table ${plan} on commit drop as
with sent as (
  select ${list}${begins === undefined ? '' : `, ${begins} as ${FROM}`},
    row_number() over (partition by ${sent} order by ${SENT} desc) as ${NTH}
  from ${source}
), changed as materialized (
  select ${names.map((name) => `s.${name}`).join(', ')}, ${from},
    case when s.${NTH} > 1 then 'skip' ${rest} end as ${ACTION}
  from sent as s
    left join lateral (select true as ${STORED}, ${list}, ${FROM}, ${TO} from ${table} as o ${stored}) as o on true
  where s.${NTH} > 1 or o.${STORED} is null or ${keepsStored ? 'true' : `(${changes})`}
)
select c.*,
  case when before.${TO} is null or before.${TO} > c.${FROM} then before.${FROM} end as ${SPLITS},
  least(
    case when before.${FROM} is null or before.${TO} <= c.${FROM} then after.${FROM}${reopens}
      else before.${TO} end,
    lead(c.${FROM}) over (partition by ${keys.map((key) => `c.${key}`).join(', ')}, c.${ACTION} order by c.${FROM})
  ) as ${TO}
from changed as c
  left join lateral (
    select o.${FROM}, o.${TO} from ${table} as o
    where c.${ACTION} = 'insert' and ${sameKey('c')} and o.${FROM} < c.${FROM} order by o.${FROM} desc limit 1
  ) as before on true
  left join lateral (
    select o.${FROM} from ${table} as o
    where c.${ACTION} = 'insert' and ${sameKey('c')} and o.${FROM} > c.${FROM} order by o.${FROM} limit 1
  ) as after on true`
}
