import type { AccountsChange } from '../../run/accounts/live-accounts.ts'
import type { ScheduleEvent } from '../../run/schedule/schedule-event.ts'
import { formatNumber, formatSeconds } from '../../value/format.ts'
import { formatTime } from './format-time.ts'

/** Returns an event of a scheduler as one line of text. */
export function scheduleLine(event: ScheduleEvent, now = new Date()): string {
  return `${formatTime(now)}  ${textOf(event)}`
}

type EventOf<Type extends ScheduleEvent['type']> = Extract<ScheduleEvent, { readonly type: Type }>

function textOf(event: ScheduleEvent): string {
  switch (event.type) {
    case 'scheduler.started':
      return startedText(event)
    case 'tick.started':
      return `${event.pipeline}  ${shortTime(event.tick)}  starts${event.late ? ', late' : ''}`
    case 'tick.finished':
      return finishedText(event)
    case 'tick.note':
      return onOneLine(event.message)
    case 'tick.skipped':
      return `${event.pipeline}  ${shortTime(event.tick)}  ${event.status}: ${event.reason}`
    case 'ticks.missed':
      return missedText(event)
    case 'accounts.changed':
      return accountsText(event)
    case 'warning':
      return `${event.pipeline}  warning: ${onOneLine(event.message)}`
    case 'alarm.failed':
      return `warning: ${onOneLine(event.message)}`
    case 'scheduler.stopped':
      return `stopped: ${event.reason}`
  }
}

/** Returns a change of accounts as one line: `shops  accounts have changed: new: shops@east`. */
export function accountsText({ pipeline, added, removed }: AccountsChange): string {
  const parts = [
    ...(added.length > 0 ? [`new: ${added.join(', ')}`] : []),
    ...(removed.length > 0 ? [`removed: ${removed.join(', ')}`] : []),
  ]
  return `${pipeline}  accounts have changed: ${parts.join('; ')}`
}

function startedText({ pipelines }: EventOf<'scheduler.started'>): string {
  const texts = pipelines.map(({ pipeline, schedule, next }) => `${pipeline} (${schedule}; next ${shortTime(next)})`)
  return `schedules ${texts.join(', ')}; Ctrl-C stops it`
}

function finishedText(event: EventOf<'tick.finished'>): string {
  const { pipeline, tick, status, run, ms, fetched, stored, rejected, open = [], error } = event
  const done = open.length === 0 ? 'done in' : 'ended in'
  const facts = [`${status === 'done' ? done : `${status} after`} ${formatSeconds(ms)}`]
  if (open.length > 0) facts.push(`not proven complete: ${open.join(' ')}`)
  if (run !== undefined) {
    facts.push(`run ${run}: ${formatNumber(fetched)} read`, `${formatNumber(stored)} stored`)
    if (rejected > 0) facts.push(`${formatNumber(rejected)} rejected`)
  }
  return `${pipeline}  ${shortTime(tick)}  ${facts.join(', ')}${error === undefined ? '' : `: ${onOneLine(error)}`}`
}

/** The scheduler counts missed ticks up to this number. */
const MAX_COUNTED = 1_000

function missedText({ pipeline, count, first, last }: EventOf<'ticks.missed'>): string {
  if (count === 1) return `${pipeline}  missed the tick of ${shortTime(last)}`
  const number = `${formatNumber(count)}${count === MAX_COUNTED ? ' or more' : ''}`
  return `${pipeline}  missed ${number} ticks from ${shortTime(first)} to ${shortTime(last)}`
}

const onOneLine = (text: string): string => text.replaceAll('\n', '; ')

/** `11-22 18:30`, in the time zone of this machine. */
const shortTime = (iso: string): string => formatTime(new Date(iso)).slice(5, 16)
