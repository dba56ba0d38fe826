import type { Retention } from '../ledger/prune.ts'
import { UsageError } from '../model/errors.ts'
import { duration } from '../value/duration.ts'
import { messageOf } from '../value/error.ts'

const DAY_MS = 86_400_000

/** How long the ledger keeps things by default. docs/LEDGER.md says how large it becomes. */
export const RETENTION: Retention = Object.freeze({ runsMs: 30 * DAY_MS, eventsMs: 7 * DAY_MS, rejectsMs: 30 * DAY_MS })

/** The variables that change it: a duration such as `90d`, or `forever`. */
const VARIABLES = {
  runsMs: 'SLUICE_KEEP_RUNS',
  eventsMs: 'SLUICE_KEEP_EVENTS',
  rejectsMs: 'SLUICE_KEEP_REJECTS',
} as const

/** An interrupted read goes on within a day, and a page that watches a run has to find its events. */
const LEAST_MS = DAY_MS

/** A hundred years: the times of the database begin not much earlier. */
const MOST_MS = 36_500 * DAY_MS

/** Returns the retention of an environment. Throws a UsageError for a wrong value. */
export function retentionOf(environment: Readonly<Record<string, string | undefined>>): Retention {
  const timeOf = (name: keyof Retention): number => {
    const variable = VARIABLES[name]
    const text = environment[variable]
    if (!text) return RETENTION[name]
    if (text === 'forever') return Infinity
    const ms = msOf(variable, text)
    if (ms < LEAST_MS)
      throw new UsageError(`${variable} is '${text}', and must be at least 1d. To keep everything, write forever`)
    if (ms > MOST_MS)
      throw new UsageError(`${variable} is '${text}', and must be at most 36500d. To keep everything, write forever`)
    return ms
  }
  return { runsMs: timeOf('runsMs'), eventsMs: timeOf('eventsMs'), rejectsMs: timeOf('rejectsMs') }
}

function msOf(variable: string, text: string): number {
  try {
    return duration(text)
  } catch (cause) {
    throw new UsageError(`${variable}: ${messageOf(cause)}, or forever`, { cause })
  }
}
