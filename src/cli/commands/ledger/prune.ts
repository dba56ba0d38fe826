import { prune, type PruneCounts } from '../../../ledger/prune.ts'
import { openStore } from '../../../run/open-store.ts'
import { retentionOf } from '../../../run/retention.ts'
import { formatCount } from '../../../value/format.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'

interface PruneCommandOptions extends CommonOptions {
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** `sluice prune`: removes what is old from the ledger, or counts it. */
export async function pruneCommand(
  _: [],
  { database, dryRun = false, json = false }: PruneCommandOptions,
  { signal }: CommandContext,
): Promise<number> {
  const retention = retentionOf(process.env)
  await using store = await openStore({ database, signal })
  const { isFinished: _isFinished, ...counts } = await prune(store.database.with({ signal }), retention, {
    dryRun,
    signal,
  })
  if (json) console.log(JSON.stringify(counts))
  else console.log(`${store.database.label}: ${textOf(counts, dryRun)}`)
  return 0
}

function textOf(counts: PruneCounts, dryRun: boolean): string {
  const { runs, slices, rejects, events, ticks, deletedRows } = counts
  if (Object.values(counts).every((count) => count === 0)) return 'nothing in the ledger is old enough to be removed'
  const parts = [
    formatCount(runs, 'run'),
    formatCount(slices, 'slice'),
    formatCount(rejects, 'reject'),
    formatCount(events, 'event'),
    formatCount(ticks, 'tick'),
    formatCount(deletedRows, 'deleted row'),
  ]
  return `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)} ${dryRun ? 'would be' : 'were'} removed from the ledger`
}
