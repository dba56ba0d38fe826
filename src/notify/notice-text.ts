import type { Incident, Notice } from '../model/notify.ts'

/** Incidents that one message names; the rest is counted. */
const MAX_NAMED = 20

/** Returns a line that says what a notice is about. */
export function noticeSubject({ opened, closed, isTest }: Notice): string {
  if (isTest) return 'Sluice: a test of the alarms'
  const [first] = opened
  if (first) return `Sluice: ${nameOf(first)}: ${first.kind}${more(opened.length - 1)}`
  const [over] = closed
  return over ? `Sluice: ${nameOf(over)}: no longer ${over.kind}${more(closed.length - 1)}` : 'Sluice'
}

/** Returns a notice as text, a paragraph for each incident. */
export function noticeText({ opened, closed, isTest }: Notice): string {
  if (isTest) return 'This is a test. Alarms of Sluice arrive here.'
  const all = [
    ...opened.map((one) => `${nameOf(one)}: ${one.kind}, since ${timeText(one.openedAt)}. ${one.message}`),
    ...closed.map(
      (one) => `${nameOf(one)}: no longer ${one.kind}, since ${timeText(one.closedAt ?? '')}. It was: ${one.message}`,
    ),
  ]
  const rest = all.length - MAX_NAMED
  return [...all.slice(0, MAX_NAMED), ...(rest > 0 ? [`And ${rest} more: sluice notify list`] : [])].join('\n\n')
}

const nameOf = ({ pipeline, stream }: Incident): string => (stream === undefined ? pipeline : `${pipeline}.${stream}`)

const more = (count: number): string => (count > 0 ? `, and ${count} more` : '')

/** `2026-01-31 12:00 UTC`. */
const timeText = (iso: string): string => `${iso.slice(0, 16).replace('T', ' ')} UTC`
