// The position of an HTTP source: the next request, and what is known of the reading, stored as JSON.
import { PositionLostError } from '../model/errors.ts'
import { END, type Position } from '../model/page.ts'
import type { PageRequest } from '../model/request.ts'
import type { BodyPosition } from '../model/scope.ts'
import type { ReadingState } from './paging/reading-state.ts'

/** Returns the position before a request, or `END` after the last one. */
export const positionOf = (next: PageRequest | undefined, reading: ReadingState): Position =>
  next ? (JSON.parse(JSON.stringify({ ...next, reading })) as Position) : END

/** Returns the position inside the body of a response. Its request is sent again, and read on behind these records. */
export function positionInBody(
  request: PageRequest,
  body: BodyPosition,
  { reading, isFile }: { readonly reading: ReadingState; readonly isFile: boolean },
): Position {
  // The URL of a file may be signed and expire: its record is read again, and has another one.
  const kept = isFile ? { ...request, url: '' } : request
  return JSON.parse(JSON.stringify({ ...kept, body, reading })) as Position
}

/** Returns the place inside a body that a position names, undefined if it names none. */
export function bodyPositionAt(position: Position): BodyPosition | undefined {
  const { body } = (position ?? {}) as { readonly body?: Partial<BodyPosition> }
  return typeof body?.records === 'number' && typeof body.digest === 'string' ? (body as BodyPosition) : undefined
}

/** Returns the request of a stored position, as it is sent. Throws if another kind of source stored it. */
export function requestAt(position: Position): PageRequest {
  const stored = position as (Partial<PageRequest> & { readonly reading?: unknown; readonly body?: unknown }) | null
  if (typeof stored === 'object' && typeof stored?.url === 'string' && typeof stored.query === 'object') {
    const { reading: _reading, body: _body, ...request } = stored
    return request as PageRequest // Only `positionOf` makes a position with these two members.
  }
  throw new PositionLostError('the stored position does not fit this definition. Restarting from the beginning')
}
