import type { Queryable } from './queryable.ts'
import { splitTable } from './quote.ts'

export interface ColumnInfo {
  readonly name: string
  /** The type as SQL writes it, `numeric(12,2)`. */
  readonly type: string
  /** Name of the type that stores the values, `numeric`; for a domain, the type below it. */
  readonly base: string
  /** For `numeric(p,s)`. */
  readonly precision?: number
  readonly scale?: number
  /** For `varchar(n)`, `char(n)`, `bit(n)`. */
  readonly length?: number
  /** Digits after the second, for `timestamptz(n)`, `time(n)`. */
  readonly fraction?: number
  /** The database computes the column, so it cannot be written. */
  readonly isGenerated: boolean
  /** NOT NULL, and no trigger may set it before a row is inserted. */
  readonly refusesNull: boolean
  /** Has a value if none is given: a default, or as an identity. */
  readonly hasDefault: boolean
}

export interface UniqueIndex {
  readonly name: string
  /** In the order of the index; the text of an expression stands for its column. */
  readonly columns: readonly string[]
  readonly isPartial: boolean
  readonly isDeferrable: boolean
  readonly isExpression: boolean
  /** False during and after a failed `create index concurrently`. */
  readonly isValid: boolean
}

export interface TableInfo {
  readonly name: string
  readonly kind: 'table' | 'partitioned' | 'view' | 'materialized view' | 'foreign table' | 'other'
  readonly columns: readonly ColumnInfo[]
  /** How many columns it has had; dropped ones count. */
  readonly slots: number
  /**
   * Row security, if it is active for this user: the commands for which a policy lets all rows through, and none hides
   * any.
   */
  readonly rowSecurity?: { readonly user: string; readonly open: readonly string[] }
  /** This user may select, insert and update all columns, and not only some. */
  readonly hasAllColumns: boolean
  /** By what a partitioned table is divided: its columns, null for an expression, and all of it as a text. */
  readonly partitionKey?: { readonly columns: readonly (string | null)[]; readonly text: string }
  /** The primary key first, then by name. */
  readonly uniqueIndexes: readonly UniqueIndex[]
  /** Size on disk without indexes. */
  readonly bytes: number
  /**
   * True for a table that has no rows since it was made or truncated, if no trigger, rule or policy changes or drops
   * rows that are copied into it.
   */
  readonly isBlank: boolean
}

/** Reads a table such as `'billing.customers'` from the catalog. Returns undefined if it does not exist. */
export async function readTable(on: Queryable, name: string): Promise<TableInfo | undefined> {
  const { schema, table } = splitTable(name)
  const found = await on.maybeOne<CatalogRow>(QUERY, [schema, table])
  if (!found) return undefined
  return {
    name,
    kind: TABLE_KINDS[found.kind] ?? 'other',
    columns: found.columns.map(columnOf),
    slots: found.slots,
    uniqueIndexes: found.indexes,
    bytes: Number(found.bytes),
    isBlank: found.blank,
    hasAllColumns: found.hasAllColumns,
    ...(found.rowSecurity && { rowSecurity: found.rowSecurity }),
    ...(found.partitionKey && { partitionKey: found.partitionKey }),
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
  readonly slots: number
  readonly bytes: string
  readonly blank: boolean
  readonly partitionKey: TableInfo['partitionKey'] | null
  readonly rowSecurity: TableInfo['rowSecurity'] | null
  readonly hasAllColumns: boolean
  readonly columns: readonly CatalogColumn[]
  readonly indexes: readonly UniqueIndex[]
}

type CatalogColumn = Pick<ColumnInfo, 'name' | 'type' | 'base' | 'isGenerated' | 'refusesNull' | 'hasDefault'> & {
  readonly modifier: number
}

/** Unpacks the type modifier, which holds the numbers in the brackets behind a type. Each type packs it differently. */
function columnOf({ modifier, ...column }: CatalogColumn): ColumnInfo {
  if (modifier < 0) return column
  switch (column.base) {
    case 'numeric': {
      // The scale has 11 bits, of which the first is its sign.
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

// `types` follows each domain to the type below it and keeps the first modifier on the way.
const QUERY = `
with recursive wanted as (
  select c.oid, c.relkind, c.relnatts, c.relhasrules, c.relrowsecurity
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = $1 and c.relname = $2 and c.relkind not in ('i', 'I', 'S', 't', 'c')
), attributes as (
  select a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attgenerated, a.attnotnull,
    a.atthasdef or a.attidentity <> '' or exists (
      select from pg_type where oid = a.atttypid and typdefault is not null) as hasdefault
  from wanted join pg_attribute a on a.attrelid = wanted.oid and a.attnum > 0 and not a.attisdropped
), policies as (
  select polcmd, polpermissive, coalesce(pg_get_expr(polqual, polrelid), 'true') = 'true'
    and coalesce(pg_get_expr(polwithcheck, polrelid), 'true') = 'true' as hides_nothing
  from wanted join pg_policy on polrelid = wanted.oid
  where relrowsecurity and (0::oid = any(polroles) or exists (
    select from unnest(polroles) as role where role <> 0 and pg_has_role(role, 'usage')))
), types as (
  select attnum, atttypid as type, atttypmod as modifier from attributes
  union all
  select types.attnum, t.typbasetype, case when types.modifier < 0 then t.typtypmod else types.modifier end
  from types join pg_type t on t.oid = types.type and t.typtype = 'd'
)
select wanted.relkind as kind, wanted.relnatts as slots,
  (
    select coalesce(sum(pg_table_size(relid)), pg_table_size(wanted.oid), 0)::text
    from pg_partition_tree(wanted.oid)
  ) as bytes,
  relkind in ('r', 'p') and not relhasrules and not relrowsecurity and not exists (
    select from (select wanted.oid as relid, relkind = 'r' as isleaf
                 union all select relid, isleaf from pg_partition_tree(wanted.oid) where relkind = 'p') as part
    where (isleaf and pg_relation_size(relid) > 0)
      or exists (select from pg_trigger where tgrelid = relid and not tgisinternal)
  ) as blank,
  has_table_privilege(wanted.oid, 'select') and has_table_privilege(wanted.oid, 'insert')
    and has_table_privilege(wanted.oid, 'update') as "hasAllColumns",
  case when row_security_active(wanted.oid) then json_build_object('user', current_user, 'open', array(
    select word from (values ('r', 'select'), ('a', 'insert'), ('w', 'update'), ('d', 'delete')) as one (letter, word)
    where exists (select from policies where polpermissive and hides_nothing and polcmd::text in (letter, '*'))
      and not exists (
        select from policies where not polpermissive and not hides_nothing and polcmd::text in (letter, '*'))
  )) end as "rowSecurity",
  (
    select json_build_object('text', pg_get_partkeydef(wanted.oid), 'columns', (
      select json_agg(a.attname order by k.position)
      from unnest(p.partattrs::int2[]) with ordinality k (attnum, position) left join attributes a using (attnum)
    ))
    from pg_partitioned_table p where p.partrelid = wanted.oid
  ) as "partitionKey",
  coalesce((
    select json_agg(json_build_object(
      'name', a.attname,
      'type', format_type(a.atttypid, a.atttypmod),
      'base', t.typname,
      'modifier', types.modifier,
      'isGenerated', a.attgenerated <> '',
      -- 7: a trigger for each row, before, of an insert.
      'refusesNull', a.attnotnull and not exists (
        select from pg_trigger where tgrelid = wanted.oid and not tgisinternal and tgtype & 7 = 7),
      'hasDefault', a.hasdefault
    ) order by a.attnum)
    from attributes a join types using (attnum) join pg_type t on t.oid = types.type and t.typtype <> 'd'
  ), '[]') as columns,
  coalesce((
    select json_agg(json_build_object(
      'name', c.relname,
      'columns', (
        select json_agg(coalesce(a.attname, pg_get_indexdef(i.indexrelid, k.position::int, true)) order by k.position)
        from unnest(i.indkey[0:i.indnkeyatts - 1]) with ordinality k (attnum, position)
        left join attributes a on a.attnum = k.attnum
      ),
      'isPartial', i.indpred is not null,
      'isDeferrable', not i.indimmediate,
      'isExpression', i.indexprs is not null,
      'isValid', i.indisvalid
    ) order by i.indisprimary desc, c.relname)
    from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indrelid = wanted.oid and i.indisunique
  ), '[]') as indexes
from wanted`
