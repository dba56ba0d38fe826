import { readWaits } from '../../../ledger/read/read-waits.ts'
import { openStore } from '../../../run/open-store.ts'
import { waitOf } from '../../../run/status/waits.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { formatTime } from '../../output/format-time.ts'
import { printTable } from '../../output/print-rows.ts'

/** `sluice limits`: shows what the APIs have asked to wait for. */
export async function limitsListCommand(
  _: [],
  { database, json = false }: CommonOptions & { readonly json?: boolean },
  { signal, hide }: CommandContext,
): Promise<number> {
  await using store = await openStore({ database, signal })
  const waits = hide((await readWaits(store.database)).map(waitOf))
  if (json) console.log(JSON.stringify(waits))
  else if (waits.length === 0) console.log('No API has asked to wait.')
  else
    printTable(
      waits.map(({ api, path, until, source }) => ({
        api,
        path: path ?? 'all',
        until: formatTime(new Date(until)),
        utc: until.replace(/\.\d+/, ''),
        stream: source ? `${source.pipeline}.${source.stream}` : '',
        run: source?.run ?? '',
        'asked by': source ? `${source.request}: ${source.status}, ${source.header}` : '',
      })),
      { optional: ['utc', 'run'] },
    )
  return 0
}
