import pino from 'pino'
import type { RunEvent } from '../../model/event.ts'
import type { Report } from '../../model/report.ts'
import { openStreams } from '../../model/open-streams.ts'
import { activeSpanIds } from '../../observe/telemetry/telemetry.ts'
import type { Progress } from './progress-tracker.ts'

export interface EventLog extends Progress {
  /** Writes the report as the last line of a run. */
  readonly report: (report: Report) => void
}

/**
 * Writes one line of JSON for each event, for log collectors. Requests are at level debug:
 * `{"level":"info","time":"…","pipeline":"billing","type":"batch.committed","stream":"customers",…}`
 *
 * A line of a run that is traced has the ids of its span: `trace_id`, `span_id`.
 */
export function eventLog(
  pipeline: string,
  to: NodeJS.WritableStream,
  { verbose = false }: { /** Also writes events of level debug. @default false */ readonly verbose?: boolean } = {},
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
  let ofRun: ReturnType<typeof activeSpanIds>
  return {
    on: (event) => {
      const ids = activeSpanIds()
      // The run's span has ended when the report is there.
      if (event.type === 'run.finished') ofRun = ids
      log[LEVELS[event.type] ?? 'info']({ pipeline, ...ids, ...event })
    },
    report: (report) => log[levelOf(report)]({ pipeline, ...ofRun, type: 'report', report }),
    [Symbol.dispose]: () => {},
  }
}

const levelOf = ({ status, streams }: Report): 'info' | 'warn' | 'error' => {
  if (status !== 'done') return 'error'
  return openStreams(streams).length === 0 ? 'info' : 'warn'
}

/** Other events have level info. */
const LEVELS: Readonly<Partial<Record<RunEvent['type'], 'debug' | 'warn' | 'error'>>> = {
  'request.finished': 'debug',
  gauge: 'debug',
  warning: 'warn',
  'request.retried': 'warn',
  'response.skipped': 'warn',
  'slice.failed': 'warn',
  'stream.failed': 'error',
}
