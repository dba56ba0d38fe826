import pino from 'pino'
import type { RunEvent } from '../../model/event.ts'
import type { Report } from '../../model/report.ts'
import type { Progress } from './progress-tracker.ts'

export interface EventLog extends Progress {
  /** The last line of a run. */
  readonly report: (report: Report) => void
}

/** What one has to know only when one looks for a fault, of which there may be thousands. */
const details: ReadonlySet<RunEvent['type']> = new Set(['request.finished', 'gauge'])

/**
 * One line of JSON for each event, for whatever gathers logs:
 * `{"level":"info","time":"…","pipeline":"billing","type":"batch","stream":"customers",…}`
 */
export function eventLog(
  pipeline: string,
  to: NodeJS.WritableStream,
  { verbose = false }: { /** Each request, too. @default false */ readonly verbose?: boolean } = {},
): EventLog {
  const log = pino(
    {
      base: null,
      level: verbose ? 'debug' : 'info',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    to,
  )
  return {
    on: (event) => log[levelOf(event)]({ pipeline, ...event }),
    report: (report) => log[report.status === 'done' ? 'info' : 'error']({ pipeline, type: 'report', report }),
    [Symbol.dispose]: () => {},
  }
}

function levelOf({ type }: RunEvent): 'debug' | 'info' | 'warn' | 'error' {
  if (details.has(type)) return 'debug'
  return type === 'stream.failed'
    ? 'error'
    : type === 'warning' || type === 'request.retried' || type === 'slice.failed'
      ? 'warn'
      : 'info'
}
