// @ts-check
import { h, show } from '../parts/dom.js'
import { clock, count, counted } from '../parts/format.js'
import { store } from '../data/store.js'
import { rowsOf } from '../parts/run-bars.js'

/** @typedef {import('../data/event-source.js').EventMessage} EventMessage */

/** Limit of events on the page. */
const MAX_EVENTS = 300

/**
 * The events of a run from the first one, newest at the top. @param {string} run @param
 * {AbortSignal} signal
 */
export function eventLog(run, signal) {
  const items = h('ol', { class: 'events', tabindex: '0', 'aria-label': 'Events, newest first' })
  const none = h('p', { class: 'empty' }, 'No events: they are kept for seven days.')
  // A connection of its own, because it also reads the past of the run.
  const source = new EventSource(`/api/events?after=0&run=${encodeURIComponent(run)}`)
  source.addEventListener('message', ({ data }) => {
    const event = /** @type {EventMessage} */ (JSON.parse(String(data)))
    if (event.type === 'gauge') return
    show(none, false)
    items.prepend(
      h(
        'li',
        { 'data-type': event.type },
        h('time', { datetime: event.at, class: 'muted' }, clock(event.at, store.now)),
        h('span', { class: 'event-type' }, event.type),
        h('span', {}, 'stream' in event ? event.stream : ''),
        h('span', { class: 'event-words' }, words(event)),
      ),
    )
    while (items.childElementCount > MAX_EVENTS) items.lastElementChild?.remove()
    if (event.type === 'run.finished') source.close()
  })
  signal.addEventListener('abort', () => source.close())
  return { root: h('div', {}, items, none) }
}

/** Describes an event, except for its name and stream. @param {EventMessage} event @returns {string} */
function words(event) {
  switch (event.type) {
    case 'run.started':
      return event.streams.join(', ')
    case 'slice.started':
      return `slice ${event.slice}${event.resumed ? ', resumed' : ''}, ${rangeOf(event)}`
    case 'batch.committed':
      return [
        `${counted(rowsOf(event.counts), 'row')} in ${counted(event.pages, 'page')}`,
        `${count(Math.round(event.ms))} ms`,
      ].join(', ')
    case 'slice.finished':
      return [`slice ${event.slice}`, counted(rowsOf(event.counts), 'row'), event.completeness?.grade ?? '']
        .filter((part) => part !== '')
        .join(', ')
    case 'slice.failed':
      return `slice ${event.slice}: ${event.error}`
    case 'request.retried':
      return `attempt ${event.attempt} failed, next in ${count(Math.round(event.waitMs))} ms: ${event.reason}`
    case 'waiting':
      return `for ${event.for}, ${count(Math.round(event.ms))} ms`
    case 'response.skipped':
      return `${event.request} answered ${event.status}, left out by a rule`
    case 'request.finished':
      return `${event.method} ${event.url} answered ${event.status} in ${count(Math.round(event.ms))} ms`
    case 'backfill.planned':
      return `${counted(event.windows.total, 'window')}, ${count(event.toRead)} to read`
    case 'pages.total':
      return `${counted(event.pages, 'page')} to read`
    case 'table.altered':
      return `${event.table}: ${event.change}`
    case 'warning':
      return event.message
    case 'stream.finished':
      return `${event.status}, ${counted(rowsOf(event.counts), 'row')}`
    case 'stream.failed':
      return event.error
    case 'run.finished':
      return event.status
    case 'gauge':
      return ''
  }
}

/** @param {{ lower?: string, upper?: string, since?: string | undefined }} event */
function rangeOf({ lower, upper, since }) {
  if (lower !== undefined) return `${lower} to ${upper}`
  return since === undefined ? 'from the beginning' : `from ${since}`
}
