import { readCursors } from '../../../ledger/cursors.ts'
import { sqlState } from '../../../database/errors.ts'
import type { FoundPipeline } from '../../../run/find-pipelines.ts'
import { openStoreToRead } from '../../../run/open-store.ts'
import { sample, type Sample } from '../../../run/check/sample.ts'
import type { CommandContext } from '../../execute-command.ts'
import { exactJson } from '../../../value/json/stored-json.ts'
import { formatNumber } from '../../../value/format.ts'
import { printTable } from '../../output/print-rows.ts'
import { printError } from '../../output/print-error.ts'
import type { RunCommandOptions } from './run.ts'

/** Rows of each stream that are shown. */
const shownRows = 3

/** Read what a run would read, and show counts and first rows; nothing is written, not even where to read on. */
export async function dryRun(
  found: readonly FoundPipeline[],
  { database, full = false, limit, json = false }: RunCommandOptions,
  { signal, verbose, hide }: CommandContext,
): Promise<number> {
  const cursors = full ? new Map<string, string>() : await cursorsOf(database, signal)
  let code = 0
  for (const { pipeline, streams } of found) {
    for (const [name, flow] of Object.entries(pipeline.streams)) {
      if (streams && !streams.includes(name)) continue
      const place = `${pipeline.name}.${name}`
      const since = cursors.get(place)
      try {
        const read = await sample(flow, {
          stream: name,
          limit,
          keep: Math.min(shownRows, limit ?? Infinity),
          since,
          signal,
        })
        if (json)
          console.log(
            exactJson({ pipeline: pipeline.name, stream: name, table: flow.table.name, since: since ?? null, ...read }),
          )
        else show(place, flow.table.name, since, read)
      } catch (error) {
        code = Math.max(code, printError(error, { verbose, hide }))
        if (signal.aborted) return code
      }
    }
  }
  if (!json) console.log('Nothing was written.')
  return code
}

function show(
  place: string,
  table: string,
  since: string | undefined,
  { rows, rejects, counts, total, isWhole }: Sample,
): void {
  const facts = [
    `${formatNumber(counts.fetched)} fetched`,
    counts.parents > 0 && `${formatNumber(counts.parents)} parents read`,
    counts.expanded > 0 && `${formatNumber(counts.expanded)} expanded`,
    counts.filtered > 0 && `${formatNumber(counts.filtered)} filtered`,
    counts.duplicate > 0 && `${formatNumber(counts.duplicate)} duplicate`,
    counts.rejected > 0 && `${formatNumber(counts.rejected)} rejected`,
  ]
  console.log(
    `${place}: ${since === undefined ? 'from the start' : `since ${since}`}${isWhole ? '' : ', only the first pages'}: ${facts.filter(Boolean).join(', ')}; ${formatNumber(total)} rows for ${table}`,
  )
  printTable(
    rows.map((row) => (typeof row === 'object' && row !== null ? (row as Record<string, unknown>) : { value: row })),
  )
  for (const { stage, reason, record } of rejects)
    console.log(`rejected by ${stage}: ${reason}: ${exactJson(record).slice(0, 200)}`)
  console.log('')
}

/** How far each stream has come, where a database tells. */
async function cursorsOf(database: string | undefined, signal: AbortSignal): Promise<Map<string, string>> {
  await using store = await openStoreToRead({ database, signal })
  if (!store) return new Map()
  try {
    return new Map(
      (await readCursors(store.database)).map(({ pipeline, stream, value }) => [`${pipeline}.${stream}`, value]),
    )
  } catch (error) {
    // Nothing has run there yet.
    if (sqlState(error) === '42P01' || sqlState(error) === '3F000') return new Map()
    throw error
  }
}
