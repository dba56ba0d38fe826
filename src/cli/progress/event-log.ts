import pino from 'pino'
import type { RunEvent } from '../../model/event.ts'
import type { Report } from '../../model/report.ts'
import type { Progress } from './progress.ts'

export interface EventLog extends Progress {
  /** The last line of a run. */
  readonly report: (report: Report) => void
}

/** One line of JSON for each event, for whatever gathers logs: `{"level":"info","time":"…","pipeline":"billing","type":"batch","stream":"customers",…}` */
export function eventLog(pipeline: string, to: NodeJS.WritableStream): EventLog {
  const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (level) => ({ level }) } }, to)
  return {
    on: (event) => log[levelOf(event)]({ pipeline, ...event }),
    report: (report) => log[report.status === 'done' ? 'info' : 'error']({ pipeline, type: 'report', report }),
    [Symbol.dispose]: () => {},
  }
}

function levelOf({ type }: RunEvent): 'info' | 'warn' | 'error' {
  return type === 'stream failed' ? 'error' : type === 'warning' || type === 'retry' ? 'warn' : 'info'
}
