import { openText } from '../../../model/completeness.ts'
import { environmentOf } from '../../../run/accounts/environment-of.ts'
import { sample, type Sample } from '../../../run/check/sample.ts'
import type { FoundPipeline } from '../../../run/find-pipelines.ts'
import { openStoreToRead } from '../../../run/open-store.ts'
import { storedCursors } from '../../../run/stored-cursors.ts'
import { formatCount, formatNumber } from '../../../value/format.ts'
import { exactJson } from '../../../value/json/stored-json.ts'
import type { CommandContext } from '../../execute-command.ts'
import { printError } from '../../output/print-error.ts'
import { printTable } from '../../output/print-rows.ts'
import type { RunCommandOptions } from './run.ts'

/** Rows to show of each stream. */
const MAX_ROWS = 3
/** Characters to show of a rejected record. */
const MAX_RECORD_LENGTH = 200

/** Reads as a run would, and shows counts and first rows. Nothing is written, not even a cursor. */
export async function dryRun(
  found: readonly FoundPipeline[],
  { database, full = false, limit, json = false }: RunCommandOptions,
  { signal, verbose, hide }: CommandContext,
): Promise<number> {
  await using store = full ? undefined : await openStoreToRead({ database, signal })
  let code = 0
  for (const { pipeline, streams } of found) {
    const cursors = store ? await storedCursors(store.database, pipeline.name) : new Map<string, string>()
    for (const [stream, flow] of Object.entries(pipeline.streams)) {
      if (streams && !streams.includes(stream)) continue
      const name = `${pipeline.name}.${stream}`
      const since = cursors.get(stream)
      const table = flow.table.name
      try {
        const keep = Math.min(MAX_ROWS, limit ?? Infinity)
        const read = await sample(flow, {
          stream,
          limit,
          keep,
          since,
          database,
          environment: environmentOf(pipeline),
          signal,
        })
        const { stored: rows, ...facts } = read
        const line = { pipeline: pipeline.name, stream, table, since: since ?? null, ...facts, rows }
        if (json) console.log(exactJson(line))
        else show(name, table, since, read)
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
  name: string,
  table: string,
  since: string | undefined,
  { stored, rejects, counts, total, isWhole, completeness }: Sample,
): void {
  const facts = [
    `${formatNumber(counts.fetched)} fetched`,
    counts.parents > 0 && `${formatCount(counts.parents, 'parent')} read`,
    counts.expanded > 0 && `${formatNumber(counts.expanded)} expanded`,
    counts.filtered > 0 && `${formatNumber(counts.filtered)} filtered`,
    counts.duplicate > 0 && `${formatNumber(counts.duplicate)} duplicate`,
    counts.deleted > 0 && `${formatNumber(counts.deleted)} announced as deleted`,
    counts.rejected > 0 && `${formatNumber(counts.rejected)} rejected`,
  ].filter((fact) => fact !== false)
  const start = since === undefined ? 'from the start' : `since ${since}`
  console.log(
    `${name}: ${start}${isWhole ? '' : ', only the first pages'}: ${facts.join(', ')}; ` +
      `${formatCount(total, 'row')} for ${table}`,
  )
  printTable(stored)
  for (const { stage, reason, record } of rejects)
    console.log(`rejected by ${stage}: ${reason}: ${exactJson(record).slice(0, MAX_RECORD_LENGTH)}`)
  const open = openText(completeness)
  if (open !== undefined) console.log(`it is not proven that everything was read: ${open}`)
  console.log('')
}
