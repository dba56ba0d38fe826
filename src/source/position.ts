import { PositionLostError } from '../model/errors.ts'
import { END, type Position } from '../model/page.ts'
import type { Asked } from '../model/request.ts'

/** A request as a position. The client puts hidden secrets back when it is sent. */
export const positionOf = (asked: Asked | undefined): Position =>
  asked ? (JSON.parse(JSON.stringify(asked)) as Position) : END

/** The request at which to read on. */
export function askedAt(position: Position): Asked {
  const asked = position as Partial<Asked> | null
  if (typeof asked !== 'object' || asked === null || typeof asked.url !== 'string' || typeof asked.query !== 'object') {
    throw new PositionLostError(
      'the stored position is none of this source: the definition has changed since, so the reading begins anew',
    )
  }
  return asked as Asked
}
