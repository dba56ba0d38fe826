import { createHash } from 'node:crypto'
import { Decimal } from './decimal.ts'

/**
 * Returns a hash of 22 characters, equal for equal values whatever the order of their members. `previous` chains it to
 * another digest. Ledgers store digests, so they must stay the same in all versions.
 */
export const digest = (value: unknown, previous = ''): string =>
  createHash('sha256').update(previous).update(canonicalJson(value)).digest('base64url').slice(0, 22)

/** JSON with sorted names, in which bigints, Decimals, Dates and undefined differ from every text. */
function canonicalJson(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined'
  if (value instanceof Decimal) return `${value.text}d`
  if (value instanceof Date) return `Date(${value.getTime()})`
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`)
  return `{${members.join()}}`
}
