import type { ScheduleEvent } from '../../run/schedule/schedule-event.ts'
import { formatNumber, formatSeconds } from '../../value/format.ts'
import { formatTime } from './format-time.ts'

/** One line of text for an event of a scheduler, for people. */
export function scheduleLine(event: ScheduleEvent, now = new Date()): string {
  return `${formatTime(now)}  ${textOf(event)}`
}

function textOf(event: ScheduleEvent): string {
  switch (event.type) {
    case 'scheduler.started':
      return `schedules ${event.pipelines.map(({ pipeline, schedule, next }) => `${pipeline} (${schedule}; next ${shortTime(next)})`).join(', ')}; Ctrl-C stops it`
    case 'tick.started':
      return `${event.pipeline}  ${shortTime(event.tick)}  starts${event.late ? ', late' : ''}`
    case 'tick.finished': {
      const { status, run, ms, fetched, stored, rejected, error } = event
      const numbers =
        run === undefined
          ? ''
          : `, run ${run}: ${formatNumber(fetched)} read, ${formatNumber(stored)} stored${rejected > 0 ? `, ${formatNumber(rejected)} rejected` : ''}`
      return `${event.pipeline}  ${shortTime(event.tick)}  ${status === 'done' ? 'done in' : `${status} after`} ${formatSeconds(ms)}${numbers}${error === undefined ? '' : `: ${error.replaceAll('\n', '; ')}`}`
    }
    case 'tick.skipped':
      return `${event.pipeline}  ${shortTime(event.tick)}  ${event.status}: ${event.reason}`
    case 'ticks.missed':
      return `${event.pipeline}  ${event.count === 1 ? `the tick of ${shortTime(event.last)} was` : `${formatNumber(event.count)}${event.count === 1_000 ? ' or more' : ''} ticks from ${shortTime(event.first)} to ${shortTime(event.last)} were`} missed`
    case 'warning':
      return `${event.pipeline}  warning: ${event.message.replaceAll('\n', '; ')}`
    case 'scheduler.stopped':
      return `stopped: ${event.reason}`
  }
}

/** `11-22 18:30` on the clocks of whoever reads it. */
const shortTime = (iso: string): string => formatTime(new Date(iso)).slice(5, 16)
