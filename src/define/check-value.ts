import { UsageError } from '../model/errors.ts'
import { messageOf } from '../value/error.ts'

/**
 * Parses a value of a definition, so that a wrong one is refused before anything is requested. Throws a UsageError that
 * begins with the location.
 *
 * @example
 * checkValue('http("https://api.example"): timeout', () => duration('soon'))
 * // http("https://api.example"): timeout: "soon" is no duration: write a number and one of ms, s, m, h, d, w, …
 */
export function checkValue<Value>(location: string, parse: () => Value): Value {
  try {
    return parse()
  } catch (cause) {
    throw new UsageError(`${location}: ${messageOf(cause)}`, { cause })
  }
}
