import { SchemaError } from '../../model/errors.ts'
import { compareDecimals } from '../../value/decimal-text.ts'
import { compareInstants, parseInstant } from '../../value/instant.ts'
import type { ColumnType } from '../values/column-type.ts'
import { unescapeText } from './copy-text.ts'

type Order = (a: string, b: string) => number

const bytes: Order = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))
const floats: Order = (a, b) => Number(a) - Number(b)

/** Returns NaN, which is neither older nor newer, for years beyond 9999 and before 1. */
function instants(a: string, b: string): number {
  const [one, other] = [parseInstant(a), parseInstant(b)]
  return one && other ? compareInstants(one, other) : Number.NaN
}

/** PostgreSQL ignores the offset of a text in a timestamp column. */
const withoutOffset = (text: string): string => (text.length > 10 ? text.replace(/(?:[zZ]|[+-]\d\d:?\d\d)$/, '') : text)

/** The order of a type's values inside a batch. `versionSql` is the same order in the database. */
const ORDERS: Readonly<Record<string, Order>> = {
  int2: compareDecimals,
  int4: compareDecimals,
  int8: compareDecimals,
  numeric: compareDecimals,
  float4: floats,
  float8: floats,
  timestamptz: instants,
  timestamp: (a, b) => instants(withoutOffset(a), withoutOffset(b)),
  date: bytes,
  text: bytes,
  varchar: bytes,
}

export const isOrdered = ({ base }: ColumnType): boolean => base in ORDERS

/** Compares two versions as COPY text: positive if the first is newer. Null is older than everything. */
export function versionOrder(type: ColumnType, column: string): Order {
  const order = ORDERS[type.base]
  if (!order)
    throw new SchemaError(
      `The column ${column} of type ${type.sql} cannot be a version: choose one that holds a number, a time or a text`,
    )
  return (a, b) => {
    const [one, other] = [unescapeText(a), unescapeText(b)]
    if (one === null || other === null) return Number(one !== null) - Number(other !== null)
    return order(one, other)
  }
}

/** Compares texts byte by byte, as `versionOrder` does, and not by the rules of a language. */
export const versionSql = (expression: string, { base }: ColumnType): string =>
  base === 'text' || base === 'varchar' ? `${expression} collate "C"` : expression
