import { readIncidents } from '../../../ledger/incidents.ts'
import { openStore } from '../../../run/open-store.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { formatTime } from '../../output/format-time.ts'
import { printTable } from '../../output/print-rows.ts'

export interface NotifyListOptions extends CommonOptions {
  readonly all?: boolean
  readonly limit: number
  readonly json?: boolean
}

/** `sluice notify list`: shows the problems that were told, and whom. */
export async function notifyListCommand(
  _: [],
  { database, all = false, limit, json = false }: NotifyListOptions,
  { signal, hide }: CommandContext,
): Promise<number> {
  await using store = await openStore({ database, signal })
  const incidents = hide(await readIncidents(store.database, { onlyOpen: !all, limit }))
  if (json) console.log(JSON.stringify(incidents))
  else if (incidents.length === 0) console.log(all ? 'No problem was found yet.' : 'No problem is open.')
  else
    printTable(
      incidents.map(({ pipeline, stream, kind, openedAt, closedAt, told, notTold, message }) => ({
        since: formatTime(new Date(openedAt)),
        ...(all && { until: closedAt === undefined ? '' : formatTime(new Date(closedAt)) }),
        stream: stream === undefined ? pipeline : `${pipeline}.${stream}`,
        problem: kind,
        told: told.join(', '),
        'not told yet': notTold.join(', '),
        message,
      })),
      { optional: ['not told yet', 'message'] },
    )
  return 0
}
