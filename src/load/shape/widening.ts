import { columnType, type ColumnType } from '../values/column-type.ts'
import { type ColumnKind, commonKind } from '../values/value-kind.ts'

/** What each type that may be widened holds; one with limits was somebody's choice and stays as it is. */
const kinds: Readonly<Record<string, ColumnKind>> = {
  bool: 'boolean',
  int2: 'bigint',
  int4: 'bigint',
  int8: 'bigint',
  numeric: 'numeric',
  date: 'date',
  text: 'text',
}

/**
 * The type that a column has to become to hold what it holds and a further kind of value as well, or undefined where it
 * is never widened. Only asked for values that do not fit: an int4 that meets a bigint becomes one.
 */
export function widenedKind(
  type: ColumnType,
  kind: ColumnKind,
  { key = false, version = false }: { key?: boolean; version?: boolean } = {},
): ColumnKind | undefined {
  // A domain has a base too, but is somebody's choice.
  const held = type.limits.length === 0 && columnType(type.sql).base === type.base ? kinds[type.base] : undefined
  if (held === undefined) return undefined
  const wider = commonKind(held, kind)!
  if (wider === 'jsonb' && (key || version)) return undefined
  // Texts are ordered otherwise than numbers: what was newer would be older.
  if (wider === 'text' && version) return undefined
  return wider
}
