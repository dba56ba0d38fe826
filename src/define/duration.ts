import { duration } from '../value/duration.ts'
import { UsageError } from '../model/errors.ts'
import type { Duration } from '../model/request.ts'

/** A duration as it may stand in a definition, or an error that names the place. */
export function durationOf(value: Duration, place: string): Duration {
  try {
    duration(value)
    return value
  } catch (cause) {
    throw new UsageError(`${place}: ${JSON.stringify(value)} is no duration: write '30s', '5m', '1h' or '3d'`, {
      cause,
    })
  }
}
