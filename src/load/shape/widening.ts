import { columnType, type ColumnType } from '../values/column-type.ts'
import { type ColumnKind, commonKind } from '../values/value-kind.ts'

/** The types that may be widened, and their kinds. A type with limits was chosen by a person and stays as it is. */
export const KINDS: Readonly<Record<string, ColumnKind>> = {
  bool: 'boolean',
  int2: 'bigint',
  int4: 'bigint',
  int8: 'bigint',
  numeric: 'numeric',
  timestamptz: 'timestamptz',
  date: 'date',
  text: 'text',
}

/**
 * Returns the kind that holds both the column's values and a further kind, or undefined if the column is never
 * widened. Callers ask only for values that do not fit: an int4 that meets a larger integer becomes a bigint.
 */
export function widenedKind(
  type: ColumnType,
  kind: ColumnKind,
  { key = false, version = false }: { key?: boolean; version?: boolean } = {},
): ColumnKind | undefined {
  // A domain has a base type as well, but was chosen by a person.
  const isPlain = type.limits.length === 0 && columnType(type.sql).base === type.base
  const current = isPlain ? KINDS[type.base] : undefined
  if (current === undefined) return undefined
  const wider = commonKind(current, kind)
  if (wider === 'jsonb' && (key || version)) return undefined
  // Texts have another order than numbers: the newer of two versions would be the older one.
  if (wider === 'text' && version) return undefined
  // One moment has many texts, and each would be a row of its own.
  if (wider === 'text' && key && current === 'timestamptz') return undefined
  return wider
}
