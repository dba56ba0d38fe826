import type { RunEvent } from '../../model/event.ts'
import { countsText } from '../../run/report/summary-line.ts'
import { formatBytes, formatCount, formatNumber, formatSeconds } from '../../value/format.ts'

export interface EventTextOptions {
  /** A reading of the stream could not prove that it has read everything. */
  readonly isOpen: boolean
  /** Also returns a text for each request. */
  readonly verbose: boolean
}

/** Shorter waits are not worth a line. */
const MIN_WAIT_MS = 5_000

/**
 * Returns an event as a text for people, without the names of pipeline and stream. Returns undefined for events that
 * are not worth a line, and for warnings and failures, which `ProgressTracker` prints.
 */
export function eventText(event: RunEvent, { isOpen, verbose }: EventTextOptions): string | undefined {
  switch (event.type) {
    case 'run.started':
      return `run ${event.run} starts: ${event.streams.join(', ')}`
    case 'backfill.planned':
      return (
        `backfill ${event.backfill}, ${event.from} to ${event.to}: ` +
        `${formatNumber(event.toRead)} of ${formatCount(event.windows.total, 'window')} of ${event.window} to read`
      )
    case 'slice.started':
      return event.lower === undefined ? startText(event) : undefined
    case 'request.finished':
      return verbose
        ? `${event.method} ${event.url}: ${event.status}, ${formatBytes(event.bytes)} in ${formatSeconds(event.ms)}`
        : undefined
    case 'request.retried':
      return `tries again in ${formatSeconds(event.waitMs)}: ${event.reason}`
    case 'waiting':
      return event.ms < MIN_WAIT_MS ? undefined : `waits ${formatSeconds(event.ms)}: ${event.for}`
    case 'table.altered':
      return `table ${event.table}: ${event.change}`
    case 'stream.finished':
      return endText(event, isOpen)
    case 'pages.total':
    case 'response.skipped':
    case 'batch.committed':
    case 'warning':
    case 'slice.finished':
    case 'slice.failed':
    case 'stream.failed':
    case 'run.finished':
    case 'gauge':
      return undefined
  }
}

type EventOf<Type extends RunEvent['type']> = Extract<RunEvent, { readonly type: Type }>

function startText({ resumed, since }: EventOf<'slice.started'>): string {
  if (resumed) return 'continues an interrupted read'
  return since === undefined ? 'reads from the start' : `reads what is new since ${since}`
}

function endText({ status, counts, ms }: EventOf<'stream.finished'>, isOpen: boolean): string {
  const numbers = `${formatSeconds(ms)}: ${countsText(counts)}`
  if (status === 'done') return isOpen ? `ended, not proven complete, in ${numbers}` : `done in ${numbers}`
  return status === 'not run' ? status : `${status} after ${numbers}`
}
