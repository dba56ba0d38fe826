// Conditional requests: the validators of the last reading are its cursor, and 304 says that nothing has changed.
import { PagingError } from '../model/errors.ts'
import type { HighWaterMark } from '../model/page.ts'
import type { ApiResponse, PageRequest } from '../model/request.ts'
import { defined } from '../value/defined.ts'

interface Validators {
  readonly etag?: string
  readonly modified?: string
  /** A mirror has deleted the rows that the list of these validators does not have. @default false */
  readonly isMirrored?: boolean
}

/** Returns a request that the API answers by 304 if nothing has changed since a reading with these validators. */
export function ifChangedSince(first: PageRequest, stored: string): PageRequest {
  const { etag, modified } = JSON.parse(stored) as Validators // Only `validatorsOf` makes such a cursor.
  return {
    ...first,
    headers: { ...first.headers, ...defined({ 'if-none-match': etag, 'if-modified-since': modified }) },
  }
}

/** Returns the validators of a response as the cursor; undefined if it has none, and the next run reads everything. */
export function validatorsOf(
  { status, headers }: Pick<ApiResponse<unknown>, 'status' | 'headers'>,
  stored: string | undefined,
): HighWaterMark | undefined {
  if (status === 304) {
    if (stored === undefined)
      throw new PagingError('the API answered 304, not changed, to a request that did not ask for changes')
    return { value: stored, isToken: true, isUnchanged: true }
  }
  const validators: Validators = defined({ etag: headers['etag'], modified: headers['last-modified'] })
  if (Object.keys(validators).length === 0) return undefined
  return { value: JSON.stringify(validators), isToken: true }
}

/** Returns validators of a list that a mirror has brought its table in step with. */
export const mirroredValidators = (stored: string): string =>
  JSON.stringify({ ...(JSON.parse(stored) as Validators), isMirrored: true })

/** True if a mirror has nothing to delete as long as the list has these validators. */
export const areMirrored = (stored: string): boolean => (JSON.parse(stored) as Validators).isMirrored === true
