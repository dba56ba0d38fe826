import type { Queryable } from '../../database/queryable.ts'
import { quoteLiteral } from '../../database/quote.ts'
import type { CursorOrigin, KnownFields, FieldValues, Sample, Samples } from '../../model/field-values.ts'
import type { Slice } from '../../model/slice.ts'
import { defined } from '../../value/defined.ts'
import type { StreamName } from '../stream-name.ts'

// What slices have shown of the fields of their records, as JSON in `sluice.slices`.

interface StoredSamples {
  readonly [field: string]: Sample
}

/** While a slice is read: what its committed batches show. At its end: what all readings of the stream have shown. */
type Stored =
  | { readonly rows: number; readonly read: StoredSamples }
  | { readonly full: StoredSamples; readonly part: StoredSamples; readonly origin?: CursorOrigin }

/** Returns what the committed batches of a slice show, and what earlier readings have shown. */
export async function readFieldValues(
  on: Queryable,
  { id, pipeline, stream, partition }: Pick<Slice, 'id' | 'pipeline' | 'stream' | 'partition'>,
): Promise<{ readonly own: FieldValues | undefined; readonly known: KnownFields | undefined }> {
  const row = await on.one<{ own: Stored | null; known: Stored | null; lost: readonly string[] | null }>(
    `select s.field_values as own, last.field_values as known, last.lost_fields as lost
       from sluice.slices as s
       left join lateral (
         select o.field_values, o.lost_fields from sluice.slices as o
          where (o.pipeline, o.stream, o.partition) = ($2, $3, $4) and o.kind = 'sync' and o.status = 'done'
            and o.field_values is not null and o.id < s.id
          order by o.id desc limit 1) as last on true
      where s.id = $1`,
    [id, pipeline, stream, partition],
  )
  const { own, known, lost } = row
  return {
    own: own && 'read' in own ? { rows: own.rows, samples: samplesOf(own.read) } : undefined,
    known:
      known && 'full' in known
        ? {
            full: samplesOf(known.full),
            part: samplesOf(known.part),
            lost: lost ?? [],
            ...defined({ origin: known.origin }),
          }
        : undefined,
  }
}

/** The cursor of a stream, and what the reading that came last before it was made of. */
export interface StoredOrigin {
  /** Undefined if only the lists of parents have cursors. */
  readonly cursor: string | undefined
  /** The hash of the definition of that reading. */
  readonly definition: string
  /** Undefined if an older version has read it. */
  readonly origin: CursorOrigin | undefined
  /** The definition of an interrupted reading. */
  readonly open: string | undefined
  /** When that reading began, if it goes on from the start of the list, whatever the cursor. */
  readonly fullSince: Date | undefined
  /** True if a reading of everything in steps is unfinished: it goes on behind its last step, or begins anew. */
  readonly isFullUnfinished: boolean
}

/** Returns undefined if the stream has no cursor, or one that was set by hand. */
export async function readCursorOrigin(
  on: Queryable,
  { pipeline, stream, partition = '' }: StreamName,
): Promise<StoredOrigin | undefined> {
  const [row] = await on.query<{
    cursor: string | null
    definition: string
    origin: CursorOrigin | null
    open: string | null
    fullSince: Date | null
    isFullUnfinished: boolean
  }>(
    `select c.value as cursor, last.definition, last.field_values -> 'origin' as origin,
            open.definition as open, open.full_since as "fullSince",
            exists (select from sluice.unfinished_full($1, $2, $3)) as "isFullUnfinished"
       from (select definition, field_values from sluice.slices as s
              where (s.pipeline, s.stream, s.partition) = ($1, $2, $3) and s.kind = 'sync' and s.status = 'done'
              order by s.id desc limit 1) as last
       left join sluice.cursors as c on (c.pipeline, c.stream, c.partition) = ($1, $2, $3)
       left join lateral (
         select o.definition,
                case when o.since is null and o.until is null and o.completeness is distinct from 'open'
                     then o.started_at end as full_since
           from sluice.slices as o
          where (o.pipeline, o.stream, o.partition) = ($1, $2, $3) and o.kind = 'sync' and o.status = 'open'
          order by o.id limit 1) as open on true
      where c.slice is not null or (c.value is null and exists (
        select from sluice.parent_cursors as p where (p.pipeline, p.stream, p.partition) = ($1, $2, $3)))`,
    [pipeline, stream, partition],
  )
  if (!row) return undefined
  const { definition, isFullUnfinished } = row
  return {
    definition,
    cursor: row.cursor ?? undefined,
    origin: row.origin ?? undefined,
    open: row.open ?? undefined,
    fullSince: row.fullSince ?? undefined,
    isFullUnfinished,
  }
}

/** Returns the statement that stores values with a batch, with its semicolon; '' without values. */
export function fieldValuesSql(slice: Pick<Slice, 'id'>, values: FieldValues | KnownFields | undefined): string {
  if (!values) return ''
  const sql =
    'full' in values
      ? setSql(
          slice,
          { full: storedOf(values.full), part: storedOf(values.part), ...defined({ origin: values.origin }) },
          values.lost,
        )
      : setSql(slice, { rows: values.rows, read: storedOf(values.samples) }, undefined)
  return `${sql};\n`
}

/** Returns the statement for a slice that restarts. */
export const clearFieldValuesSql = (slice: Pick<Slice, 'id'>): string => setSql(slice, undefined, undefined)

function setSql({ id }: Pick<Slice, 'id'>, values: Stored | undefined, lost: readonly string[] | undefined): string {
  const json = values === undefined ? 'null' : `${quoteLiteral(JSON.stringify(values))}::jsonb`
  const list = lost === undefined ? 'null' : `array[${lost.map(quoteLiteral).join(', ')}]::text[]`
  return `select sluice.set_field_values(${BigInt(id)}, ${json}, ${list})`
}

const samplesOf = (stored: StoredSamples): Samples => new Map(Object.entries(stored))

/** A field with NUL in its name is left out: jsonb cannot hold it, and nothing else depends on its samples. */
const storedOf = (samples: Samples): StoredSamples =>
  Object.fromEntries([...samples].filter(([field]) => !field.includes('\0')))
