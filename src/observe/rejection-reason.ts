import { rejectionOf } from '../model/errors.ts'
import { placeOf, placeText } from './user-place.ts'

/**
 * Returns the reason for which a record is rejected after a user's function threw on it; undefined if the record is not
 * to blame. A mistake in the function, such as a TypeError, gets its line in the user's file. An `Error` that the
 * function throws on purpose is a sentence of its own, and stays as it is.
 */
export function rejectionReason(error: unknown): string | undefined {
  const reason = rejectionOf(error)
  if (reason === undefined || !isMistake(error)) return reason
  const place = placeOf(error)
  return place === undefined ? reason : `${reason} (${placeText(place, process.cwd())})`
}

/** Looks at the name, because an error of a worker thread or of another realm is of no class of this one. */
const isMistake = (error: unknown): boolean => Error.isError(error) && /^(?:Type|Reference)Error$/.test(error.name)
