// The records of a page by their values, in the order in which bySince() goes through them.
import { PagingError } from '../../../model/errors.ts'
import { digest } from '../../../value/digest.ts'
import { compareValues, type CursorValue } from '../../cursor/cursor-value.ts'
import type { SinceRequests } from './since-requests.ts'

/** A record and its value, undefined if it has none that can be compared. */
export interface Entry {
  readonly record: unknown
  readonly value: CursorValue | undefined
  hash?: string
}

/** Returns the hash of a record's content. */
export const hashOf = (entry: Entry): string => (entry.hash ??= digest(entry.record))

/** Returns the greatest value of the entries and of the value before them. */
export function greatest(entries: readonly Entry[], before?: CursorValue): CursorValue | undefined {
  let found = before
  for (const { value } of entries) if (value && (!found || compareValues(value, found) > 0)) found = value
  return found
}

/** Throws unless each value is at least as great as the one before. Values with the same request may have any order. */
export function checkAscending(entries: readonly Entry[], requests: SinceRequests): void {
  let before: CursorValue | undefined
  for (const { value } of entries) {
    if (!value) continue
    if (before && requests.isBehind(before, value))
      throw new PagingError(
        `'${value.raw}' comes after '${before.raw}', so the list is not in ascending order, as bySince() needs it. ` +
          'Add the parameter that sorts the list, or use another paginator',
      )
    before = value
  }
}

/** Returns the entries that are not behind a value, so that they may have come before; also those without a value. */
export function upTo(last: CursorValue | undefined, entries: readonly Entry[], requests: SinceRequests): Entry[] {
  let isBehind = last === undefined
  return entries.filter(({ value }) => {
    if (!value) return true
    isBehind ||= last !== undefined && requests.isBehind(value, last)
    return !isBehind
  })
}

/** Returns the entries that come again on the page from a value on. The API may return those without a value too. */
export function from(to: CursorValue, entries: readonly Entry[], requests: SinceRequests): Entry[] {
  const end = entries.findLastIndex(({ value }) => value && requests.isBehind(to, value))
  return entries.filter(({ value }, index) => !value || index > end)
}
