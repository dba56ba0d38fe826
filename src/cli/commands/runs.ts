import { readRun, readRuns, type StoredRun } from '../../ledger/read-runs.ts'
import { UsageError } from '../../model/errors.ts'
import { openStore } from '../../run/open-store.ts'
import { reportText } from '../../run/report-text.ts'
import type { CommonOptions, Terms } from '../act.ts'
import { secondsText, showTable, timeText } from '../show.ts'

interface RunsOptions extends CommonOptions {
  readonly limit: number
  readonly json?: boolean
}

/** `sluice runs`: what has run; with a number, one run's report. */
export async function runsCommand([which]: [string | undefined], { database, limit, json = false }: RunsOptions, { signal }: Terms): Promise<number> {
  await using store = await openStore({ database, signal })
  if (which !== undefined && /^\d{1,18}$/.test(which)) {
    const run = await readRun(store.database, which)
    if (!run) throw new UsageError(`There is no run ${which}. See: sluice runs`)
    showRun(run, json)
    return 0
  }
  const runs = await readRuns(store.database, { pipeline: which, limit })
  if (json) console.log(JSON.stringify(runs))
  else if (runs.length === 0) console.log(which === undefined ? 'Nothing has run yet. Try: sluice run' : `${which} has not run yet. Try: sluice run ${which}`)
  else showTable(runs.map(rowOf))
  return 0
}

function rowOf({ id, pipeline, kind, status, startedAt, finishedAt, report, error }: StoredRun): Record<string, unknown> {
  const streams = Object.values(report?.streams ?? {})
  const sum = (of: 'fetched' | 'inserted' | 'updated' | 'rejected'): number | undefined => (report ? streams.reduce((all, { counts }) => all + counts[of], 0) : undefined)
  return {
    run: id, pipeline, kind, status, started: timeText(startedAt), took: finishedAt ? secondsText(finishedAt.getTime() - startedAt.getTime()) : '',
    fetched: sum('fetched'), inserted: sum('inserted'), updated: sum('updated'), rejected: sum('rejected'), error: error ?? '',
  }
}

function showRun({ report, ...run }: StoredRun, json: boolean): void {
  if (json) console.log(JSON.stringify({ ...run, report }))
  else console.log(report ? reportText(report) : `Run ${run.id} of ${run.pipeline}: ${run.status} since ${timeText(run.startedAt)}${run.error ? `: ${run.error}` : ''}`)
}
