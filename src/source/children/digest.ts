import { createHash } from 'node:crypto'
import { Decimal } from '../../value/decimal.ts'

/** A short name for a value, the same for equal values whatever the order of their members. */
export const digest = (value: unknown, after = ''): string =>
  createHash('sha256').update(after).update(canonical(value)).digest('base64url').slice(0, 22)

/** JSON with sorted names; what JSON does not know is told apart from text. */
function canonical(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined'
  if (value instanceof Decimal) return `${value.text}d`
  if (value instanceof Date) return `Date(${value.getTime()})`
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return `{${members
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`)
    .join()}}`
}
