import { noteChange } from '../../../ledger/changes.ts'
import { readRun } from '../../../ledger/read/read-runs.ts'
import { requestStop } from '../../../ledger/runs.ts'
import { UsageError } from '../../../model/errors.ts'
import { author } from '../../../run/author.ts'
import { openStore } from '../../../run/open-store.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'

/** `sluice cancel`: asks a run to stop, in whichever process it is. */
export async function cancelCommand(
  [run]: [string],
  { database, why }: CommonOptions & { readonly why?: string },
  { signal }: CommandContext,
): Promise<number> {
  await using store = await openStore({ database, signal })
  const known = await readRun(store.database, run)
  if (!known) throw new UsageError(`There is no run ${run}. See: sluice runs`)
  const at = await requestStop(store.database, run)
  if (!at) throw new UsageError(`Run ${run} is not running: its status is ${known.status}. See: sluice runs`)
  const { pipeline } = known
  await noteChange(store.database, { ...author(why), pipeline, run, change: 'asked to stop' })
  console.log(
    `Run ${run} of ${pipeline} was asked to stop. It commits what is whole and ends within 5 s; the next run ` +
      'continues from there. To let no run start: sluice pause',
  )
  return 0
}
