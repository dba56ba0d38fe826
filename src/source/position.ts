// The position of an HTTP source: the next request, and what is known of the reading, stored as JSON.
import { PositionLostError } from '../model/errors.ts'
import { END, type Position } from '../model/page.ts'
import type { PageRequest } from '../model/request.ts'
import type { ReadingState } from './paging/reading-state.ts'

/** Returns the position before a request, or `END` after the last one. */
export const positionOf = (next: PageRequest | undefined, reading: ReadingState): Position =>
  next ? (JSON.parse(JSON.stringify({ ...next, reading })) as Position) : END

/** Returns the request of a stored position, as it is sent. Throws if another kind of source stored it. */
export function requestAt(position: Position): PageRequest {
  const stored = position as (Partial<PageRequest> & { readonly reading?: unknown }) | null
  if (typeof stored === 'object' && typeof stored?.url === 'string' && typeof stored.query === 'object') {
    const { reading: _reading, ...request } = stored
    return request as PageRequest // Only `positionOf` makes a position with these two members.
  }
  throw new PositionLostError('the stored position does not fit this definition. Restarting from the beginning')
}
