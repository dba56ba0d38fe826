import { SchemaError } from '../../model/errors.ts'
import type { ColumnType } from '../values/column-type.ts'
import { unescape } from './copy-text.ts'
import { compareDecimals } from '../../value/decimal-text.ts'
import { compareInstants } from '../../value/instant.ts'

type Order = (a: string, b: string) => number

const bytes: Order = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))
const floats: Order = (a, b) => Number(a) - Number(b)

/** How values of a type are ordered: here by these, in the database by the same rule. */
const orders: Readonly<Record<string, Order>> = {
  int2: compareDecimals,
  int4: compareDecimals,
  int8: compareDecimals,
  numeric: compareDecimals,
  float4: floats,
  float8: floats,
  timestamptz: compareInstants,
  timestamp: (a, b) => compareInstants(utc(a), utc(b)),
  date: bytes,
  text: bytes,
  varchar: bytes,
}

/** Its times have no offset, or one that says nothing. */
function utc(text: string): string {
  const time = text.length === 10 ? `${text}T00:00:00` : text.replace(/(?:[zZ]|[+-]00:00)$/, '')
  return `${time}Z`
}

export const isOrdered = ({ base }: ColumnType): boolean => base in orders

/** Which of two versions, as COPY text, is newer: positive for the first. Null is older than everything. */
export function versionOrder(type: ColumnType, column: string): Order {
  const order = orders[type.base]
  if (!order)
    throw new SchemaError(
      `The column ${column} of type ${type.sql} cannot be a version: choose one that holds a number, a time or a text`,
    )
  return (a, b) => {
    const [one, other] = [unescape(a), unescape(b)]
    if (one === null || other === null) return Number(one !== null) - Number(other !== null)
    return order(one, other)
  }
}

/** Texts are compared byte by byte, as here, not by the rules of some language. */
export const versionSql = (expression: string, { base }: ColumnType): string =>
  base === 'text' || base === 'varchar' ? `${expression} collate "C"` : expression
