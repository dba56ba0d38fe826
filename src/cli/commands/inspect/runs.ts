import { authorText, readChanges } from '../../../ledger/changes.ts'
import { readRun, readRuns, type StoredRun } from '../../../ledger/read/read-runs.ts'
import type { Counts } from '../../../model/batch.ts'
import { UsageError } from '../../../model/errors.ts'
import { openStore } from '../../../run/open-store.ts'
import { reportText } from '../../../run/report/report-text.ts'
import { formatSeconds } from '../../../value/format.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { onOneLine } from '../../output/display-width.ts'
import { formatTime } from '../../output/format-time.ts'
import { printTable } from '../../output/print-rows.ts'
import { terminalWidth } from '../../output/terminal-width.ts'
import { wrapText } from '../../output/wrap-text.ts'
import { requireKnownName } from '../stream-names.ts'

interface RunsOptions extends CommonOptions {
  readonly account?: string
  readonly limit: number
  readonly json?: boolean
}

/** `sluice runs`: lists runs; with a number, shows the report of that run. */
export async function runsCommand(
  [word]: [string | undefined],
  { database, account, limit, json = false }: RunsOptions,
  { signal }: CommandContext,
): Promise<number> {
  if (account !== undefined && (word === undefined || /^\d+$/.test(word)))
    throw new UsageError('--account needs the pipeline, as in sluice runs shops --account north')
  const which = account === undefined ? word : `${word}@${account}`
  await using store = await openStore({ database, signal })
  if (which !== undefined && /^\d{1,18}$/.test(which)) {
    const run = await readRun(store.database, which)
    if (!run) throw new UsageError(`There is no run ${which}. See: sluice runs`)
    const changes = await readChanges(store.database, { run: run.id })
    showRun(run, json)
    if (!json) for (const one of changes) console.log(`${one.change} ${authorText(one)}`)
    return 0
  }
  const runs = await readRuns(store.database, { pipeline: which, limit })
  if (which !== undefined && runs.length === 0) await requireKnownName(store.database, { pipeline: which })
  if (json) console.log(JSON.stringify(runs))
  else if (runs.length === 0)
    console.log(
      which === undefined
        ? 'Nothing has run yet. Try: sluice run'
        : `${which} has not run yet. Try: sluice run ${which}`,
    )
  else showRuns(runs)
  return 0
}

function showRuns(runs: readonly StoredRun[]): void {
  // Most APIs announce no deleted records. Reports of an older version have no such count.
  const hasDeleted = runs.some(({ report }) =>
    Object.values(report?.streams ?? {}).some(({ counts }) => counts.deleted > 0),
  )
  printTable(
    runs.map((run) => rowOf(run, { hasDeleted })),
    { optional: ['took', 'kind', 'complete'] },
  )
  if (runs.some(({ error }) => error !== undefined)) console.log()
  for (const { id, error } of runs) if (error !== undefined) showError(id, error)
}

function rowOf(
  { id, pipeline, kind, status, startedAt, finishedAt, completeness, report }: StoredRun,
  { hasDeleted }: { readonly hasDeleted: boolean },
): Record<string, unknown> {
  const streams = Object.values(report?.streams ?? {})
  const sum = (of: (counts: Counts) => number): number | undefined =>
    report ? streams.reduce((all, { counts }) => all + of(counts), 0) : undefined
  return {
    run: id,
    pipeline,
    kind,
    status: status === 'done' && completeness?.grade === 'open' ? 'open' : status,
    started: formatTime(startedAt),
    took: finishedAt ? formatSeconds(finishedAt.getTime() - startedAt.getTime()) : '',
    fetched: sum(({ fetched }) => fetched),
    stored: sum(({ inserted, updated }) => inserted + updated),
    ...(hasDeleted && { deleted: sum(({ deleted }) => deleted || 0) }),
    rejected: sum(({ rejected }) => rejected),
    complete: completeness?.grade ?? '',
  }
}

/** Prints the error of a run, wrapped on a terminal. */
function showError(run: string, error: string): void {
  const width = process.stdout.isTTY ? terminalWidth() - 2 : Infinity
  for (const [index, line] of wrapText(onOneLine(`run ${run}: ${error}`), width).entries())
    console.log(index === 0 ? line : `  ${line}`)
}

function showRun({ report, ...run }: StoredRun, json: boolean): void {
  if (json) console.log(JSON.stringify({ ...run, report }))
  else if (report) console.log(reportText(report, { width: terminalWidth() }))
  else
    console.log(
      `Run ${run.id} of ${run.pipeline}: ${run.status} since ${formatTime(run.startedAt)}` +
        (run.error === undefined ? '' : `: ${run.error}`),
    )
}
