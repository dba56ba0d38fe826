import type { BackfillPlan, PlannedWindow } from '../../../run/backfill/backfill-plan.ts'
import { formatCount, formatNumber } from '../../../value/format.ts'
import { printTable } from '../../output/print-rows.ts'

/** Windows to show of a longer list: half of them from its start, half from its end. */
const MAX_WINDOWS = 40

/** Prints the windows that a backfill would read. */
export function printPlan({ pipeline, stream, backfill, counts, toRead, windows, ...range }: BackfillPlan): void {
  const { from, to, window, zone } = range
  console.log(
    `${pipeline}.${stream}: ${backfill === undefined ? 'a new backfill' : `continues backfill ${backfill}`}, ` +
      `${from} to ${to}, ${formatCount(counts.total, 'window')} of ${window}${zone === 'UTC' ? '' : ` in ${zone}`}`,
  )
  const facts = [
    `${formatNumber(toRead)} to read`,
    counts.done > 0 && `${formatNumber(counts.done)} done`,
    counts.unproven > 0 && `${formatNumber(counts.unproven)} of them not proven complete`,
    counts.failed > 0 && `${formatNumber(counts.failed)} failed`,
    counts.skipped > 0 && `${formatNumber(counts.skipped)} skipped`,
  ]
  console.log(facts.filter((fact) => fact !== false).join(', '))
  const rows = windows.filter((one) => one.toRead).map(rowOf)
  const half = MAX_WINDOWS / 2
  printTable(rows.length <= MAX_WINDOWS ? rows : [...rows.slice(0, half), ELLIPSIS, ...rows.slice(-half)])
  if (rows.length > MAX_WINDOWS)
    console.log(`(${formatCount(rows.length - MAX_WINDOWS, 'window')} between them: not shown here; --json shows all)`)
  console.log('Nothing was requested, and nothing was written.')
}

const ELLIPSIS = { from: '…', to: '…', hours: '', status: '', error: '' }

const rowOf = ({ lower, upper, status, error }: PlannedWindow): Record<string, unknown> => ({
  from: lower,
  to: upper,
  hours: (Date.parse(upper) - Date.parse(lower)) / 3_600_000,
  status: status === 'open' ? '' : status,
  error: error ?? '',
})
