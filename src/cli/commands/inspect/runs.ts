import { readRun, readRuns, type StoredRun } from '../../../ledger/read/read-runs.ts'
import type { Counts } from '../../../model/batch.ts'
import { UsageError } from '../../../model/errors.ts'
import { openStore } from '../../../run/open-store.ts'
import { reportText } from '../../../run/report/report-text.ts'
import type { CommonOptions, CommandContext } from '../../execute-command.ts'
import { onOneLine } from '../../output/display-width.ts'
import { formatSeconds } from '../../../value/format.ts'
import { formatTime } from '../../output/format-time.ts'
import { printTable } from '../../output/print-rows.ts'
import { wrapText } from '../../output/wrap-text.ts'

interface RunsOptions extends CommonOptions {
  readonly limit: number
  readonly json?: boolean
}

/** `sluice runs`: what has run; with a number, one run's report. */
export async function runsCommand(
  [which]: [string | undefined],
  { database, limit, json = false }: RunsOptions,
  { signal }: CommandContext,
): Promise<number> {
  await using store = await openStore({ database, signal })
  if (which !== undefined && /^\d{1,18}$/.test(which)) {
    const run = await readRun(store.database, which)
    if (!run) throw new UsageError(`There is no run ${which}. See: sluice runs`)
    showRun(run, json)
    return 0
  }
  const runs = await readRuns(store.database, { pipeline: which, limit })
  if (json) console.log(JSON.stringify(runs))
  else if (runs.length === 0)
    console.log(
      which === undefined
        ? 'Nothing has run yet. Try: sluice run'
        : `${which} has not run yet. Try: sluice run ${which}`,
    )
  else {
    printTable(runs.map(rowOf), { optional: ['took', 'kind'] })
    const failed = runs.filter(({ error }) => error !== undefined)
    if (failed.length > 0) console.log()
    for (const { id, error } of failed) showFault(id, error!)
  }
  return 0
}

function rowOf({ id, pipeline, kind, status, startedAt, finishedAt, report }: StoredRun): Record<string, unknown> {
  const streams = Object.values(report?.streams ?? {})
  const sum = (of: (counts: Counts) => number): number | undefined =>
    report ? streams.reduce((all, { counts }) => all + of(counts), 0) : undefined
  return {
    run: id,
    pipeline,
    kind,
    status,
    started: formatTime(startedAt),
    took: finishedAt ? formatSeconds(finishedAt.getTime() - startedAt.getTime()) : '',
    fetched: sum(({ fetched }) => fetched),
    stored: sum(({ inserted, updated }) => inserted + updated),
    rejected: sum(({ rejected }) => rejected),
  }
}

/** What a run ended with, in the lines that a terminal has room for. */
function showFault(run: string, error: string): void {
  const { isTTY, columns } = process.stdout
  for (const [index, line] of wrapText(onOneLine(`run ${run}: ${error}`), isTTY ? columns - 2 : Infinity).entries())
    console.log(index === 0 ? line : `  ${line}`)
}

function showRun({ report, ...run }: StoredRun, json: boolean): void {
  if (json) console.log(JSON.stringify({ ...run, report }))
  else
    console.log(
      report
        ? reportText(report)
        : `Run ${run.id} of ${run.pipeline}: ${run.status} since ${formatTime(run.startedAt)}${run.error ? `: ${run.error}` : ''}`,
    )
}
