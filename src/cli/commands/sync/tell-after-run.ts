import type { FoundPipeline } from '../../../run/find-pipelines.ts'
import { audienceOf } from '../../../run/notify/notify-targets.ts'
import { openStore } from '../../../run/open-store.ts'
import { readSecrets } from '../../../observe/secrets.ts'
import { defined } from '../../../value/defined.ts'
import { messageOf } from '../../../value/error.ts'
import type { CommandContext } from '../../execute-command.ts'

/** A run ends a little later for its alarms, and never much later. */
const LONGEST_MS = 45_000

/**
 * Tells of problems after a run, for pipelines that say to whom. Nothing here changes the exit code: what could not be
 * sent is sent by the next run, or by a scheduler or server.
 */
export async function tellAfterRun(
  found: readonly FoundPipeline[],
  { database }: { readonly database?: string | undefined },
  { signal, hide }: CommandContext,
): Promise<void> {
  const pipelines = found.map(({ pipeline }) => pipeline)
  const warn = (message: string): void => console.error(hide(`sluice: ${message}`))
  try {
    if (!audienceOf(pipelines, process.env)) return
    const { tellIncidents } = await import('../../../run/notify/tell-incidents.ts')
    const limited = AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)])
    await using store = await openStore({ ...defined({ database }), signal: limited })
    await tellIncidents(store.database, pipelines, {
      environment: process.env,
      secrets: readSecrets(process.env),
      onProblem: warn,
      signal: limited,
    })
  } catch (error) {
    signal.throwIfAborted()
    warn(`alarms could not be sent: ${messageOf(error)}`)
  }
}
