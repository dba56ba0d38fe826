import type { Database } from '../../database/database.ts'
import type { Pipeline } from '../../define/pipeline.ts'
import type { Secrets } from '../../model/scope.ts'
import { messageOf } from '../../value/error.ts'
import type { Clock } from '../schedule/clock.ts'
import { ping } from './ping.ts'
import { tellIncidents } from './tell-incidents.ts'

export interface WatchOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly secrets: Secrets
  readonly clock: Clock
  /** Also calls the URL of `SLUICE_PING_URL`. A scheduler does. @default false */
  readonly pings?: boolean
  /** Called with a sentence about what could not be done. Each is said once as long as it lasts. */
  readonly onProblem: (message: string) => void
  readonly signal: AbortSignal
}

/** Time between two looks for problems. */
const EVERY_MS = 60_000

/**
 * Looks for problems each minute and tells of them, until the signal aborts. What fails is said and tried again: a
 * scheduler must not end because its alarms cannot be sent.
 */
export async function watchIncidents(
  database: Database,
  pipelines: () => readonly Pipeline[],
  { environment, secrets, clock, pings = false, onProblem, signal }: WatchOptions,
): Promise<never> {
  let said: ReadonlySet<string> = new Set()
  for (;;) {
    const problems = new Set<string>()
    const note = (message: string): void => {
      problems.add(message)
      if (!said.has(message)) onProblem(message)
    }
    try {
      await tellIncidents(database, pipelines(), {
        environment,
        secrets,
        now: clock.now(),
        onProblem: note,
        signal,
      })
      if (pings) await ping(environment, { secrets, signal })
    } catch (error) {
      signal.throwIfAborted()
      note(`alarms could not be sent: ${secrets.hide(messageOf(error))}`)
    }
    said = problems
    await clock.sleep(EVERY_MS, { signal })
  }
}
