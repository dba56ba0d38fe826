import { momentText } from '../../run/status/open-reading.ts'
import type { StatusWaiting, StatusWork, StatusWorker } from '../../run/status/stream-status.ts'
import { formatCount } from '../../value/format.ts'
import { formatAge } from './format-time.ts'
import { textTable } from './text-table.ts'

export interface WorkText {
  /** A row for each piece of work that is done, for each idle worker, and for what waits. */
  readonly table: string
  /** What nobody can do, each in a sentence. */
  readonly notes: readonly string[]
}

/** Returns what `sluice status` shows of workers. `now` and ages are in milliseconds. */
export function workText(
  { workers, waiting }: StatusWork,
  { now, width }: { readonly now: number; readonly width: number },
): WorkText {
  const age = (since: string): string => formatAge(now - Date.parse(since))
  const rows = [
    ...workers.flatMap((worker) => rowsOf(worker, age)),
    ...(waiting ?? []).map(({ pipeline, pieces, since }) => ({
      worker: '(waiting)',
      work: `${formatCount(pieces, 'piece')} of ${pipeline}`,
      for: age(since),
    })),
  ]
  return {
    table: rows.length === 0 ? 'no worker is alive' : textTable(rows, { width }),
    notes: waiting?.filter((one) => one.workers.length === 0).map(leftText) ?? [UNREAD],
  }
}

const UNREAD =
  'what waits for workers is not known: this user may not read the schema sluice_jobs. docs/GRANTS.md has the grants'

function rowsOf(
  { worker, isDraining, pieces }: StatusWorker,
  age: (since: string) => string,
): { readonly worker: string; readonly work: string; readonly for: string }[] {
  const name = isDraining ? `${worker} (ends)` : worker
  if (pieces.length === 0) return [{ worker: name, work: 'idle', for: '' }]
  return pieces.map(({ pipeline, stream, window, since }) => {
    const range = window ? ` ${momentText(new Date(window.from))} to ${momentText(new Date(window.to))}` : ''
    return { worker: name, work: `${pipeline}.${stream}${range}`, for: age(since) }
  })
}

/** Says of pieces of work that no worker takes them. */
const leftText = ({ pipeline, version, pieces }: StatusWaiting): string =>
  `${pipeline}: ${formatCount(pieces, 'piece')} of work ${pieces === 1 ? 'waits' : 'wait'} for version ${version}, ` +
  'which no worker has. The process that handed it out does it itself; if that has ended, start sluice worker with ' +
  'the pipeline files of that version, or run it again'
