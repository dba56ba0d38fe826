// The position of an HTTP source: the next request, stored as JSON.
import { PositionLostError } from '../model/errors.ts'
import { END, type Position } from '../model/page.ts'
import type { PageRequest } from '../model/request.ts'

/** Returns the position before a request, or `END` after the last one. */
export const positionOf = (next: PageRequest | undefined): Position =>
  next ? (JSON.parse(JSON.stringify(next)) as Position) : END

/** Returns the request of a stored position. Throws if another kind of source stored it. */
export function requestAt(position: Position): PageRequest {
  const request = position as Partial<PageRequest> | null
  if (typeof request === 'object' && typeof request?.url === 'string' && typeof request.query === 'object')
    return request as PageRequest // Only `positionOf` makes a position with these two members.
  throw new PositionLostError('the stored position does not fit this definition. Restarting from the beginning')
}
