import { readCursors } from '../../ledger/cursors.ts'
import { sqlState } from '../../database/errors.ts'
import type { FoundPipeline } from '../../run/find-pipelines.ts'
import { openStoreToRead } from '../../run/open-store.ts'
import { sample, type Sample } from '../../run/check/sample.ts'
import type { Terms } from '../execute-command.ts'
import { exactJson } from '../../value/json/stored-json.ts'
import { numberText, showTable } from '../output/print-rows.ts'
import { tell } from '../output/print-error.ts'
import type { RunCommandOptions } from './run.ts'

/** Rows of each stream that are shown. */
const shownRows = 3

/** Read what a run would read, and show counts and first rows; nothing is written, not even where to read on. */
export async function dryRun(
  found: readonly FoundPipeline[],
  { database, full = false, limit, json = false }: RunCommandOptions,
  { signal, verbose, hide }: Terms,
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
        code = Math.max(code, tell(error, { verbose, hide }))
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
    `${numberText(counts.fetched)} fetched`,
    counts.parents > 0 && `${numberText(counts.parents)} parents read`,
    counts.expanded > 0 && `${numberText(counts.expanded)} expanded`,
    counts.filtered > 0 && `${numberText(counts.filtered)} filtered`,
    counts.duplicate > 0 && `${numberText(counts.duplicate)} duplicate`,
    counts.rejected > 0 && `${numberText(counts.rejected)} rejected`,
  ]
  console.log(
    `${place}: ${since === undefined ? 'from the start' : `since ${since}`}${isWhole ? '' : ', only the first pages'}: ${facts.filter(Boolean).join(', ')}; ${numberText(total)} rows for ${table}`,
  )
  showTable(
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
