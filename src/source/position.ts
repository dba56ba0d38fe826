import { PositionLostError } from '../model/errors.ts'
import { END, type Position } from '../model/page.ts'
import type { PageRequest } from '../model/request.ts'

/** A request as a position. The client puts hidden secrets back when it is sent. */
export const positionOf = (request: PageRequest | undefined): Position =>
  request ? (JSON.parse(JSON.stringify(request)) as Position) : END

/** The request at which to read on. */
export function requestAt(position: Position): PageRequest {
  const request = position as Partial<PageRequest> | null
  if (
    typeof request !== 'object' ||
    request === null ||
    typeof request.url !== 'string' ||
    typeof request.query !== 'object'
  ) {
    throw new PositionLostError(
      'the stored position is none of this source: the definition has changed since, so the reading begins anew',
    )
  }
  return request as PageRequest
}
