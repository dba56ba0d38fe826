import type { Queryable } from './queryable.ts'
import { splitTable } from './quote.ts'

export interface ColumnInfo {
  readonly name: string
  /** As SQL writes it, `numeric(12,2)`. */
  readonly type: string
  /** Name of the type that stores it, `numeric`; of a domain the type below it. */
  readonly base: string
  readonly baseOid: number
  /** `b`ase, `c`omposite, `d`omain is looked through, `e`num, `r`ange, … */
  readonly kind: string
  /** For `numeric(p,s)`. */
  readonly precision?: number
  readonly scale?: number
  /** For `varchar(n)`, `char(n)`, `bit(n)`. */
  readonly length?: number
  /** Digits after the second, for `timestamptz(n)`, `time(n)`. */
  readonly fraction?: number
  readonly notNull: boolean
  /** An identity has one too. */
  readonly hasDefault: boolean
  /** Computed by the database, so it cannot be written. */
  readonly isGenerated: boolean
  readonly isIdentity: boolean
}

export interface UniqueIndex {
  readonly name: string
  /** In their order; of an expression its text. */
  readonly columns: readonly string[]
  readonly isPrimary: boolean
  readonly isPartial: boolean
  readonly isDeferrable: boolean
  readonly isExpression: boolean
  /** False while or after a failed `create index concurrently`. */
  readonly isValid: boolean
}

export interface TableInfo {
  readonly name: string
  readonly kind: 'table' | 'partitioned' | 'view' | 'materialized view' | 'foreign table' | 'other'
  readonly columns: readonly ColumnInfo[]
  readonly uniqueIndexes: readonly UniqueIndex[]
  /** On disk, without its indexes. */
  readonly bytes: number
  /**
   * A plain table that has never held a row, or was truncated since, and of which no trigger, rule or policy changes or
   * leaves out what is copied into it.
   */
  readonly isBlank: boolean
}

/** What the catalog knows of a table, `'billing.customers'`; undefined where there is none. */
export async function readTable(on: Queryable, name: string): Promise<TableInfo | undefined> {
  const { schema, table } = splitTable(name)
  const found = await on.maybeOne<CatalogRow>(QUERY, [schema, table])
  if (!found) return undefined
  return {
    name,
    kind: TABLE_KINDS[found.kind] ?? 'other',
    columns: found.columns.map(columnOf),
    uniqueIndexes: found.indexes,
    bytes: Number(found.bytes),
    isBlank: found.blank,
  }
}

const TABLE_KINDS: Readonly<Record<string, TableInfo['kind']>> = {
  r: 'table',
  p: 'partitioned',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
}

interface CatalogRow {
  readonly kind: string
  readonly bytes: string
  readonly blank: boolean
  readonly columns: readonly (Omit<ColumnInfo, 'precision' | 'scale' | 'length' | 'fraction'> & {
    readonly modifier: number
  })[]
  readonly indexes: readonly UniqueIndex[]
}

/** The type modifier packs what stands in brackets behind a type; each type packs it in its own way. */
function columnOf({ modifier, ...column }: CatalogRow['columns'][number]): ColumnInfo {
  if (modifier < 0) return column
  switch (column.base) {
    case 'numeric': {
      // The scale has 11 bits, the first of which is its sign.
      const packed = modifier - 4
      return { ...column, precision: (packed >> 16) & 0xff_ff, scale: ((packed & 0x7_ff) ^ 1_024) - 1_024 }
    }
    case 'varchar':
    case 'bpchar':
      return { ...column, length: modifier - 4 }
    case 'bit':
    case 'varbit':
      return { ...column, length: modifier }
    case 'timestamp':
    case 'timestamptz':
    case 'time':
    case 'timetz':
      return { ...column, fraction: modifier }
    default:
      return column
  }
}

const QUERY = `
with recursive wanted as (
  select c.oid, c.relkind, c.relhasrules, c.relrowsecurity from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2 and c.relkind not in ('i', 'I', 'S', 't', 'c')
), attributes as (
  select a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.atthasdef, a.attgenerated, a.attidentity
  from wanted join pg_attribute a on a.attrelid = wanted.oid and a.attnum > 0 and not a.attisdropped
), types as (
  select attnum, atttypid as type, atttypmod as modifier, false as required from attributes
  union all
  select types.attnum, t.typbasetype, case when types.modifier < 0 then t.typtypmod else types.modifier end, types.required or t.typnotnull
  from types join pg_type t on t.oid = types.type and t.typtype = 'd'
)
select wanted.relkind as kind,
  (select coalesce(sum(pg_table_size(relid)), pg_table_size(wanted.oid), 0)::text from pg_partition_tree(wanted.oid)) as bytes,
  relkind = 'r' and pg_relation_size(wanted.oid) = 0 and not relhasrules and not relrowsecurity and not exists (select from pg_trigger where tgrelid = wanted.oid and not tgisinternal) as blank,
  coalesce((
    select json_agg(json_build_object(
      'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'base', t.typname, 'baseOid', t.oid::int8, 'kind', t.typtype, 'modifier', types.modifier,
      'notNull', a.attnotnull or types.required, 'hasDefault', (a.atthasdef and a.attgenerated = '') or a.attidentity <> '', 'isGenerated', a.attgenerated <> '', 'isIdentity', a.attidentity <> ''
    ) order by a.attnum)
    from attributes a join types using (attnum) join pg_type t on t.oid = types.type and t.typtype <> 'd'
  ), '[]') as columns,
  coalesce((
    select json_agg(json_build_object(
      'name', c.relname, 'isPrimary', i.indisprimary, 'isPartial', i.indpred is not null, 'isDeferrable', not i.indimmediate, 'isExpression', i.indexprs is not null, 'isValid', i.indisvalid,
      'columns', (
        select json_agg(coalesce(a.attname, pg_get_indexdef(i.indexrelid, k.position::int, true)) order by k.position)
        from unnest(i.indkey[0:i.indnkeyatts - 1]) with ordinality k (attnum, position)
        left join attributes a on a.attnum = k.attnum
      )
    ) order by i.indisprimary desc, c.relname)
    from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = wanted.oid and i.indisunique
  ), '[]') as indexes
from wanted`
