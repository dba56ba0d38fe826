import { readSlices, type SliceStatus, type StoredSlice } from '../../../ledger/read/read-slices.ts'
import { openStore } from '../../../run/open-store.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { formatTime } from '../../output/format-time.ts'
import { printTable } from '../../output/print-rows.ts'
import { parseStreamName, requireKnownName } from '../stream-names.ts'

interface SlicesOptions extends CommonOptions {
  readonly run?: string
  readonly status?: SliceStatus
  readonly limit: number
  readonly json?: boolean
}

/** `sluice slices list`: shows the slices of a stream, the newest first. */
export async function slicesListCommand(
  [word]: [string | undefined],
  { database, run, status, limit, json = false }: SlicesOptions,
  { signal, hide }: CommandContext,
): Promise<number> {
  const name = parseStreamName(word)
  await using store = await openStore({ database, signal })
  const slices = hide(await readSlices(store.database, { ...name, run, status, limit }))
  if (slices.length === 0) await requireKnownName(store.database, name)
  if (json) console.log(JSON.stringify(slices))
  else if (slices.length === 0) console.log(word === undefined ? 'No slice yet.' : `${word} has no such slice.`)
  else printTable(slices.map(rowOf), { optional: ['claimed by', 'batches', 'started', 'complete'] })
  for (const { id, error } of json ? [] : slices) if (error !== undefined) console.log(`\nslice ${id}: ${error}`)
  return 0
}

function rowOf(slice: StoredSlice): Record<string, unknown> {
  const { id, pipeline, stream, kind, status, isHeld, run, lower, upper, since, high, counts, batches } = slice
  return {
    slice: id,
    stream: `${pipeline}.${stream}`,
    kind,
    status: isHeld ? 'being read' : status,
    from: lower ? instant(lower) : (since ?? ''),
    to: upper ? instant(upper) : (slice.until ?? high ?? ''),
    'claimed by': run,
    read: counts.fetched + counts.parents,
    stored: counts.inserted + counts.updated,
    rejected: counts.rejected,
    batches,
    complete: slice.completeness?.grade ?? '',
    started: formatTime(slice.createdAt),
  }
}

const instant = (date: Date): string => date.toISOString().replace('.000', '')
